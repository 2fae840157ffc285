"""The plugin: our pages and where Airflow shows them.

Airflow finds it by the entry point `airflow.plugins` where the package is installed, and by
`plugins/constant_contact_plugin.py` where it is not.
"""

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin


class ConstantContactPlugin(AirflowPlugin):
    """Constant Contact for Airflow."""

    name = "constant_contact"
    external_views = [  # noqa: RUF012 - as Airflow's class declares it
        {
            "name": "Constant Contact",
            "href": "constant-contact/",
            "destination": "nav",
            "category": "browse",
            "url_route": "constant-contact",
        },
        {
            "name": "API calls",
            "href": (
                "constant-contact/task-calls"
                "?dag_id={DAG_ID}&run_id={RUN_ID}&task_id={TASK_ID}&map_index={MAP_INDEX}"
            ),
            "destination": "task_instance",
            "url_route": "constant-contact-calls",
        },
    ]

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Our pages. Only the api-server asks for them; every process imports this module."""
        from constant_contact.accounts import PAGES  # noqa: PLC0415
        from constant_contact.web.app import create_app  # noqa: PLC0415

        return [{"app": create_app(), "url_prefix": PAGES, "name": "Constant Contact"}]
