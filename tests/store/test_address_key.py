"""The key of an address: one rule, in every database and session."""

import sys
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from constant_contact.store.migrations import migrate
from tests.databases import Databases
from tests.store.addresses import expected_key

Keys = Callable[[list[str]], list[str | None]]

# Addresses and their keys.
SPELLINGS = {
    " \tInfo@Example.com\r\n": "info@example.com",
    "INFO@EXAMPLE.COM": "info@example.com",
    "İnfo@example.com": "info@example.com",
    "\u0131nfo@example.com": "\u0131nfo@example.com",
    "STRAẞE@example.com": "straße@example.com",
    "\uff21nn@example.com": "\uff41nn@example.com",
    "jose\u0301@example.com": "josé@example.com",
    "ann@bücher.example": "ann@xn--bcher-kva.example",
    "ann@BU\u0308CHER.example": "ann@xn--bcher-kva.example",
    "ann@XN--BCHER-KVA.example": "ann@xn--bcher-kva.example",
    "ann@straße.example": "ann@xn--strae-oqa.example",
    "ann@例え。テスト": "ann@xn--r8jz45g.xn--zckzah",
    "ann@example\uff0ecom": "ann@example.com",
    # No host has such a name: the folded text.
    "ann@bücher..example": "ann@bücher..example",
    "ann@Bü\u200bcher.example": "ann@bü\u200bcher.example",
    "ann@" + "ü" * 64: "ann@" + "ü" * 64,
    "ann@" + "ü" * 60 + ".example": "ann@" + "ü" * 60 + ".example",
    # Within an address nothing is left out.
    "an\u200bn@example.com": "an\u200bn@example.com",
}
BLANKS = ["", " ", "\t\r\n", "\u200b\ufeff", "\u3000"]


def _is_known(letter: str) -> bool:
    """Known to all releases: a new mark is put in order only by who knows it."""
    return not unicodedata.combining(letter) or unicodedata.ucd_3_2_0.category(letter) != "Cn"


LETTERS = st.characters(min_codepoint=1, exclude_categories=["Cs", "Cn"]).filter(_is_known)
ODD_LETTERS = st.sampled_from(
    "aAiIİ\u0131ßẞ\u03c3ςΣ\u212a\u212bǅ"
    "\u0307\u0301\u0331\u0338.-@ \u00ad\u200b\u200c\u202a\ufeff\ufe0f\u3002\uff0e"
)
TEXTS = st.text(LETTERS | ODD_LETTERS, max_size=12)
ADDRESSES = st.builds("{}{}@{}.{}{}".format, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS)


@pytest.fixture(scope="module")
def connection(databases: Databases) -> Iterator[psycopg.Connection[Any]]:
    name = databases.create()
    with psycopg.connect(databases.url(name)) as connection:
        yield connection
    databases.drop(name)


@pytest.fixture(scope="module")
def keys(connection: psycopg.Connection[Any]) -> Keys:
    return lambda addresses: _keys(connection, addresses)


def _keys(connection: psycopg.Connection[Any], addresses: list[str]) -> list[str | None]:
    found = connection.execute(
        "SELECT public.ctct_email_key(address)"
        " FROM unnest(%s::text[]) WITH ORDINALITY AS given (address, nth) ORDER BY nth",
        [addresses],
    )
    return [key for (key,) in found]


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(TEXTS | ADDRESSES, min_size=1, max_size=30))
def test_a_key_is_what_the_rule_says_and_its_own_key(keys: Keys, addresses: list[str]) -> None:
    found = keys(addresses)
    assert found == [expected_key(each) for each in addresses]
    made = [key for key in found if key is not None]
    assert keys(made) == made


@pytest.mark.slow
def test_every_character_is_seen_or_not_and_folded_as_the_rule_says(keys: Keys) -> None:
    letters = [
        letter
        for letter in map(chr, range(1, sys.maxunicode + 1))
        if unicodedata.category(letter) not in ("Cn", "Co", "Cs")
    ]
    for shape in ("{}x@example.com", "x{}x@example.com"):
        addresses = [shape.format(letter) for letter in letters]
        assert keys(addresses) == [expected_key(each) for each in addresses]


@pytest.mark.parametrize("address", SPELLINGS)
def test_spellings_of_one_address_have_one_key(keys: Keys, address: str) -> None:
    assert keys([address]) == [SPELLINGS[address]]


def test_a_blank_address_has_no_key(keys: Keys) -> None:
    assert keys(BLANKS) == [None] * len(BLANKS)


def test_no_collation_of_the_server_changes_a_key(connection: psycopg.Connection[Any]) -> None:
    collations = connection.execute(
        "SELECT nspname, collname FROM pg_collation"
        " INNER JOIN pg_namespace ON collnamespace = pg_namespace.oid"
        " WHERE collencoding IN (-1, pg_char_to_encoding('UTF8'))"
    ).fetchall()
    assert ("pg_catalog", "C") in collations
    for collation in collations:
        found = connection.execute(
            sql.SQL(
                "SELECT address, ctct_email_key(address COLLATE {})"
                " FROM unnest(%s::text[]) AS address"
            ).format(sql.Identifier(*collation)),
            [list(SPELLINGS)],
        )
        assert dict(found.fetchall()) == SPELLINGS, collation


def _locales(connection: psycopg.Connection[Any]) -> list[str]:
    """Of a database, as this server offers them: some fold capitals as Turkish, or ASCII's only."""
    found: list[str] = ["LOCALE 'C'"]
    if connection.info.server_version >= 170000:
        found.append("LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'")
    has_icu = connection.execute("SELECT FROM pg_collation WHERE collname = 'tr-x-icu'").fetchone()
    if has_icu is not None:
        found += [
            "LOCALE_PROVIDER icu ICU_LOCALE 'tr' LOCALE 'C'",
            "LOCALE_PROVIDER icu ICU_LOCALE 'az' LOCALE 'C'",
        ]
    return found


def test_a_database_of_any_locale_has_the_same_keys(
    connection: psycopg.Connection[Any], databases: Databases
) -> None:
    for locale in _locales(connection):
        name = databases.create_empty(locale)
        with psycopg.connect(databases.url(name)) as other:
            migrate(other)
            assert _keys(other, list(SPELLINGS)) == list(SPELLINGS.values()), locale
        databases.drop(name)


def test_no_setting_of_a_session_changes_a_key_or_a_write(crm_url: str) -> None:
    options = "-c search_path= -c standard_conforming_strings=off -c escape_string_warning=off"
    with psycopg.connect(crm_url, options=options) as session:
        assert _keys(session, list(SPELLINGS)) == list(SPELLINGS.values())
        session.execute(
            "INSERT INTO public.crm_contact (contact_id, preferred_email)"
            " SELECT nth, address FROM unnest(%s::text[]) WITH ORDINALITY AS one (address, nth)",
            [list(SPELLINGS)],
        )
        session.execute(
            "INSERT INTO public.ctct_contact (contact_id, email_address, mirrored_at)"
            " SELECT contact_id, preferred_email, now() FROM public.crm_contact"
        )
        stored = session.execute("SELECT email_address, email_key FROM public.ctct_contact")
        assert dict(stored.fetchall()) == SPELLINGS
