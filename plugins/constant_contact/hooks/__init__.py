"""Where an Airflow connection becomes a client."""
