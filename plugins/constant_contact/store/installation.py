"""An account's tables and files, from nothing or from an older release."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from constant_contact.accounts import DEFAULT, Account
from constant_contact.errors import SchemaError
from constant_contact.redact import told_by
from constant_contact.store.accounts import claim, migrate_account
from constant_contact.store.migrations import migrate
from constant_contact.store.seam import SHIPPED, Seam
from constant_contact.store.seam_check import prepare_seam
from constant_contact.store.sqlstates import explained


@dataclass(frozen=True)
class Installed:
    """What was done, and what a person should know of it.

    Attributes:
        applied: The versions of the schema that were applied now.
        advice: What of the seam works, and could do better.
        problems: What of it does not work, a line each with its remedy; the schema stands.
    """

    applied: list[str]
    advice: list[str]
    problems: list[str]

    def lines(self, where: str) -> Iterator[str]:
        """What is good news, and the advice; `where` is what a person calls the database."""
        yield from (f"applied {version}" for version in self.applied)
        yield f"{where} {'is' if self.applied else 'was already'} up to date"
        yield from (f"advice: {each}" for each in self.advice)


def install_account(
    connection: psycopg.Connection[Any],
    account: Account,
    seam: Seam,
    *,
    seen_by: str,
    contacts: psycopg.Connection[Any] | None = None,
    is_only: bool,
) -> Installed:
    """Migrate an account's schema, make the doorbell, try each file without changing a row.

    Args:
        connection: To the CRM database; the caller commits.
        account: Whose tables the connection sees.
        seam: The account's files.
        seen_by: What a person calls the connection, such as "connection crm_eu".
        contacts: Where contacts.sql is read, if not there.
        is_only: Whether there is no other account whose tables these could be.

    Raises:
        ConstantContactError: Nothing was changed.
    """
    try:
        if account == DEFAULT:
            applied = migrate(connection, has_contacts=seam.contacts.path.parent == SHIPPED)
        else:
            applied = migrate_account(connection, seen_by, has_contacts=seam.knows_links)
        found = prepare_seam(connection, seam, contacts)
        if not (is_only or found.problems):
            # Before any job runs: which of several these are is known here.
            claim(connection, account.constant_contact_conn_id, seen_by)
    except psycopg.Error as error:
        name = f"{seen_by}: the schema was not applied, nothing was changed"
        raise explained(error, name) or SchemaError(f"{name}: {told_by(error)}") from None
    return Installed(applied, found.advice, found.problems)
