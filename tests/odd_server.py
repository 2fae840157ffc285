"""What a firm's server may give its sessions: all that is odd, at once.

With TEST_ODD_SERVER=1 every database of the tests has it. Values are written oddly for our login
only: the tests' own connections, which are the CRM's, have to be read too.
"""

import uuid

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

# For our login. What is not ours to keep would end a job, or change what it does.
LOGIN = {
    "client_encoding": "SQL_ASCII",
    "datestyle": "German, DMY",
    "intervalstyle": "iso_8601",
    "extra_float_digits": "-10",
    "array_nulls": "off",
    "quote_all_identifiers": "on",
    "gin_fuzzy_search_limit": "1",
    "exit_on_error": "on",
    "check_function_bodies": "off",
    "jit": "on",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "session_replication_role": "replica",
    "statement_timeout": "2s",
    "lock_timeout": "300ms",
    "idle_in_transaction_session_timeout": "1s",
    "idle_session_timeout": "1s",
}
# For all sessions of a database, the CRM's too.
DATABASE = {
    "standard_conforming_strings": "off",
    "backslash_quote": "on",
    "escape_string_warning": "off",
    "transform_null_equals": "on",
    "timezone": "Australia/Lord_Howe",
    "bytea_output": "escape",
    "xmlbinary": "hex",
    "xmloption": "document",
    "row_security": "on",
    "synchronous_commit": "off",
}


class OddLogin:
    """A login of ours with all of `LOGIN`, for databases with all of `DATABASE`.

    Args:
        server_url: Of a superuser.
    """

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self.name = f"ctct_test_{uuid.uuid4().hex[:12]}"
        self._run("CREATE ROLE {} SUPERUSER LOGIN PASSWORD 'odd'")
        for setting, value in LOGIN.items():
            self._run("ALTER ROLE {} SET {} = {}", setting, value)

    def url(self, url: str) -> str:
        """The same database by our login."""
        return make_conninfo(url, user=self.name, password="odd")

    def make_odd(self, database: str) -> None:
        """Give a database all of `DATABASE`."""
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            for setting, value in DATABASE.items():
                connection.execute(
                    sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                        sql.Identifier(database), sql.Identifier(setting), sql.Literal(value)
                    )
                )

    def drop(self) -> None:
        self._run("DROP ROLE {}")

    def _run(self, statement: str, setting: str = "", value: str = "") -> None:
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            parts = [sql.Identifier(self.name), sql.Identifier(setting or "-"), sql.Literal(value)]
            connection.execute(sql.SQL(statement).format(*parts))
