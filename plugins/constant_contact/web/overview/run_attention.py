"""What of the syncs' runs needs a person: pauses, failures, and values that are not known."""

from collections.abc import Sequence

from airflow.utils.state import DagRunState

from constant_contact.web.overview.attention import Line
from constant_contact.web.overview.syncs import Row


def of_runs(rows: Sequence[Row]) -> list[Line]:
    """DAGs that are paused or whose last run failed, and unknown values that the runs shown met."""
    return [
        line
        for row in rows
        for line in (
            *_of_pause(row),
            *_of_failure(row),
            *_of_unknown_types(row),
            *_of_unknown_values(row),
        )
    ]


def _of_pause(row: Row) -> list[Line]:
    sync = row.sync
    if not (row.is_paused and sync.stands_still):
        return []
    said = f"{sync.title} is paused, so {sync.stands_still}: "
    if row.may_edit:
        path = f"/runs/{sync.noun}/unpause"
        return [Line(f"{said}unpause it.", path, f"Unpause {sync.title}", is_form=True)]
    return [
        Line(
            f"{said}ask for it to be unpaused.",
            f"/dags/{sync.dag_id}",
            f"Open {sync.noun}",
            is_airflows=True,
        )
    ]


def _of_failure(row: Row) -> list[Line]:
    run = row.last_ended
    if run is None or run.state != DagRunState.FAILED:
        return []
    return [
        Line(
            f"The last run of {row.sync.dag_id} failed: the last line of the failed task's log "
            # No schedule brings a run that works, and this line would stay for ever.
            f"says what to do{'' if row.next_run else '; a run you do not need can be deleted'}.",
            row.path_of(run),
            "Open the run",
            is_airflows=True,
        )
    ]


def _of_unknown_types(row: Row) -> list[Line]:
    unknown = {
        kind
        for run in row.runs
        for report in run.reports.values()
        for kind in report.get("unknown_types") or ()
    }
    if not unknown:
        return []
    return [
        Line(
            f"Constant Contact reports engagement of types that are not known here "
            f"({', '.join(sorted(unknown))}); it is kept under the type of its report. Look for a "
            "newer version of this package.",
            row.path_of(row.runs[0]),
            "Open the run",
            is_airflows=True,
        )
    ]


def _of_unknown_values(row: Row) -> list[Line]:
    run = row.last_ended
    reports = run.reports.values() if run else ()
    unknown = {value for report in reports for value in report.get("unknown_values") or ()}
    if run is None or not unknown:
        return []
    return [
        Line(
            f"Constant Contact says what is not known here ({', '.join(sorted(unknown))}); what "
            "says so is read and kept all the same. Look for a newer version of this package.",
            row.path_of(run),
            "Open the run",
            is_airflows=True,
        )
    ]
