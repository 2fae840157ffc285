"""Constant Contact for a CRM in PostgreSQL, on Apache Airflow."""

__version__ = "0.2.0"
