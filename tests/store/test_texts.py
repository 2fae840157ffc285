"""What PostgreSQL cannot store is left out of a text, wherever it is sent from."""

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from constant_contact.store import database
from constant_contact.store.database import Database

ODD = "a\x00b\ud800c"


@pytest.mark.parametrize(
    ("statement", "given", "expected"),
    [
        ("SELECT %s::text", ODD, "ab?c"),
        ("SELECT %s::text[]", [ODD, None, "x"], ["ab?c", None, "x"]),
        ("SELECT %s::text || %s", (ODD, "\x00"), "ab?c"),
        ("SELECT %s::jsonb", Jsonb({"a\x00": ["\x00\x00", r"\u0000", "\\\x00"]}),
         {"a": ["", r"\u0000", "\\"]}),
        ("SELECT length(%s)", "\x00", 0),
    ],
)  # fmt: skip
def test_a_text_with_a_nul_is_stored_without_it(
    crm: Database, statement: str, given: Any, expected: Any
) -> None:
    with crm.transaction() as connection:
        params = given if isinstance(given, tuple) else (given,)
        (found,) = connection.execute(statement, params).fetchone() or (None,)
    assert found == expected


def test_a_page_with_a_nul_is_copied_without_it(crm: Database) -> None:
    with crm.transaction() as connection:
        record = (ODD, *([None] * 11))
        database.stage(connection, "contacts/stage", "staged_contact", [record])
        (found,) = connection.execute("SELECT contact_id FROM staged_contact").fetchone() or ("",)
    assert found == "ab?c"
