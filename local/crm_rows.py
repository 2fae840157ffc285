"""Contacts for an empty local CRM: most of them the simulated account's own, some unknown to it.

`python -m local.crm_rows` is the service `demo-contacts` of docker-compose.yaml: it fills the CRM
that the environment names, if that and the account are the demo's.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import psycopg

from local.env_file import DEMO_CRM, DEMO_SIMULATOR
from local.environment import CONSTANT_CONTACT, CRM
from local.stop import USAGE, Stop, command
from simulator.control import Control

_SHARED = 1_500
_UNKNOWN = 100
_EVERY_UPPER_CASE = 7
_EVERY_HOUSEHOLD = 40

Row = tuple[str, str | None, str | None, str]


def main() -> int:
    """Never fills a CRM that is not the demo's."""
    url = os.environ.get(CRM, "")
    if not url.endswith(DEMO_CRM) or DEMO_SIMULATOR not in os.environ.get(CONSTANT_CONTACT, ""):
        raise Stop("these are not the demo's connections: `make env DEMO=1` makes them", USAGE)
    with psycopg.connect(url) as connection, closing(Control(DEMO_SIMULATOR)) as control:
        print(f"{fill_if_empty(connection, control)} contacts added to the demo's CRM")
    return 0


def fill_if_empty(connection: psycopg.Connection[Any], control: Control) -> int:
    """Fill a CRM that has no contact; return how many were added."""
    connection.commit()
    with connection.transaction():
        # several commands may find it empty at once
        connection.execute("LOCK TABLE crm_contact IN SHARE ROW EXCLUSIVE MODE")
        found = connection.execute("SELECT EXISTS (SELECT FROM crm_contact)").fetchone()
        if found == (True,):
            return 0
        rows = list(_rows(control))
        copy = "COPY crm_contact (contact_id, first_name, last_name, preferred_email) FROM STDIN"
        with connection.cursor().copy(copy) as writer:
            for row in rows:
                writer.write_row(row)
    return len(rows)


def _rows(control: Control) -> Iterator[Row]:
    known = (each for each in control.truth_contacts() if each["email"] and not each["deleted"])
    for number, contact in enumerate(islice(known, _SHARED)):
        email = contact["email"].upper() if number % _EVERY_UPPER_CASE == 0 else contact["email"]
        first, last = contact["first_name"], contact["last_name"]
        yield f"CRM-{number:05}", first, last, email
        if number % _EVERY_HOUSEHOLD == 0:
            yield f"CRM-{number:05}-2", None, last, email
    for number in range(_UNKNOWN):
        yield f"CRM-{90_000 + number}", None, None, f"unknown.{number}@example.org"


if __name__ == "__main__":
    command(main)
