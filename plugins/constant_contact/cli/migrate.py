"""`airflow constant-contact migrate`: the CRM's schema, up to date, of each account."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg

from constant_contact import config
from constant_contact.accounts import Account
from constant_contact.cli.connections import named, one_line, postgres
from constant_contact.hooks.crm import connector
from constant_contact.store.installation import Installed, install_account
from constant_contact.store.seam import SHIPPED, load_seam
from constant_contact.store.session import settle
from constant_contact.store.sqlstates import explained


def migrate(_: Namespace) -> None:
    """Say what was applied; end with status 1 where a file does not fit, or nothing was applied."""
    with one_line():
        accounts = config.accounts()
        problems = [
            problem
            for account in accounts
            for problem in _migrated(account, is_only=len(accounts) == 1).problems
        ]
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(bool(problems))


def _migrated(account: Account, *, is_only: bool) -> Installed:
    conn_id, contacts_conn_id = account.crm_conn_id, config.text("contacts_conn_id")
    seam = load_seam(config.text("crm_folder") or SHIPPED, account)
    with _connected(conn_id) as crm, _connected(contacts_conn_id) as contacts:
        installed = install_account(
            crm, account, seam, seen_by=named(conn_id), contacts=contacts, is_only=is_only
        )
    for line in installed.lines(f"the CRM of {named(conn_id)}"):
        print(line)
    return installed


@contextmanager
def _connected(conn_id: str) -> Iterator[Any]:
    """A connection to a database, committed at the end; None, if no id is given.

    Raises:
        SettingError: There is no such connection, or it leads to no PostgreSQL.
        DatabaseUnavailable: The server does not answer.
    """
    if not conn_id:
        yield None
        return
    place = postgres(conn_id)
    try:
        opened = settle(connector(place)())
    except psycopg.Error as error:
        raise explained(error, named(conn_id)) or error from None
    with closing(opened), opened:
        yield opened
