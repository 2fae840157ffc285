"""Registers the package with Airflow; the connection type comes by the package's entry point."""

from airflow.plugins_manager import AirflowPlugin


class ConstantContactPlugin(AirflowPlugin):
    """Constant Contact for Airflow."""

    name = "constant_contact"
