"""One task instance in this process, with the means that `DAG.test()` has for it.

Unlike there, the instance is never SCHEDULED: that is the word by which any scheduler on the
same database takes it up as well.
"""

from typing import Any, Final, cast
from uuid import UUID

from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from airflow.sdk._shared.module_loading import import_string
from airflow.sdk.api.datamodels._generated import TaskInstance as TaskInstanceForTask
from airflow.sdk.execution_time.comms import DeferTask
from airflow.sdk.execution_time.supervisor import (
    InProcessTestSupervisor,
    TaskRunResult,
    run_task_in_process,
)
from airflow.sdk.serde import deserialize, serialize
from airflow.serialization.serialized_objects import create_scheduler_operator
from airflow.utils.session import create_session
from airflow.utils.state import TaskInstanceState
from sqlalchemy import select

# By which Airflow 3.2 asks a person; later ones have a state for that, and go on by themselves.
_ASKING_TRIGGER: Final = "airflow.providers.standard.triggers.hitl.HITLTrigger"


def run_task(instance: TaskInstance, task: Any) -> TaskRunResult:
    """Runs one try, with the waiting of deferrals; the instance then has its new state.

    No run waits for a person here: a task that asks ends its run, and the next run goes on.
    """
    if instance.state == TaskInstanceState.DEFERRED:
        _resume_with_answer(instance)
    while True:
        # what the Execution API wants to see before a task starts
        instance.set_state(TaskInstanceState.QUEUED)
        result = run_task_in_process(
            ti=TaskInstanceForTask(
                id=UUID(str(instance.id)),
                task_id=instance.task_id,
                dag_id=instance.dag_id,
                run_id=instance.run_id,
                try_number=instance.try_number,
                map_index=instance.map_index,
                dag_version_id=UUID(str(instance.dag_version_id)),
            ),
            task=task,
        )
        instance.set_state(result.ti.state)
        instance.task = create_scheduler_operator(result.ti.task)
        if not isinstance(result.msg, DeferTask) or result.msg.classpath == _ASKING_TRIGGER:
            return result
        # not DEFERRED while we wait: a triggerer on the same database would answer as well
        instance.set_state(TaskInstanceState.QUEUED)
        _resume_with(instance, result.msg)


def _resume_with(instance: TaskInstance, deferred: DeferTask) -> None:
    arguments = cast("dict[str, Any]", deserialize(deferred.trigger_kwargs))  # type: ignore[type-var]
    trigger = import_string(deferred.classpath)(**arguments)
    run_trigger: Any = InProcessTestSupervisor.run_trigger_in_process
    event = run_trigger(trigger=trigger, ti=instance)
    instance.next_method = deferred.next_method
    instance.next_kwargs = {"event": serialize(event.payload)} if event else deferred.next_kwargs
    with create_session() as session:
        session.merge(instance)


def _resume_with_answer(instance: TaskInstance) -> None:
    """Do what the trigger does that asks a person: it needs a triggerer to find the answer."""
    with create_session() as session:
        asked = session.scalars(select(HITLDetail).where(HITLDetail.ti_id == instance.id)).one()
        answer = {
            "chosen_options": asked.chosen_options,
            "params_input": asked.params_input,
            "responded_at": asked.responded_at,
            "responded_by_user": asked.responded_by_user,
            "timedout": False,
        }
        instance.next_kwargs = {"event": serialize(answer)}
        session.merge(instance)
