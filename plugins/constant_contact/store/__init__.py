"""SQL: one statement a file below include/sql, one function a statement here."""
