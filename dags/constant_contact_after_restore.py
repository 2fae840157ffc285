"""Airflow's file for constant_contact.dags.after_restore, where its tasks and runbook are."""

from constant_contact.dags import make_dags

globals().update(make_dags("after_restore"))
