"""`make reference`: docs/reference; with `--check` only whether it is as it should be."""

import os
import sys

from local.environment import airflow_environment
from local.postgres import AIRFLOW_DATABASE, LocalPostgres
from local.stop import Stop, command


def main() -> int:
    """Says what was written; with `--check`, fails if there was something to write."""
    with LocalPostgres() as postgres:
        # the defaults are documented, not what this machine has set
        ours = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("AIRFLOW__CONSTANT_CONTACT__", "AIRFLOW_CONN_"))
        }
        metadata_url = postgres.url(AIRFLOW_DATABASE, "psycopg2")
        os.environ.clear()
        os.environ.update(
            airflow_environment(ours, metadata_url=metadata_url, connections={}, paused=True)
        )
        os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
        # imports Airflow, which must find its environment set
        from local.reference.files import documents, stale, write  # noqa: PLC0415

        made = documents(postgres.url("postgres"))
    changed = stale(made)
    if "--check" in sys.argv[1:]:
        if changed:
            raise Stop(f"not as the code has it: {', '.join(changed)}; run `make reference`")
        return 0
    write(made)
    print(f"wrote {', '.join(changed)}" if changed else "docs/reference was as it should be")
    return 0


if __name__ == "__main__":
    command(main)
