"""Airflow's file for constant_contact.dags.check, where its tasks and runbook are."""

from constant_contact.dags import make_dags

globals().update(make_dags("check"))
