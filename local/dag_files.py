"""The DAG files, as Airflow's DAG processor reads them."""

from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
from airflow.sdk import DAG

from local.locks import locked
from local.paths import LOCAL
from local.stop import USAGE, Stop


def load_dag(dag_id: str) -> DAG:
    """Reads the DAG files and records them in Airflow's database; gives the one asked for.

    Raises:
        Stop: no file defines it; names the files that do not import, for it may be in one.
    """
    manager = DagBundlesManager()  # type: ignore[no-untyped-call]
    broken: dict[str, str] = {}
    known: set[str] = set()
    # recording is not made for several at once: rows of a new DAG would collide
    with locked(LOCAL / "airflow" / "dags.lock"):
        manager.sync_bundles_to_db()
        for bundle in manager.get_all_dag_bundles():
            bundle.initialize()
            bag = BundleDagBag(
                dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name
            )
            sync_bag_to_db(bag, bundle.name, bundle.version)
            if dag_id in bag.dags:
                dag: DAG = bag.dags[dag_id]
                return dag
            broken |= bag.import_errors
            known |= set(bag.dags)
    raise Stop(_not_found(dag_id, known, broken), USAGE)


def _not_found(dag_id: str, known: set[str], broken: dict[str, str]) -> str:
    message = f"no DAG {dag_id}; there are {', '.join(sorted(known)) or 'none'}"
    for file, trace in broken.items():
        reason = trace.strip().splitlines()[-1]
        message += f"; {file} does not import: {reason}"
    return message
