"""What a person runs beside the DAGs: `airflow constant-contact …`."""
