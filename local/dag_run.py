"""One DAG run in this process: the scheduler's decisions, taken in the foreground.

Airflow's own `DAG.test()` is the model, and its way to run one task is used as it is. It is not
used as a whole, because it

- deletes a run of the same logical date that is there already, the history of a real one,
- waits for whatever a task waits for, were it midnight or a person,
- gives no hint why a run failed,
- shares its run with every scheduler on the same database, so that both run its tasks.
"""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airflow.exceptions import ParamValidationError
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.taskreschedule import TaskReschedule
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, State, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from constant_contact.airflow_versions import ASKING
from local.locks import is_locked, locked
from local.paths import LOCAL
from local.run_date import When
from local.stop import USAGE, Stop, one_line
from local.task_run import run_task
from local.terminal import Terminal

# A scheduler picks up runs that are due. Ours never is while we run it.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
# a sensor's poke interval is worth waiting for, a vendor's next day is not
PATIENCE_S = 60
_ALIVE = LOCAL / "airflow" / "runs"


@dataclass(frozen=True)
class Outcome:
    """How a run ended; `waits` is why and until when, for one that goes on later."""

    run_id: str
    state: DagRunState
    reason: str = ""
    waits: str = ""


class ForegroundRun:
    """Runs one DAG to its end, or to where it has to wait for longer than one would sit."""

    def __init__(self, dag: DAG, when: When, conf: dict[str, Any], terminal: Terminal) -> None:
        self.dag = dag
        self.when = when
        self.conf = conf
        self.terminal = terminal
        now = datetime.now(UTC)
        self.run_id = f"manual__{now:%Y-%m-%dT%H:%M:%S.%f}+00:00_{secrets.token_hex(2)}"
        self._errors: dict[str, BaseException] = {}
        self._waiting_for: dict[Any, str] = {}

    def execute(self) -> Outcome:
        """Returns when nothing is left to do now.

        Raises:
            Stop: the conf does not fit the DAG's params.
            KeyboardInterrupt: Ctrl-C; the run is marked as failed.
        """
        with locked(_ALIVE / f"{self.run_id}.lock"), create_session() as session:
            run = self._create(session)
            self.terminal.say(f"{self.dag.dag_id} starts, {_span(self.when)}run {self.run_id}")
            try:
                outcome = self._loop(run, session)
            except BaseException:
                session.rollback()
                _abandon(self.run_id, session)
                raise
            # for schedulers to carry on with, or just for the record
            _make_due(self.run_id, session)
        (_ALIVE / f"{self.run_id}.lock").unlink(missing_ok=True)
        return outcome

    def _create(self, session: Session) -> DagRun:
        dag: Any = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(self.dag))
        # serialized DAGs carry no code; update_state() calls these
        dag.on_success_callback = self.dag.on_success_callback
        dag.on_failure_callback = self.dag.on_failure_callback
        try:
            run: DagRun = dag.create_dagrun(
                run_id=self.run_id,
                logical_date=self.when.logical_date,
                data_interval=self.when.interval,
                run_after=NEVER,
                start_date=datetime.now(UTC),
                conf=self.conf,
                run_type=DagRunType.MANUAL,
                state=DagRunState.RUNNING,
                triggered_by=DagRunTriggeredByType.CLI,
                triggering_user_name="make run",
                session=session,
            )
        except (ParamValidationError, ValueError) as error:
            raise Stop(f"CONF does not fit {self.dag.dag_id}: {one_line(error)}", USAGE) from error
        session.commit()
        return run

    def _loop(self, run: DagRun, session: Session) -> Outcome:
        while run.state == DagRunState.RUNNING:
            session.expire_all()
            ready, _ = run.update_state(session=session)
            for instance in ready:
                if instance.state != TaskInstanceState.UP_FOR_RESCHEDULE:
                    instance.try_number += 1
                # not SCHEDULED, see task_run
                instance.state = TaskInstanceState.QUEUED
                instance.scheduled_dttm = datetime.now(UTC)
            session.commit()
            for instance in ready:
                self._run(instance)
            if not ready and run.state == DagRunState.RUNNING:
                if waits := self._waits(run.get_task_instances(session=session), session):
                    return Outcome(self.run_id, run.state, waits=waits)
                time.sleep(0.5)
            if self._timed_out(run):
                session.commit()
                _abandon(self.run_id, session)
                return Outcome(self.run_id, DagRunState.FAILED, "its dagrun_timeout has passed")
        return Outcome(self.run_id, run.state, self._reason(run, session))

    def _run(self, instance: TaskInstance) -> None:
        label = _label(instance)
        with self.terminal.task(label):
            error = self._outcome_of(instance)
            said = self.terminal.last_message
        if isinstance(error, KeyboardInterrupt):
            raise error  # Airflow takes it for one more way to fail, and would retry
        if error is not None:
            self._errors[label] = error
        self._waiting_for[instance.id] = said
        if instance.state == TaskInstanceState.UP_FOR_RETRY and error is not None:
            self._retry_or_fail(instance, label, error)

    def _retry_or_fail(self, instance: TaskInstance, label: str, error: BaseException) -> None:
        """A retry within our patience is waited for; one of a night's is a failure here."""
        due: datetime = instance.next_retry_datetime()  # type: ignore[no-untyped-call]
        wait_s = (due - datetime.now(UTC)).total_seconds()
        if wait_s > PATIENCE_S:
            instance.set_state(TaskInstanceState.FAILED)
            self.terminal.say(
                f"{label} is not tried again here; a scheduled run tries in {wait_s:.0f} s"
            )
            return
        self.terminal.say(
            f"{label} will be tried again ({instance.try_number} of {instance.max_tries + 1}"
            f" tries done): {one_line(error)}"
        )

    def _outcome_of(self, instance: TaskInstance) -> BaseException | None:
        try:
            return run_task(instance, self.dag.task_dict[instance.task_id]).error
        except Exception as error:  # noqa: BLE001 (whatever it is, it is the run's reason)
            # not the task: Airflow could not run it, say for a trigger that does not import
            instance.set_state(TaskInstanceState.FAILED)
            self.terminal.log("airflow", "error", {"event": "the task could not run"}, error)
            return error

    def _waits(self, instances: list[TaskInstance], session: Session) -> str:
        """Why and until when the run waits, or nothing when it goes on within our patience."""
        open_ = [each for each in instances if each.state not in State.finished]
        for instance in open_:
            if instance.state in ASKING:
                return (
                    f"{_label(instance)} waits for a person's answer: `make up`, then Required"
                    " Actions in the UI; there it goes on"
                )
            if instance.state == TaskInstanceState.UP_FOR_RESCHEDULE:
                until = session.scalar(
                    select(func.max(TaskReschedule.reschedule_date)).where(
                        TaskReschedule.ti_id == instance.id
                    )
                )
                if until and (until - datetime.now(UTC)).total_seconds() > PATIENCE_S:
                    why = self._waiting_for.get(instance.id) or "the task asked for it"
                    return f"{_label(instance)} goes on after {until:%Y-%m-%d %H:%M:%S} UTC: {why}"
        return ""

    def _timed_out(self, run: DagRun) -> bool:
        limit = self.dag.dagrun_timeout
        if limit is None or run.state != DagRunState.RUNNING or run.start_date is None:
            return False
        return bool(datetime.now(UTC) - run.start_date > limit)

    def _reason(self, run: DagRun, session: Session) -> str:
        if run.state == DagRunState.SUCCESS:
            return ""
        for instance in run.get_task_instances(session=session):
            if instance.state == TaskInstanceState.FAILED:
                label = _label(instance)
                error = self._errors.get(label)
                return f"{label}: {one_line(error) if error else 'see the log'}"
        return "no task failed, but not all could run: see the log"


def abandon_orphans() -> None:
    """Marks as failed what was killed: its process is gone, and no scheduler would find it."""
    with create_session() as session:
        query = select(DagRun.run_id).where(
            DagRun.run_after == NEVER, DagRun.state == DagRunState.RUNNING
        )
        for run_id in session.scalars(query).all():
            alive = _ALIVE / f"{run_id}.lock"
            if not is_locked(alive):
                _abandon(run_id, session)
                alive.unlink(missing_ok=True)


# By statement, not by object: tasks in this process commit and close the session that they share
# with us, and what was loaded before is then no longer part of it.


def _abandon(run_id: str, session: Session) -> None:
    now = datetime.now(UTC)
    unfinished = TaskInstance.state.is_(None) | TaskInstance.state.not_in(State.finished)
    session.execute(
        update(TaskInstance)
        .where(TaskInstance.run_id == run_id, unfinished)
        .values(state=TaskInstanceState.FAILED, end_date=now)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(DagRun)
        .where(DagRun.run_id == run_id)
        .values(state=DagRunState.FAILED, end_date=now)
        .execution_options(synchronize_session=False)
    )
    _make_due(run_id, session)


def _make_due(run_id: str, session: Session) -> None:
    session.execute(
        update(DagRun)
        .where(DagRun.run_id == run_id)
        .values(run_after=func.coalesce(DagRun.start_date, func.now()))
        .execution_options(synchronize_session=False)
    )
    session.commit()


def _label(instance: TaskInstance) -> str:
    return (
        instance.task_id if instance.map_index < 0 else f"{instance.task_id}[{instance.map_index}]"
    )


def _span(when: When) -> str:
    if when.interval is None or when.interval.start == when.interval.end:
        return ""
    return f"{when.interval.start:%Y-%m-%d %H:%M} to {when.interval.end:%Y-%m-%d %H:%M} UTC, "
