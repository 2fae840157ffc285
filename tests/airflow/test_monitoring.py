"""Alert rules, dashboard and StatsD mapping name the metrics that the tasks send."""

import itertools
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from local.paths import ROOT
from tests.airflow.airflow_runs import Ran
from tests.airflow.collector import Collector
from tests.airflow.test_measures import collector, switched_on
from tests.support import Rows

__all__ = ["collector", "switched_on"]

OTHER_ACCOUNT = "([a-z0-9]+_)?"
ALERTS: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())
MAPPING: dict[str, Any] = yaml.safe_load(
    (ROOT / "deploy/prometheus/statsd_mapping.yaml").read_text()
)
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/constant_contact.json").read_text())
ALERT_EXPRESSIONS = [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]]
PANEL_EXPRESSIONS = [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
] + [DASHBOARD["templating"]["list"][1]["query"]["query"]]


def named(expression: str) -> set[str]:
    """The metrics of an expression: each a name, or a pattern without alternatives."""
    patterns = re.findall(r'__name__=~"([^"]+)"', expression)
    names = re.findall(r"(?<![\"\w])airflow_\w+", expression)
    found = set(names)
    for pattern in patterns:
        parts = re.split(r"\(([^()]*\|[^()]*)\)", pattern.replace(OTHER_ACCOUNT, ""))
        choices = [part.split("|") if at % 2 else [part] for at, part in enumerate(parts)]
        found |= {"".join(chosen) for chosen in itertools.product(*choices)}
    return found


def in_prometheus(name: str, kind: str) -> set[str]:
    """What OpenTelemetry's way to Prometheus, or statsd_exporter by our mapping, makes of one.

    Airflow's histograms are exponential: native ones of Prometheus, without buckets of their own.
    """
    flat = re.sub(r"[^a-zA-Z0-9]", "_", name)
    if kind == "exponential_histogram":
        return {f"{flat}_milliseconds", f"{flat}_seconds_bucket"}
    return {f"{flat}_total" if kind == "sum" else flat}


@pytest.fixture
def sent(
    switched_on: None,
    collector: Collector,
    run_dag: Callable[..., Ran],
    sql_rows: Rows,
) -> dict[str, str]:
    """The metrics of ours that a run sends, with their kinds."""
    from opentelemetry import trace

    sql_rows("INSERT INTO crm_opt_out_change (contact_id, do_not_email) VALUES ('c1', TRUE)")
    run_dag("constant_contact_lists")
    run_dag("constant_contact_opt_outs")
    trace.get_tracer_provider().force_flush()  # type: ignore[attr-defined]
    ours = {k: v for k, v in collector.kinds.items() if k.startswith("airflow.constant_contact.")}
    assert {"airflow.constant_contact.calls", "airflow.constant_contact.rows"} <= ours.keys()
    return ours


def test_what_is_alarmed_on_and_shown_is_sent_and_all_gauges_are_shown(
    sent: dict[str, str],
) -> None:
    there = set().union(*(in_prometheus(name, kind) for name, kind in sent.items()))
    for expression in (*ALERT_EXPRESSIONS, *PANEL_EXPRESSIONS):
        assert named(expression), expression
        for name in named(expression):
            assert any(re.fullmatch(name, each) for each in there), name
    shown = set().union(*map(named, PANEL_EXPRESSIONS))
    gauges = [name for name, kind in sent.items() if kind == "gauge"]
    unseen = {name for name in gauges if not in_prometheus(name, "gauge") & shown}
    assert unseen == set()


def test_the_mapping_of_statsd_gives_the_same_names_and_the_account(sent: dict[str, str]) -> None:
    for name, kind in sent.items():
        assert mapped(name)[0] in {
            each.removesuffix("_bucket") for each in in_prometheus(name, kind)
        }
        if kind == "gauge":
            of_eu = name.replace("airflow.constant_contact.", "airflow.constant_contact.eu.")
            assert mapped(name) == (in_prometheus(name, kind).pop(), "default")
            assert mapped(of_eu) == (in_prometheus(name, kind).pop(), "eu")


def mapped(name: str) -> tuple[str, str]:
    """The name and the account that statsd_exporter makes of a name: a star is one part of it."""
    for rule in MAPPING["mappings"]:
        pattern = re.escape(rule["match"]).replace(r"\*", "([^.]+)")
        if fits := re.fullmatch(pattern, name):

            def filled(text: str, fits: re.Match[str] = fits) -> str:
                return re.sub(r"\$\{(\d)\}", lambda number: fits[int(number[1])], text)

            return filled(rule["name"]), filled(rule.get("labels", {}).get("account", ""))
    raise AssertionError(f"no rule for {name}")


def test_each_alert_says_what_is_wrong_and_what_to_do() -> None:
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "description"}
