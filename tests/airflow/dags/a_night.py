"""A DAG that no other test runs: Airflow records a changed one twice in half a minute only once."""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from constant_contact.config import dag_defaults, nightly, nightly_deadline

with DAG(
    dag_id="a_night",
    schedule=nightly("0 4 * * *"),
    deadline=nightly_deadline(),
    **dag_defaults(),
):
    EmptyOperator(task_id="nothing")
