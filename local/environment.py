"""The environment in which Airflow runs here.

| what | who wins |
|---|---|
| `AIRFLOW_HOME`, the plugins folder, the executor | always the repository's |
| `AIRFLOW_CONN_CRM_DEFAULT`, `AIRFLOW_CONN_CONSTANT_CONTACT_DEFAULT` | the caller's, both or none |
| any other `AIRFLOW__SECTION__KEY`, the metadata database too | the caller's, else ours |

Nothing here imports Airflow: it reads its environment once, when it is imported.
"""

from collections.abc import Mapping
from types import MappingProxyType

from local.paths import LOCAL, ROOT
from local.secrets_file import load_secrets, passwords_file
from local.stop import USAGE, Stop

CRM = "AIRFLOW_CONN_CRM_DEFAULT"
CONSTANT_CONTACT = "AIRFLOW_CONN_CONSTANT_CONTACT_DEFAULT"
METADATA = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
EXECUTOR = "AIRFLOW__CORE__EXECUTOR"
LOCAL_EXECUTOR = "LocalExecutor"


def own_connections(caller: Mapping[str, str]) -> dict[str, str] | None:
    """The caller's two connections, or None for the local CRM and the simulator.

    Raises:
        Stop: only one is set. Half real and half simulated would push a simulator's ids into a
            real CRM, or real people's data to a simulator.
    """
    given = {name: caller[name] for name in (CRM, CONSTANT_CONTACT) if caller.get(name)}
    if len(given) == 1:
        (present,) = given
        missing = CRM if present == CONSTANT_CONTACT else CONSTANT_CONTACT
        raise Stop(
            f"{missing} is not set, but {present} is: set both, or neither for the local CRM"
            " and the simulator",
            USAGE,
        )
    return given or None


def airflow_environment(
    caller: Mapping[str, str],
    *,
    metadata_url: str,
    connections: Mapping[str, str],
    paused: bool,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """The whole environment for an Airflow process.

    Args:
        caller: the environment to start from.
        metadata_url: SQLAlchemy URL of Airflow's own database, unless the caller names one.
        connections: the values of the two `AIRFLOW_CONN_*` variables.
        paused: whether a DAG that Airflow sees for the first time waits to be switched on.
        settings: before the caller's own and instead of ours; the executor, if one names it.
    """
    known = load_secrets()
    home = LOCAL / "airflow"
    home.mkdir(parents=True, exist_ok=True)
    defaults = {
        "AIRFLOW__API__SECRET_KEY": known.api_secret_key,
        "AIRFLOW__API_AUTH__JWT_SECRET": known.jwt_secret,
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": str(paused),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__FERNET_KEY": known.fernet_key,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # 32 by default: as many forked processes, on a laptop
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords_file(known)),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        # the connection form's Test button
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        # a new DAG file shows up now, not in five minutes
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "20",
        METADATA: metadata_url,
        **settings,
    }
    fixed = {
        # a home exported for another project would bring that project's airflow.cfg
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONFIG": str(home / "airflow.cfg"),
        EXECUTOR: settings.get(EXECUTOR, LOCAL_EXECUTOR),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    }
    # set but empty means unset, as for any Unix program
    given = {key: value for key, value in caller.items() if value or not key.startswith("AIRFLOW")}
    return {**defaults, **given, **fixed, **connections}
