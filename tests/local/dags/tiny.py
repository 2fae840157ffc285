"""DAGs that end in each way a run can end."""

import logging
from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, Variable, task
from airflow.sdk.exceptions import AirflowRescheduleException

log = logging.getLogger("constant_contact.test")

with DAG(
    "succeeds",
    schedule=CronDataIntervalTimetable("0 2 * * *", timezone="Europe/Berlin"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    max_active_runs=1,
):

    @task
    def numbers() -> list[int]:
        return [1, 2, 3]

    @task(retries=1, retry_delay=timedelta(seconds=1))
    def double(number: int, ti=None) -> int:  # type: ignore[no-untyped-def]
        if number == 2 and ti.try_number == 1:
            raise RuntimeError("the first try is never the best")
        return 2 * number

    @task
    def total(values: list[int], data_interval_start=None) -> None:  # type: ignore[no-untyped-def]
        Variable.set("total", str(sum(values)))
        log.info("from %s the total is %s", data_interval_start, Variable.get("total"))

    total(double.expand(number=numbers()))

with DAG("fails", schedule=None):

    @task
    def breaks() -> None:
        raise RuntimeError("AIRFLOW_CONN_THING is wrong:\n set it")

    @task
    def never() -> None:
        log.info("never reached")

    breaks() >> never()

with DAG("goes_on_later", schedule=None):

    @task
    def waits() -> None:
        log.info("the day's budget is spent")
        raise AirflowRescheduleException(datetime.now(UTC) + timedelta(hours=5))

    waits()
