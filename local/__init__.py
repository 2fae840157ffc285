"""The project on one machine: a PostgreSQL, the simulator and Airflow, without containers."""
