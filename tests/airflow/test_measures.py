"""Metrics and traces, by Airflow's own means, as a collector receives them."""

import atexit
from collections.abc import Callable, Iterator

import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import Ran
from tests.airflow.collector import Collector, collecting
from tests.support import contact_id, vendor_contact

Run = Callable[..., Ran]


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
    from airflow.sdk.observability import stats
    from airflow.sdk.observability.metrics import stats_utils
    from opentelemetry import metrics, trace

    monkeypatch.setenv("AIRFLOW__METRICS__OTEL_ON", "True")
    monkeypatch.setenv("AIRFLOW__TRACES__OTEL_ON", "True")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp_proto_http")
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    configure_otel(conf)
    yield
    # other tests are measured by nobody
    trace.get_tracer_provider().shutdown()
    metrics.get_meter_provider().shutdown()
    atexit.unregister(flush_otel_metrics)
    monkeypatch.undo()
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)


def values(collector: Collector, name: str) -> dict[str, float]:
    """A metric's values by one of its attributes."""
    return {
        ",".join(f"{each.key}={each.value.string_value}" for each in point.attributes): (
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
    task = "dag_id=constant_contact_opt_outs,task_id=opt_outs"
    assert values(collector, "calls") == {f"{task},outcome=2xx": 3}
    assert values(collector, "rows")[f"{task},kind=unsubscribed"] == 1
    assert values(collector, "budget.left")["lane=engagement"] < 800_000
    assert values(collector, "opt_outs.pending") == {"": 0}
    assert values(collector, "opt_outs.slowest_of_last_hour_s")[""] > 0
    made = [span for span in collector.spans if span.name.startswith(("GET", "PUT", "POST"))]
    assert {span.name for span in made} >= {f"PUT /v3/contacts/{contact_id(1)}"}
    assert all(span.end_time_unix_nano > span.start_time_unix_nano for span in made)
    sent = str(collector.metrics) + str(collector.spans)
    assert "example.com" not in sent
    assert "demo-secret" not in sent


def test_nothing_is_sent_where_it_is_switched_off(
    monkeypatch: pytest.MonkeyPatch, collector: Collector, run_dag: Run
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    assert run_dag("constant_contact_lists").state == "success"
    assert collector.requests == 0
