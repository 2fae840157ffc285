"""What `make migrate` refuses, in one line that says what to do."""

import re
import uuid
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from constant_contact.accounts import DEFAULT
from constant_contact.errors import PrivilegeMissing, SchemaError, SettingError
from constant_contact.store.installation import install_account
from constant_contact.store.migrations import migrate
from constant_contact.store.seam import load_seam
from tests.databases import Databases

Run = Callable[[str], None]


@pytest.fixture
def name(databases: Databases) -> Iterator[str]:
    """An empty database."""
    name = databases.create_empty()
    yield name
    databases.drop(name)


@pytest.fixture
def run(databases: Databases, name: str) -> Run:
    """Runs a statement of the database's owner."""

    def as_owner(statement: str) -> None:
        with psycopg.connect(databases.url(name), autocommit=True) as connection:
            connection.execute(statement.encode())

    return as_owner


@pytest.fixture
def user(databases: Databases, name: str) -> Iterator[str]:
    """A role of ours with the right to connect, and no other; its name needs quotes."""
    user = f'Ctct "Test" {uuid.uuid4().hex[:12]}'
    role = sql.Identifier(user)
    with psycopg.connect(databases.url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(role))
    yield user
    databases.drop(name)
    with psycopg.connect(databases.url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.fixture
def login(user: str) -> str:
    """The role's name as SQL writes it."""
    return sql.Identifier(user).as_string()


@pytest.fixture
def migrate_as(databases: Databases, name: str, user: str) -> Callable[[], list[str]]:
    def as_login() -> list[str]:
        url = make_conninfo(databases.url(name), user=user, password="x")
        with psycopg.connect(url) as connection:
            return migrate(connection)

    return as_login


def refusal(attempt: Callable[[], object], error: type[Exception]) -> str:
    with pytest.raises(error) as refused:
        attempt()
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_each_missing_right_is_named_with_the_grant_that_mends_it(
    migrate_as: Callable[[], list[str]], run: Run, name: str, login: str
) -> None:
    run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    run(f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")
    message = refusal(migrate_as, PrivilegeMissing)
    assert f"GRANT TEMPORARY ON DATABASE {name} TO {login}" in message
    for grant in message.partition("runs: ")[2].split("; "):
        run(grant)
    assert migrate_as()


def test_a_login_that_may_not_use_what_another_has_migrated_is_told_the_grants(
    databases: Databases,
    migrate_as: Callable[[], list[str]],
    run: Run,
    name: str,
    login: str,
) -> None:
    with psycopg.connect(databases.url(name)) as connection:
        migrate(connection)
    run(f"GRANT CREATE ON SCHEMA public TO {login}")
    message = refusal(migrate_as, PrivilegeMissing)
    (grant,) = re.findall(f"GRANT DELETE, INSERT, SELECT, UPDATE ON ([^;]*) TO {login}", message)
    assert "ctct_contact" in grant.split(", ")
    for grant in message.partition("runs: ")[2].split("; "):
        run(grant)
    assert migrate_as() == []


def test_a_schema_of_the_logins_own_name_does_not_split_the_tables(
    databases: Databases,
    migrate_as: Callable[[], list[str]],
    run: Run,
    name: str,
    login: str,
) -> None:
    run(f"CREATE SCHEMA {login} AUTHORIZATION {login}")
    run("CREATE TABLE public.crm_contact (contact_id text PRIMARY KEY)")
    run(f"GRANT ALL ON public.crm_contact TO {login}")
    message = refusal(migrate_as, SettingError)
    assert f"would go into the schema {login}" in message
    remedy = f"ALTER ROLE {login} SET search_path = public"
    assert message.endswith(f"{remedy}.")
    run(remedy)


def test_a_search_path_without_a_schema_is_refused(
    migrate_as: Callable[[], list[str]], run: Run, login: str
) -> None:
    run(f"ALTER ROLE {login} SET search_path = nowhere")
    told = refusal(migrate_as, SettingError)
    assert "search_path (nowhere) names no schema" in told
    assert f"GRANT USAGE, CREATE ON SCHEMA public TO {login}, or ALTER ROLE {login} SET" in told


def test_tables_may_be_in_a_schema_whose_name_needs_quotes(
    migrate_as: Callable[[], list[str]], run: Run, login: str
) -> None:
    schema = '"Sales CRM"'
    run("CREATE SCHEMA sales; CREATE TABLE sales.ctct_link (contact_id text)")
    run(f"CREATE SCHEMA {schema} AUTHORIZATION {login}")
    run(f"ALTER ROLE {login} SET search_path = {schema}")
    assert migrate_as()
    assert migrate_as() == []


def test_a_database_that_takes_no_writes_is_refused(
    migrate_as: Callable[[], list[str]], run: Run, name: str
) -> None:
    run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert "take back default_transaction_read_only" in refusal(migrate_as, SettingError)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "WIN1252"])
def test_an_encoding_that_cannot_store_every_name_is_refused(
    databases: Databases, encoding: str
) -> None:
    name = f"ctct_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(databases.url("postgres"), autocommit=True) as server:
        server.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}'"
            " LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'".encode()
        )
    try:
        with psycopg.connect(databases.url(name)) as connection:
            message = refusal(lambda: migrate(connection), SettingError)
    finally:
        databases.drop(name)
    assert f"its encoding is {encoding}" in message
    assert "--encoding=UTF8" in message


def test_what_is_said_against_a_migration_holds_no_row(
    databases: Databases, run: Run, name: str
) -> None:
    run(
        "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'no tables today' USING DETAIL = 'as Ann Lee, ann@example.com, says';"
        " END $$"
    )
    run("CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse()")
    with psycopg.connect(databases.url(name)) as connection:
        message = refusal(
            lambda: install_account(
                connection, DEFAULT, load_seam(), seen_by="connection crm_default", is_only=True
            ),
            SchemaError,
        )
    assert "nothing was changed: no tables today" in message
    assert "Ann" not in message
    assert "@" not in message
