"""The vendor's client: HTTP, tokens, paging, faults. Knows neither Airflow nor the database."""
