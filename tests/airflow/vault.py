"""A secrets backend of another package, which has the account's connection."""

import os

from airflow.secrets.base_secrets import BaseSecretsBackend


class Vault(BaseSecretsBackend):
    """Keeps it in a variable that is not Airflow's."""

    def get_conn_value(self, conn_id: str, team_name: str | None = None) -> str | None:
        """The connection as JSON."""
        return os.environ.get(f"VAULT_{conn_id.upper()}")
