"""SQL: the named statements of include/sql, one function a statement here."""
