"""What all operators of this package share: the hook, the report, and what an error means."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
)

from constant_contact import measures
from constant_contact.errors import ConstantContactError, Fatal, Later, SettingError
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.hooks.crm import DEFAULT_CRM_CONN_ID
from constant_contact.lineage import operator_lineage
from constant_contact.params import flag
from constant_contact.redact import told_by
from constant_contact.store.api_calls import Caller
from constant_contact.store.budget import day
from constant_contact.sync.report import Report

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

# The XCom that says why a task waits, for as long as it does: Airflow clears it when it goes on.
WAITING_KEY = "constant_contact_waiting"


class ConstantContactOperator(BaseOperator):
    """Runs one job of `constant_contact.sync`; its report becomes the task's return value.

    Args:
        constant_contact_conn_id: The account.
        crm_conn_id: The CRM database.
        refuses_unknown_params: Fail on a run's conf that names a param which the DAG has not, as
            the DAGs of this package do: a misspelt `dry_run` would change things.
    """

    lane: ClassVar[str] = "engagement"
    template_fields: Sequence[str] = ("constant_contact_conn_id", "crm_conn_id")
    ui_color = "#e3effd"

    def __init__(
        self,
        *,
        constant_contact_conn_id: str = ConstantContactHook.default_conn_name,
        crm_conn_id: str = DEFAULT_CRM_CONN_ID,
        refuses_unknown_params: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.constant_contact_conn_id = constant_contact_conn_id
        self.crm_conn_id = crm_conn_id
        self.refuses_unknown_params = refuses_unknown_params

    @abstractmethod
    def sync(self, hook: ConstantContactHook, context: Context) -> Report:
        """Run the job. Each operator has its own."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the job and tell what it did.

        Raises:
            AirflowRescheduleException: Goes on later by itself; no retry is used up.
            AirflowFailException: A person must act; a retry would change nothing.
            AirflowException: May work at the next try.
        """
        hook = ConstantContactHook(
            self.constant_contact_conn_id, self.crm_conn_id, self.lane, _caller(context)
        )
        report: Report | None = None
        with self._translated(context), closing(hook):
            if self.refuses_unknown_params:
                _know_params(context)
            try:
                report = self.sync(hook, context)
            finally:
                measures.task_ended(hook, report)
                self._tell_calls(hook)
        self.log.info("%s: %s", self.task_id, report)
        return report.as_dict()

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> "OperatorLineage[Any, Any]":
        """Return the tables that the task read and filled; OpenLineage's provider asks."""
        return operator_lineage(self.crm_conn_id, self.inlets, self.outlets)

    def _tell_calls(self, hook: ConstantContactHook) -> None:
        """What the task cost; never fails it."""
        made = hook.tally
        if not made.calls:
            return
        try:
            today = day(hook.budget_crm, hook.settings)
            used = f"{today.calls:,} of the day's {today.plan.calls_per_day:,} are used"
        except (ConstantContactError, psycopg.Error):
            used = "how many of the day's are used cannot be asked now"
        failed = f", {made.failed:,} of them without success" if made.failed else ""
        self.log.info(
            "%s: API calls: %s in this try%s; %s", self.task_id, f"{made.calls:,}", failed, used
        )

    @contextmanager
    def _translated(self, context: Context) -> Iterator[None]:
        """Turn our errors into Airflow's; the line for a person stands before any trace."""
        try:
            yield
        except Later as error:
            self.log.warning("%s", error)
            context["ti"].xcom_push(key=WAITING_KEY, value=str(error))
            raise AirflowRescheduleException(  # type: ignore[no-untyped-call]
                error.resume_at_utc
            ) from None
        except Fatal as error:
            self.log.error("%s", error)  # noqa: TRY400 - the line, no trace
            raise AirflowFailException(str(error)) from None
        except ConstantContactError as error:
            self.log.error("%s", error)  # noqa: TRY400 - the line, no trace
            raise AirflowException(str(error)) from None
        except psycopg.Error as error:
            said = told_by(error)
            line = f"connection {self.crm_conn_id}: PostgreSQL refused a statement: {said}"
            self.log.error("%s", line)  # noqa: TRY400 - the line, no trace
            # Without the driver's own text: it may quote the row.
            raise AirflowException(line) from None


class DryRunOperator(ConstantContactOperator):
    """Runs a job that can tell what it would do.

    Args:
        is_dry_run: Tell it, and change nothing (templated).
    """

    template_fields: Sequence[str] = (*ConstantContactOperator.template_fields, "is_dry_run")

    def __init__(self, *, is_dry_run: Any = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_dry_run = is_dry_run

    def begin_dry_run(self) -> bool:
        """Return whether this is a dry run, and log it: the report reads as if all were done.

        Raises:
            SettingError: The param is neither true nor false.
        """
        is_dry_run = flag("dry_run", self.is_dry_run)
        if is_dry_run:
            self.log.info("a dry run: what follows is what would be done, and nothing is changed")
        return is_dry_run


def _know_params(context: Context) -> None:
    """Refuse a conf with a param that the DAG has not.

    Raises:
        SettingError: There is one; names it, and those that there are.
    """
    known = list(context["dag"].params)
    unknown = [name for name in context["dag_run"].conf or {} if name not in known]
    if unknown:
        there_are = f"it has {', '.join(known)}" if known else "it has none"
        raise SettingError(
            f"param {unknown[0]}", f"{context['dag'].dag_id} has no such param; {there_are}"
        )


def person(context: Context) -> str:
    """Who started this run, for the record: a user of Airflow, else the run."""
    run = context["dag_run"]
    return getattr(run, "triggering_user_name", None) or f"run {run.run_id}"


def runs_for_its_interval(context: Context) -> bool:
    """Whether the run is there for a span of days; one by hand wants all that is new."""
    return context["dag_run"].run_type in ("scheduled", "backfill")


def is_backfill(context: Context) -> bool:
    """Whether `airflow backfill create`, the UI's or the REST API's made this run."""
    return context["dag_run"].run_type == "backfill"


def _caller(context: Context) -> Caller:
    """Which task instance this is, for the call log."""
    task_instance = context["ti"]
    return Caller(
        task_instance.dag_id,
        task_instance.task_id,
        task_instance.run_id,
        task_instance.try_number,
        task_instance.map_index,
    )
