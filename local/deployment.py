"""What a deployment is made of: processes, and the settings that all of them share.

`make up EXECUTOR=celery` runs it from here without containers. That `docker-compose.yaml` and
`deploy/helm/values.yaml` say the same is what `tests/deploy` sees to.
"""

from types import MappingProxyType
from typing import Final

from local.environment import CONSTANT_CONTACT, CRM, EXECUTOR, METADATA

AUTH_MANAGER: Final = "AIRFLOW__CORE__AUTH_MANAGER"
BROKER: Final = "AIRFLOW__CELERY__BROKER_URL"
EXECUTION_API: Final = "AIRFLOW__CORE__EXECUTION_API_SERVER_URL"

#: Arguments of `airflow`, by the name that each process has everywhere.
PROCESSES: Final = MappingProxyType(
    {
        "api-server": ("api-server",),
        "scheduler": ("scheduler",),
        "dag-processor": ("dag-processor",),
        "triggerer": ("triggerer",),
        "worker": ("celery", "worker"),
    }
)
WORKERS: Final = 2

# What becomes of a task whose worker dies. Its supervisor tells the API server every few seconds
# that it lives. When it has said nothing for `task_instance_heartbeat_timeout`, the scheduler fails
# that try, and the next one goes on where the last committed: on any worker, by Airflow's own
# retry. The timeout is two minutes, not Airflow's five: an opt-out may wait behind the lost task.
# It is not seconds: a task that cannot reach the API server, during an upgrade or so, tries for
# about a minute before it gives up; taken for dead earlier, it would write beside its successor.
# The broker has no part in it. Celery's own way, to hand a message out again when no worker has
# acknowledged it for `visibility_timeout`, cannot tell a long task from a lost one: so that must be
# longer than any task may take (the DAGs' `execution_timeout` is six hours). A message that comes
# again after that finds its try ended, and does nothing. Acknowledged late all the same: what a
# worker has taken but not begun goes back to the queue when it stops in order.
SETTINGS: Final = MappingProxyType(
    {
        EXECUTOR: "CeleryExecutor",
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "86400",
        "AIRFLOW__CELERY__TASK_ACKS_LATE": "True",
        # one process of these is about 200 MB
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": "4",
        # a worker takes no message that another one could begin with now
        "AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER": "1",
        # as many as there are workers: each reads its share of a large account
        "AIRFLOW__CONSTANT_CONTACT__ENGAGEMENT_SHARDS": str(WORKERS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # As many as two workers take. What waits for a place waits in the scheduler, by priority:
        # in the queue it would be first come, first served, and failed after half an hour.
        "AIRFLOW__CORE__PARALLELISM": "8",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "120",
    }
)

#: Users with roles, and hashed passwords in Airflow's database. `make up` has a developer's login
#: instead, which Airflow does not mean for production.
LOGIN: Final = MappingProxyType(
    {AUTH_MANAGER: "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"}
)

#: Must be the same in every process and stand in no file of the repository. The result backend is
#: not among them: Celery keeps its results in Airflow's database.
SECRETS: Final = (
    "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__CORE__FERNET_KEY",
    BROKER,
    METADATA,
    CONSTANT_CONTACT,
    CRM,
)
#: Where the processes and the users find the API server.
ADDRESSES: Final = ("AIRFLOW__API__BASE_URL", EXECUTION_API)
#: Where the code lies.
FOLDERS: Final = ("AIRFLOW__CORE__DAGS_FOLDER", "AIRFLOW__CORE__PLUGINS_FOLDER")

#: Keeps what is queued over a restart.
REDIS: Final = ("redis-server", "--appendonly", "yes")
