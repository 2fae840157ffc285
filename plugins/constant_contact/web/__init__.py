"""Our pages in the Airflow UI, and what the api-server does for our tasks."""
