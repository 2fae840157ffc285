"""Metrics and traces, by Airflow's own means, as a collector receives them."""

import atexit
import shutil
from collections.abc import Callable, Iterator
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from constant_contact.store import sql
from simulator.server import Running
from tests.airflow.airflow_runs import Run, account_connection
from tests.airflow.collector import Collector, collecting
from tests.support import EU_CONN_ID, Rows, contact_id, vendor_contact

DEFAULT = "account=default"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as listening:
        yield listening


@pytest.fixture
def switched_on(
    airflow: pytest.MonkeyPatch, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """As Airflow does it in a task's process when its options say so."""
    from airflow.sdk._shared.observability.metrics.otel_logger import flush_otel_metrics
    from airflow.sdk._shared.observability.traces import configure_otel
    from airflow.sdk.configuration import conf
    from opentelemetry import metrics, trace
    from opentelemetry.util._once import Once

    # A process sets its provider once, and the one before sends to a collector that is gone.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    monkeypatch.setenv("AIRFLOW__METRICS__OTEL_ON", "True")
    monkeypatch.setenv("AIRFLOW__TRACES__OTEL_ON", "True")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp_proto_http")
    measure_as_configured()
    configure_otel(conf)
    yield
    # other tests are not measured
    for provider in (trace.get_tracer_provider(), metrics.get_meter_provider()):
        # none was made where nothing was measured
        if hasattr(provider, "shutdown"):
            provider.shutdown()
    atexit.unregister(flush_otel_metrics)
    monkeypatch.undo()
    measure_as_configured()


def measure_as_configured() -> None:
    from airflow.sdk.observability.metrics.stats_utils import get_stats_factory
    from airflow.sdk.observability.stats import Stats

    initialize: Any = Stats.initialize
    if "export_legacy_names" in signature(initialize).parameters:
        initialize(factory=get_stats_factory(), export_legacy_names=False)
    else:  # Airflow 3.2
        initialize(factory=get_stats_factory(Stats))


def values(collector: Collector, name: str) -> dict[str, float]:
    """A metric's values by its attributes."""
    return {
        ",".join(sorted(f"{each.key}={each.value.string_value}" for each in point.attributes)): (
            point.as_double or point.as_int
        )
        for point in collector.metrics[f"airflow.constant_contact.{name}"]
    }


@pytest.mark.usefixtures("switched_on")
def test_a_collector_learns_of_calls_rows_budget_and_what_waits(
    simulator: Running,
    collector: Collector,
    run_dag: Run,
    add_crm_contact: Callable[..., None],
    set_do_not_email: Callable[..., None],
) -> None:
    from opentelemetry import trace

    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    add_crm_contact("c1", "ann@example.com", constant_contact_id=contact_id(1))
    add_crm_contact("c2", "bob@example.com")
    set_do_not_email("c1", True)
    set_do_not_email("c2", True)
    assert run_dag("constant_contact_opt_outs").returned["opt_outs"]["unsubscribed"] == 1
    trace.get_tracer_provider().force_flush()
    dag = f"{DEFAULT},dag_id=constant_contact_opt_outs"
    assert values(collector, "calls") == {f"{dag},outcome=2xx,task_id=opt_outs": 3}
    assert values(collector, "rows")[f"{dag},kind=unsubscribed,task_id=opt_outs"] == 1
    assert values(collector, "budget.left")[f"{DEFAULT},lane=engagement"] < 800_000
    assert values(collector, "opt_outs.pending") == {DEFAULT: 0}
    assert values(collector, "completeness.campaigns.findings") == {DEFAULT: 0}
    assert values(collector, "opt_outs.slowest_of_last_hour_s")[DEFAULT] > 0
    made = [span for span in collector.spans if span.name.startswith(("GET", "PUT", "POST"))]
    assert {span.name for span in made} >= {f"PUT /v3/contacts/{contact_id(1)}"}
    assert all(span.end_time_unix_nano > span.start_time_unix_nano for span in made)
    sent = str(collector.metrics) + str(collector.spans)
    assert "example.com" not in sent
    assert "demo-secret" not in sent


@pytest.mark.usefixtures("switched_on")
def test_an_account_whose_opt_outs_wait_is_not_hidden_by_another(
    eu: Running, connections: pytest.MonkeyPatch, collector: Collector, run_dag: Run, eu_rows: Rows
) -> None:
    eu.control.settings(client_id="demo-api-key")
    connections.setenv(f"AIRFLOW_CONN_{EU_CONN_ID.upper()}", account_connection(eu))
    eu_rows(
        "INSERT INTO crm_opt_out_change (contact_id, do_not_email, changed_at)"
        " VALUES ('c1', TRUE, now() - interval '2 hours')"
    )
    run_dag("constant_contact_lists", account="eu")
    run_dag("constant_contact_lists")
    # StatsD drops the attributes: another account's figure has another name.
    assert values(collector, "eu.opt_outs.oldest_pending_s")["account=eu"] >= 7200
    assert values(collector, "opt_outs.oldest_pending_s") == {DEFAULT: 0}
    # The key is the same, so its day is.
    assert values(collector, "eu.budget.left")["account=eu,lane=opt_outs"] == 999_999
    assert values(collector, "budget.left")[f"{DEFAULT},lane=opt_outs"] == 999_998


@pytest.fixture
def edit_backlog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], None]]:
    """Puts another statement in the place of `opt_outs/backlog`; nothing: takes it away."""
    shutil.copytree(sql.SQL_DIR, tmp_path / "sql")

    def edit(text: str) -> None:
        file = tmp_path / "sql" / "opt_outs.sql"
        backlog = sql.statement("opt_outs/backlog")
        file.write_text(file.read_text().replace(backlog, text and f"-- name: backlog\n{text}"))
        monkeypatch.setattr(sql, "SQL_DIR", tmp_path / "sql")
        sql.statements.cache_clear()

    yield edit
    sql.statements.cache_clear()


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("", "SettingError"),
        ("SELECT opted_out AS opt_outs__pending FROM crm_contact", "SchemaError"),
        ("SELECT NULL AS opt_outs__pending", "TypeError"),
    ],
)
@pytest.mark.usefixtures("switched_on", "connections")
def test_what_cannot_be_measured_stops_no_opt_out(
    edit_backlog: Callable[[str], None],
    add_crm_contact: Callable[..., None],
    set_do_not_email: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    statement: str,
    error: str,
) -> None:
    from constant_contact import measures
    from constant_contact.hooks.constant_contact import ConstantContactHook
    from constant_contact.sensors.outbox import OutboxSensor

    edit_backlog(statement)
    add_crm_contact("c1", "ann@example.com")
    set_do_not_email("c1", True)
    assert OutboxSensor(task_id="waiting", noun="opt_outs").poke({}).is_done
    hook = ConstantContactHook()
    measures.task_ended(hook, None)
    hook.close()
    said = [each.message for each in caplog.records if each.name == "constant_contact.measures"]
    assert said == [f"not everything was measured: {error}"] * 2


def test_nothing_is_sent_where_it_is_switched_off(
    monkeypatch: pytest.MonkeyPatch, collector: Collector, run_dag: Run
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    assert run_dag("constant_contact_lists").state == "success"
    assert collector.requests == 0
