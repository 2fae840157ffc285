"""The check of the CRM's side: each thing that is wrong there is named with its remedy."""

import re
from collections.abc import Callable

import pytest

from constant_contact.errors import DatabaseUnavailable
from constant_contact.store.database import Database
from constant_contact.sync.check.assumptions import Result
from constant_contact.sync.check.crm import check_crm
from constant_contact.sync.check.crm_assumptions import ASSUMPTIONS
from constant_contact.sync.contacts.links import link_contacts
from tests.databases import Databases
from tests.support import CONN_ID, Rows
from tests.sync.check.looks import as_login, found, looked

# As a person picks them out of a remedy.
STATEMENT = re.compile(r"(?:GRANT|CREATE INDEX|ALTER TABLE) (?:(?!, or |\(…)[^;])+(?=;|, or |$)")


# What a fresh CRM as shipped has not, and need not have.
NOT_TRIED = {"contacts_replica", "flag_back", "linking_time"}


def test_a_crm_as_shipped_holds_and_each_assumption_has_its_line(crm: Database) -> None:
    lines = check_crm(crm, CONN_ID)
    assert [line.assumption for line in lines] == list(ASSUMPTIONS)
    assert {line.assumption.name for line in lines if line.result == Result.NOT_TRIED} == NOT_TRIED
    assert found(looked(crm)) == {}


def test_all_of_it_is_tried_once_a_night_was(
    crm: Database, add_crm_contact: Callable[..., None]
) -> None:
    add_crm_contact("a", "ann@example.com", do_not_email=True)
    link_contacts(crm)
    lines = looked(crm)
    assert found(lines) == {}
    assert "contacts: 1, links that would change: 0" in lines["linking_time"].seen
    assert lines["comparison_time"].seen.endswith("last seen of them: 0")
    assert lines["doorbell_rings"].seen.startswith("it last rang at ")


def test_five_things_that_are_wrong_at_once_are_each_named_with_their_remedy(
    firm: Callable[..., Database], crm_url: str, login: str, sql_rows: Rows
) -> None:
    sql_rows(
        "INSERT INTO crm_contact (contact_id, preferred_email) VALUES"
        " ('a', 'home@example.com'), ('b', 'Home@example.com'), ('c', 'no address'), ('d', NULL)"
    )
    sql_rows("DROP INDEX ctct_link_email")
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER constant_contact_no")
    sql_rows("DELETE FROM ctct_schema_version WHERE version = '0031_check'")
    sql_rows(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {login}")
    sql_rows(f"REVOKE UPDATE ON crm_contact FROM {login}")
    lines = looked(firm(as_login(crm_url, login)))
    wrong = found(lines)
    assert wrong == {
        "schema_version": Result.DIFFERS,
        "table_rights": Result.DIFFERS,
        "our_indexes": Result.DIFFERS,
        "contacts_addresses": Result.DIFFERS,
        "shared_addresses": Result.DIFFERS,
        "write_back": Result.REFUSED,
        "doorbell_enabled": Result.DIFFERS,
    }
    remedies = {name: lines[name].remedy or lines[name].assumption.remedy for name in wrong}
    assert f"GRANT CREATE, USAGE ON SCHEMA public TO {login}" in remedies["table_rights"]
    assert f"GRANT UPDATE ON public.crm_contact TO {login}" in remedies["write_back"]
    assert "CREATE INDEX ctct_link_email ON ctct_link (email_key)" in remedies["our_indexes"]
    assert remedies["doorbell_enabled"] == (
        'ALTER TABLE crm_contact ENABLE ALWAYS TRIGGER "constant_contact_no"'
    )
    assert "migrate`" in remedies["schema_version"]
    assert "lacks 0031_check" in lines["schema_version"].seen
    assert "1 with a malformed address, 1 without any" in lines["contacts_addresses"].seen
    assert lines["shared_addresses"].seen == "shared addresses: 1, of 2 contacts"


def test_each_remedy_that_is_told_mends_what_it_is_told_for(
    firm: Callable[..., Database], crm_url: str, login: str, sql_rows: Rows
) -> None:
    sql_rows("DROP INDEX ctct_link_email")
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER constant_contact_yes")
    sql_rows(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {login}")
    sql_rows(f"REVOKE ALL ON crm_contact FROM {login}")
    sql_rows(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {login}")
    crm = firm(as_login(crm_url, login))
    for _ in range(3):
        lines = looked(crm)
        for name in found(lines):
            for statement in STATEMENT.findall(lines[name].remedy or ""):
                sql_rows(statement)
    assert found(looked(crm)) == {}


def test_one_look_that_is_refused_stops_no_other(
    firm: Callable[..., Database], crm_url: str, login: str
) -> None:
    lines = looked(firm(as_login(crm_url, login)))
    assert lines["schema_version"].result == Result.REFUSED
    assert lines["contacts_read"].result == Result.REFUSED
    assert f"GRANT SELECT ON public.crm_contact TO {login}" in (lines["contacts_read"].remedy or "")
    assert lines["contacts_ids"].result == Result.NOT_TRIED
    assert lines["server_encoding"].result == Result.OK
    assert lines["doorbell_enabled"].result == Result.OK


def test_before_the_schema_is_there_it_says_so_and_looks_at_the_rest(
    firm: Callable[..., Database], databases: Databases
) -> None:
    name = databases.create_empty()
    try:
        lines = looked(firm(databases.our_url(databases.url(name))))
    finally:
        databases.drop(name)
    assert lines["schema_version"].result == Result.DIFFERS
    assert lines["schema_version"].seen == "there is no schema of ours yet"
    assert lines["server_version"].result == Result.OK
    assert lines["doorbell"].result == Result.NOT_TRIED
    assert "migrate`" in lines["doorbell"].seen


def test_a_server_that_does_not_answer_ends_the_check(firm: Callable[..., Database]) -> None:
    with pytest.raises(DatabaseUnavailable, match="connection crm_default"):
        check_crm(firm("postgresql://localhost:1/crm"), CONN_ID)


def test_no_row_of_the_database_is_written(
    crm: Database, add_crm_contact: Callable[..., None], sql_rows: Rows
) -> None:
    add_crm_contact("a", "ann@example.com", do_not_email=True)
    versions = "SELECT contact_id, xmin::text, xmax::text FROM crm_contact"
    before = sql_rows(versions)
    check_crm(crm, CONN_ID)
    assert sql_rows(versions) == before
    assert sql_rows("SELECT * FROM ctct_link") == []
