"""Tasks that wait for the day's calls: their note, and how they go on when the plan is raised.

A task can say until when it waits, but Airflow lets it neither write its own note nor wake another
task. The api-server can: every task's word and every edit of a connection pass through it. So it
copies the reason that a task left as an XCom into the task instance's note, takes it away when the
task goes on, and lets the waiting ones try again as soon as a connection of our type is
edited. One that finds the day still spent goes back to waiting, at no call.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from airflow.models.connection import Connection
from airflow.models.log import Log
from airflow.models.taskinstance import TaskInstance, TaskInstanceNote
from airflow.models.taskreschedule import TaskReschedule
from airflow.models.xcom import XComModel
from airflow.utils.state import TaskInstanceState
from sqlalchemy import Connection as DatabaseConnection
from sqlalchemy import Select, and_, delete, event, insert, select, update
from sqlalchemy.orm import Session

from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import WAITING_KEY

_log = logging.getLogger("constant_contact.web")
_NOTE_CHARS = 1000
_MOST_SHOWN = 50


class Waiting(NamedTuple):
    """A task instance that waits, and its reason as its log has it."""

    dag_id: str
    run_id: str
    task_id: str
    reason: str


def follow() -> None:
    """Watch, from now on, what passes through this api-server."""
    for model, name, watch in (
        (TaskReschedule, "after_insert", _write_note),
        (Log, "after_insert", _forget_note),
        (Connection, "after_update", _wake),
    ):
        if not event.contains(model, name, watch):
            event.listen(model, name, watch)


def waiting_tasks(session: Session, dag_ids: Iterable[str]) -> list[Waiting]:
    """Who of these DAGs waits now, the longest-waiting first."""
    rows = session.execute(
        _of_waiting(TaskInstance.dag_id, TaskInstance.run_id, TaskInstance.task_id, XComModel.value)
        .where(
            TaskInstance.dag_id.in_(dag_ids),
            TaskInstance.state == TaskInstanceState.UP_FOR_RESCHEDULE,
        )
        .order_by(XComModel.timestamp)
        .limit(_MOST_SHOWN)
    )
    return [Waiting(dag_id, run_id, task_id, str(said)) for dag_id, run_id, task_id, said in rows]


def _of_waiting(*columns: Any) -> Select[Any]:
    """Columns of the task instances that left a reason."""
    return select(*columns).join_from(
        TaskInstance,
        XComModel,
        and_(
            XComModel.dag_id == TaskInstance.dag_id,
            XComModel.run_id == TaskInstance.run_id,
            XComModel.task_id == TaskInstance.task_id,
            XComModel.map_index == TaskInstance.map_index,
            XComModel.key == WAITING_KEY,
        ),
    )


def _write_note(_mapper: Any, connection: DatabaseConnection, rescheduled: TaskReschedule) -> None:
    with _harmless(connection, "the note of a waiting task was not written"):
        said = connection.scalar(
            _of_waiting(XComModel.value).where(TaskInstance.id == rescheduled.ti_id)
        )
        if said is None:
            return
        now = datetime.now(UTC)
        ours = (TaskInstanceNote.ti_id == rescheduled.ti_id, TaskInstanceNote.user_id.is_(None))
        connection.execute(delete(TaskInstanceNote).where(*ours))
        if connection.scalar(
            select(TaskInstanceNote.ti_id).where(TaskInstanceNote.ti_id == rescheduled.ti_id)
        ):
            # A person's own note stays.
            return
        connection.execute(
            insert(TaskInstanceNote).values(
                ti_id=rescheduled.ti_id,
                content=str(said)[:_NOTE_CHARS],
                created_at=now,
                updated_at=now,
            )
        )


def _forget_note(_mapper: Any, connection: DatabaseConnection, said: Log) -> None:
    # The task clears its XCom only after Airflow has kept that it runs: it is there if it waited.
    if said.event != TaskInstanceState.RUNNING:
        return
    with _harmless(connection, "the note of a task that goes on was not taken away"):
        waited = _of_waiting(TaskInstance.id).where(
            TaskInstance.dag_id == said.dag_id,
            TaskInstance.run_id == said.run_id,
            TaskInstance.task_id == said.task_id,
            TaskInstance.map_index == said.map_index,
        )
        ours = (TaskInstanceNote.ti_id.in_(waited), TaskInstanceNote.user_id.is_(None))
        connection.execute(delete(TaskInstanceNote).where(*ours))


def _wake(_mapper: Any, connection: DatabaseConnection, edited: Connection) -> None:
    if edited.conn_type != ConstantContactHook.conn_type:
        return
    with _harmless(connection, "tasks that wait were not woken"):
        now = datetime.now(UTC)
        woken = _of_waiting(TaskInstance.id).where(
            TaskInstance.state == TaskInstanceState.UP_FOR_RESCHEDULE
        )
        connection.execute(
            update(TaskReschedule)
            .where(TaskReschedule.reschedule_date > now, TaskReschedule.ti_id.in_(woken))
            .values(reschedule_date=now)
        )


@contextmanager
def _harmless(connection: DatabaseConnection, loss: str) -> Iterator[None]:
    """Whatever goes wrong here, Airflow's own statement goes through."""
    try:
        with connection.begin_nested():
            yield
    except Exception:  # noqa: BLE001 - whatever it is, it is ours and not Airflow's
        _log.exception("%s", loss)
