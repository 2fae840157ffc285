"""What waits for rows in the CRM outside any DAG run."""
