"""### Constant Contact retention

Every night at 03:30 rows of the call log `ctct_api_call` that are older than 90 days (the option
`[constant_contact] call_log_days`) are deleted. Nothing else is ever deleted by age.

**When it fails**: run it again; the log only grows meanwhile.

**By hand**: *Trigger*, no parameters, after lowering the option.
"""

from airflow.sdk import DAG

from constant_contact.config import dag_defaults, nightly
from constant_contact.operators.retention import RetentionOperator

with DAG(
    dag_id="constant_contact_retention",
    description="Old rows of the API call log",
    schedule=nightly("30 3 * * *"),
    tags=["constant_contact", "maintenance"],
    doc_md=__doc__,
    **dag_defaults(),
):
    RetentionOperator(task_id="retention")
