"""Airflow's file for constant_contact.dags.contacts, where its tasks and runbook are."""

from constant_contact.dags import make_dags

globals().update(make_dags("contacts"))
