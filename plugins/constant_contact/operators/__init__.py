"""Airflow's tasks, one noun a module; each runs one job of `constant_contact.sync`."""
