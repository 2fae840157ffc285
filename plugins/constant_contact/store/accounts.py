"""Whose tables a connection sees, and how an account gets its own."""

from typing import Any

import psycopg
from psycopg import sql

from constant_contact.accounts import DEFAULT, Account
from constant_contact.errors import SettingError
from constant_contact.store import database
from constant_contact.store.migrations import migrate, migration_lock
from constant_contact.store.session import settle

# PostgreSQL's own: an account that has it is in a database of its own.
_DEFAULT_PATH = '"$user", public'


def claim(connection: psycopg.Connection[Any], conn_id: str, seen_by: str) -> None:
    """Make the tables those of the account `conn_id`; the first one to use them has them.

    Args:
        connection: To the CRM database.
        conn_id: Of the account at Constant Contact.
        seen_by: What a person calls the connection, such as "connection crm_eu".

    Raises:
        SettingError: They are another account's, or those of several are in sight.
    """
    if not are_of(connection, conn_id, seen_by):
        database.run(connection, "accounts/claim", {"conn_id": conn_id})
        are_of(connection, conn_id, seen_by)


def are_of(connection: psycopg.Connection[Any], conn_id: str, seen_by: str) -> bool:
    """Whether the tables are those of the account `conn_id`; false: no account has them yet.

    Raises:
        SettingError: As `claim`, whose arguments these are.
    """
    owner = database.row(connection, "accounts/owner") or {}
    if owner["in_sight"] > 1:
        raise _several(seen_by, "the tables of several accounts are in sight")
    if owner["conn_id"] not in {None, conn_id}:
        raise SettingError(
            seen_by,
            f"the tables that it sees are those of connection {owner['conn_id']}, not of "
            f"{conn_id}; each account has a schema or a database of its own (docs/accounts.md)",
        )
    return owner["conn_id"] is not None


def account_in(connection: psycopg.Connection[Any]) -> Account:
    """The account whose tables these are; the default one's, while no account has claimed them."""
    owner = database.row(connection, "accounts/owner") or {}
    return Account.holding(owner["conn_id"]) if owner["conn_id"] else DEFAULT


def migrate_account(
    connection: psycopg.Connection[Any], seen_by: str, *, has_contacts: bool = False
) -> list[str]:
    """As `migrate`, for another account than the default one: makes its schema where needed.

    An account in a schema of its own, beside the default one in public, has the same CRM contacts
    and hears the same opt-outs, unless it has contacts of its own.

    Args:
        connection: Whose search_path names the account's schema and nothing else, or the
            database's own one, in a database of the account's own.
        seen_by: What a person calls the connection, such as "connection crm_eu".
        has_contacts: Whether the account has a contacts.sql of its own.

    Returns:
        The versions applied now.

    Raises:
        SettingError: The search_path does not name one schema, or there are no contacts for it.
        SchemaError: As `migrate`.
    """
    settle(connection)
    with connection.transaction():
        migration_lock(connection)
        has_schema = _enter_own_schema(connection, seen_by)
        if not has_schema:
            return migrate(connection)
        found = database.row(connection, "accounts/shares_contacts") or {}
        has_own = found["has_own"] or has_contacts
        if not has_own and not found["has_shared"]:
            # No opt-out would ever come to it.
            raise SettingError(
                seen_by,
                "the default account is not in public of this database, so there are no contacts "
                "to share; make a crm_contact in this schema first, or give the account a "
                "contacts.sql (docs/accounts.md)",
            )
        applied = migrate(connection, has_contacts=False)
        if not has_own:
            database.run(connection, "accounts/carry_outbox")
        return applied


def _enter_own_schema(connection: psycopg.Connection[Any], seen_by: str) -> bool:
    """Make the account's schema if it is not there, and look at nothing else to the end.

    Returns:
        Whether the account has one; else it has a database of its own.
    """
    ((path,),) = connection.execute("SELECT current_setting('search_path')").fetchall()
    if path == _DEFAULT_PATH:
        return False
    if "," in path or not path:
        raise _several(seen_by, f"its search_path does not name one schema ({path})")
    # As PostgreSQL reads it: without quotes in small letters.
    name = path[1:-1] if path.startswith('"') else path.lower()
    schema = sql.Identifier(name)
    ((is_there,),) = connection.execute("SELECT to_regnamespace(%s) IS NOT NULL", [path]).fetchall()
    if not is_there:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
    # Temporary tables last: functions that run by their owner's rights keep this path.
    connection.execute(sql.SQL("SET LOCAL search_path = {}, pg_temp").format(schema))
    return True


def _several(seen_by: str, problem: str) -> SettingError:
    return SettingError(
        seen_by,
        f"{problem}: what is missing in one would be taken from the next; name the account's own "
        "schema only, such as options=-csearch_path=constant_contact_eu (docs/accounts.md)",
    )
