"""Constant Contact for a CRM in PostgreSQL, on Apache Airflow."""

__version__ = "0.1.0"
