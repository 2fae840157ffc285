"""What waits for rows in the CRM inside a DAG run."""
