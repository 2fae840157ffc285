"""Registers our pages where this folder is Airflow's plugins folder and the package is no more.

An installed package has an entry point by which Airflow loads the same plugin: Airflow would report
the second one as an error.
"""

from importlib.metadata import entry_points

if not entry_points(group="airflow.plugins", name="constant_contact"):
    from constant_contact.plugin import ConstantContactPlugin  # noqa: F401 - Airflow looks for it
