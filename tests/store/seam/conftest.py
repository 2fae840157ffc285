"""The firm's database, a role there, and what is found of its files."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from constant_contact.store.migrations import migrate
from constant_contact.store.seam import load_seam
from constant_contact.store.seam_check import Findings, prepare_seam
from tests.databases import Databases
from tests.store.seam.firm import CONTACTS, DOORBELL, TABLE, WRITE_BACK, Check
from tests.support import run_rows


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    name = databases.create_empty()
    run_rows(databases.url(name), TABLE)
    yield databases.url(name)
    databases.drop(name)


@pytest.fixture
def check(url: str, tmp_path: Path) -> Check:
    """What is found; the files are those above but for what is given, None: no such file."""

    def run(role_url: str = url, **given: str | None) -> Findings:
        files = {"contacts": CONTACTS, "write_back": WRITE_BACK, "doorbell": DOORBELL} | given
        for name, text in files.items():
            path = tmp_path / f"{name}.sql"
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(text, encoding="utf-8")
        with psycopg.connect(role_url) as connection:
            migrate(connection, has_contacts=False)
            return prepare_seam(connection, load_seam(tmp_path))

    return run


@pytest.fixture
def role(url: str) -> Iterator[str]:
    """A role that may make tables of ours and nothing else; its name needs quotes."""
    name = f"ctct Test {url.rpartition('_')[2].partition('?')[0]}"
    quoted = sql.Identifier(name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(quoted))
        connection.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(quoted))
        yield name
        connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(quoted))
        connection.execute(sql.SQL("DROP ROLE {}").format(quoted))


@pytest.fixture
def role_url(url: str, role: str) -> str:
    return make_conninfo(url, options=f"-crole={role.replace(' ', chr(92) + ' ')}")
