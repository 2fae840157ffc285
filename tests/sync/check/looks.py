"""How the tests of the CRM's side look at it, and as which login."""

from psycopg.conninfo import make_conninfo

from constant_contact.store.database import Database
from constant_contact.sync.check.assumptions import Line, Result
from constant_contact.sync.check.crm import check_crm
from tests.support import CONN_ID
from tests.sync.check import stocked

Looked = dict[str, Line]


def looked(crm: Database) -> Looked:
    return {line.assumption.name: line for line in check_crm(crm, CONN_ID)}


def found(lines: Looked) -> dict[str, Result]:
    """What is not as it should be."""
    return stocked.found(lines.values())


def as_login(url: str, login: str) -> str:
    return make_conninfo(url, user=login, password="x")
