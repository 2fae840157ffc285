"""What Airflow makes of dags/: quick to read, complete, documented."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from constant_contact.store.sql import statement
from tests.airflow.airflow_runs import ROOT

DAGS = {
    "constant_contact_lists": "30 0 * * *",
    "constant_contact_contacts": "0 1 * * *",
    "constant_contact_activities": "0 2 * * *",
    "constant_contact_retention": "30 3 * * *",
    "constant_contact_opt_outs": None,
    "constant_contact_approvals": None,
    "constant_contact_opt_ins": None,
    "constant_contact_list_memberships": None,
    "constant_contact_bulk_memberships": None,
    "constant_contact_erasure": None,
    "constant_contact_after_restore": None,
    "constant_contact_check": None,
}

# the comment has the word without which Airflow does not look into a file
TWO_LINES = """\
from constant_contact.dags import make_dags  # for Airflow
globals().update(make_dags())
"""
FILE_FIELDS = {"fileloc", "relative_fileloc", "_processor_dags_folder"}


def shape(dag: Any) -> Any:
    """All that Airflow stores of a DAG, but where its file is."""
    from airflow.serialization.serialized_objects import DagSerialization

    data = DagSerialization.to_dict(dag)["dag"]
    return {key: value for key, value in data.items() if key not in FILE_FIELDS}


@pytest.fixture(scope="module")
def dags(airflow: pytest.MonkeyPatch) -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(ROOT / "dags")
    assert bag.import_errors == {}
    return dict(bag.dags)


def test_the_dags_are_these(dags: dict[str, Any]) -> None:
    assert dags.keys() == DAGS.keys()


def test_a_file_of_two_lines_in_a_folder_of_somebody_elses_has_the_same_dags(
    dags: dict[str, Any], tmp_path: Path
) -> None:
    from airflow.dag_processing.dagbag import DagBag

    (tmp_path / "ours.py").write_text(TWO_LINES)
    bag = DagBag(tmp_path)
    assert bag.import_errors == {}
    theirs = {dag_id: shape(dag) for dag_id, dag in bag.dags.items()}
    assert theirs == {dag_id: shape(dag) for dag_id, dag in dags.items()}


@pytest.mark.parametrize(("dag_id", "cron"), [(d, c) for d, c in DAGS.items() if c])
def test_a_nightly_run_covers_the_day_before_it(
    dags: dict[str, Any], dag_id: str, cron: str
) -> None:
    timetable = dags[dag_id].timetable
    assert type(timetable).__name__ == "CronDataIntervalTimetable"
    assert timetable.expression == cron
    assert str(timetable.timezone) == "UTC"


@pytest.mark.parametrize(
    ("dag_id", "assets"),
    [
        ("constant_contact_opt_outs", {"crm_opt_out_change"}),
        ("constant_contact_list_memberships", {"crm_list_membership", "crm_contact"}),
    ],
)
def test_rows_in_the_crm_wake_a_dag_and_so_does_the_clock(
    dags: dict[str, Any], dag_id: str, assets: set[str]
) -> None:
    timetable = dags[dag_id].timetable
    assert type(timetable).__name__ == "AssetOrTimeSchedule"
    woken_by = {asset.name: asset for asset in timetable.asset_condition.objects}
    assert woken_by.keys() == assets
    (watched,) = (name for name, asset in woken_by.items() if asset.watchers)
    (watcher,) = woken_by[watched].watchers
    assert watched in statement(watcher.trigger.statement)


@pytest.mark.parametrize("dag_id", DAGS)
def test_a_dag_is_documented_tagged_owned_and_tried_again(
    dags: dict[str, Any], dag_id: str
) -> None:
    dag = dags[dag_id]
    assert "**When it fails**" in dag.doc_md
    assert "**By hand**" in dag.doc_md
    assert all(f"`{name}`" in dag.doc_md for name in dag.params)
    assert all(dag.params.get_param(name).description for name in dag.params)
    assert "constant_contact" in dag.tags
    assert not dag.catchup
    for task in dag.tasks:
        assert task.owner == "constant_contact"
        # A check may write at Constant Contact, which wants a person's yes each time.
        assert (task.retries > 0) is (dag_id != "constant_contact_check")
        # Only a person may take as long as they like.
        assert task.execution_timeout or task.task_type == "HITLOperator"


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("TIMEZONE", "Mars/Olympus", "[constant_contact] timezone"),
        ("ON_FAILURE_CALLBACK", "nowhere.to_be_found", "[constant_contact] on_failure_callback"),
        ("DEADLINE_MINUTES", "soon", "[constant_contact] deadline_minutes"),
        ("ON_DEADLINE_CALLBACK", "json.dumps", "[constant_contact] on_deadline_callback"),
    ],
)
def test_a_wrong_option_is_named(
    airflow: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch, option: str, value: str, says: str
) -> None:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv(f"AIRFLOW__CONSTANT_CONTACT__{option}", value)
    bag = DagBag(ROOT / "dags" / "constant_contact_lists.py")
    (error,) = bag.import_errors.values()
    assert says in error


def test_another_airflow_is_warned_of_and_has_the_dags(
    airflow: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setattr("constant_contact.airflow_versions.version", "3.5.0")
    bag = DagBag(ROOT / "dags" / "constant_contact_lists.py")
    assert bag.dags.keys() == {"constant_contact_lists"}
    ((warning,),) = bag.captured_warnings.values()
    assert "tried with Airflow 3.2, 3.3, 3.4, not with 3.5.0" in warning


def test_the_schedule_follows_the_configured_zone(
    airflow: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("AIRFLOW__CONSTANT_CONTACT__TIMEZONE", "Australia/Sydney")
    monkeypatch.setenv("AIRFLOW__CONSTANT_CONTACT__ON_FAILURE_CALLBACK", "json.dumps")
    bag = DagBag(ROOT / "dags" / "constant_contact_lists.py")
    dag = bag.dags["constant_contact_lists"]
    assert str(dag.timetable.timezone) == "Australia/Sydney"
    assert dag.on_failure_callback


IMPORT_ALL = """
import socket, sys, time
import airflow.sdk, airflow.providers.http.hooks.http, airflow.providers.postgres.hooks.postgres
import airflow.triggers.base
def refuse(*_):
    raise AssertionError("a DAG file reached for the network")
socket.socket.connect = refuse
began = time.perf_counter()
import importlib.util
for path in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("dag_file", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
print(time.perf_counter() - began)
"""


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], check=False, capture_output=True, text=True
    )


def test_importing_the_dag_files_reaches_for_no_network_and_no_database(
    airflow: pytest.MonkeyPatch,
) -> None:
    files = [str(path) for path in sorted((ROOT / "dags").glob("*.py"))]
    done = run_python(IMPORT_ALL, *files)
    assert done.returncode == 0, done.stderr
    # The figure itself is the bench's business; this only says that it can be had.
    assert float(done.stdout.splitlines()[-1]) > 0


def test_folder_and_entry_point_register_the_plugin_once(airflow: pytest.MonkeyPatch) -> None:
    code = (
        "from airflow.plugins_manager import get_plugin_info, get_import_errors\n"
        "names = [plugin['name'] for plugin in get_plugin_info()]\n"
        "print(names.count('constant_contact'), get_import_errors())"
    )
    done = run_python(code)
    assert done.stdout.splitlines()[-1] == "1 {}", done.stderr[-2000:]


IMPORT_EACH = """
import os, runpy, sys
import airflow.sdk, airflow.providers.http.hooks.http, airflow.providers.postgres.hooks.postgres
import airflow.providers.standard.operators.hitl, airflow.triggers.base
for name in [name for name in sys.modules if name.startswith("constant_contact")]:
    del sys.modules[name]
failed = []
for path in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        runpy.run_path(path, run_name="__main__")
        sys.exit()
    if os.waitpid(child, 0)[1]:
        failed.append(path)
sys.exit(f"{failed} cannot be imported" if failed else 0)
"""


@pytest.mark.slow
def test_each_file_of_dags_is_imported_by_itself_in_a_process_of_its_own(
    airflow: pytest.MonkeyPatch,
) -> None:
    """Each is forked from one that has loaded Airflow, which takes seconds, and nothing of ours."""
    files = [str(path) for path in sorted((ROOT / "dags").glob("*.py"))]
    done = run_python(IMPORT_EACH, *files)
    assert done.returncode == 0, done.stderr
