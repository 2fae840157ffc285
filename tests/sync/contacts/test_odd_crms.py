"""What other CRMs do to their tables, none of which is in the way of a look or a write-back."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from constant_contact.store.database import Database
from constant_contact.store.migrations import migrate
from constant_contact.store.seam import load_seam
from constant_contact.store.seam_check import Findings, prepare_seam
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.crm.crm_contacts import see_contacts
from constant_contact.sync.crm.write_back import write_back
from tests.databases import Databases
from tests.support import run_rows

TABLE = "CREATE TABLE person (id text PRIMARY KEY, mail text, no boolean, cc text)"
CONTACTS = (
    "SELECT id AS contact_id, mail AS preferred_email, no AS do_not_email, NULL AS first_name,"
    " NULL AS last_name, cc AS constant_contact_id FROM person"
)
WRITE_BACK = (
    "UPDATE person SET cc = changed.constant_contact_id FROM changed_link AS changed"
    " WHERE person.id = changed.contact_id"
)
DOORBELL = (
    "CREATE OR REPLACE TRIGGER bell AFTER UPDATE ON person FOR EACH ROW"
    " WHEN (new.no AND old.no IS NOT TRUE) EXECUTE FUNCTION ctct_ring('id', 'mail', 'true')"
)
VENDORS = (
    "INSERT INTO ctct_contact (contact_id, email_address, permission_to_send, mirrored_at)"
    " SELECT 'v' || n, n || '@example.com', 'implicit', now() FROM generate_series(1, 3) AS n"
)


class Firm:
    """A CRM of its own, met by three files."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self._folder = folder
        self._open: list[Database] = []

    def rows(self, statement: str, *params: Any) -> list[dict[str, Any]]:
        return run_rows(self.url, statement, *params)

    def begin(self, table: str = TABLE, **files: str) -> tuple[Database, Findings]:
        """Make the table and what `make migrate` makes; the files are those above unless given."""
        self.rows(table)
        given = {"contacts": CONTACTS, "write_back": WRITE_BACK, "doorbell": DOORBELL} | files
        for name, text in given.items():
            (self._folder / f"{name}.sql").write_text(text, encoding="utf-8")
        seam = load_seam(self._folder)
        with psycopg.connect(self.url) as connection:
            migrate(connection, has_contacts=False)
            found = prepare_seam(connection, seam)
        self.rows(VENDORS)
        self._open.append(Database(lambda: psycopg.connect(self.url), name="crm", seam=seam))
        return self._open[-1], found

    def seen(self) -> list[tuple[str, str | None, str | None]]:
        return [
            (row["contact_id"], row["constant_contact_id"], row["written_id"])
            for row in self.rows('SELECT * FROM ctct_link ORDER BY contact_id COLLATE "C"')
        ]

    def close(self) -> None:
        for each in self._open:
            each.close()


@pytest.fixture
def firm(databases: Databases, tmp_path: Path) -> Iterator[Firm]:
    name = databases.create_empty()
    made = Firm(databases.url(name), tmp_path)
    yield made
    made.close()
    databases.drop(name)


ODD_IDS = [
    "a",
    "A",
    "a ",
    " a",
    "a'b",
    'a"b',
    "a\\b",
    "a%b",
    "a{}b",
    "ä",
    "a\nb",
    "a\tb",
    "é" * 999,
]


def test_odd_ids_are_told_apart_and_written_back(firm: Firm) -> None:
    crm, found = firm.begin()
    assert found == ([], [])
    for each in ODD_IDS:
        firm.rows("INSERT INTO person (id, mail) VALUES (%s, '1@example.com')", each)
    report = link_contacts(crm)
    assert (report.appeared, report.linked, report.written) == (len(ODD_IDS),) * 3
    assert {row["cc"] for row in firm.rows("SELECT cc FROM person")} == {"v1"}
    firm.rows("UPDATE person SET no = TRUE")
    rung = firm.rows("SELECT contact_id FROM crm_opt_out_change")
    assert sorted(row["contact_id"] for row in rung) == sorted(ODD_IDS)
    again = see_contacts(crm, ODD_IDS)
    assert (again.appeared, again.changed, again.left) == (0, len(ODD_IDS), 0)


def test_an_address_or_a_name_of_any_length_stops_no_look(firm: Firm) -> None:
    crm, _ = firm.begin(contacts=CONTACTS.replace("NULL AS first_name", "mail AS first_name"))
    noise = firm.rows("SELECT string_agg(md5(n::text), '') AS it FROM generate_series(1, 999) AS n")
    firm.rows("INSERT INTO person VALUES ('long', %s || '@example.com'), ('b', '2@example.com')",
              noise[0]["it"])  # fmt: skip
    assert link_contacts(crm).appeared == 2
    assert ("b", "v2", "v2") in firm.seen()


@pytest.mark.parametrize(
    "table",
    [
        "CREATE TABLE person (id text, mail text, no boolean, cc text, PRIMARY KEY (id))"
        " PARTITION BY LIST (id); CREATE TABLE p0 PARTITION OF person FOR VALUES IN ('0');"
        "CREATE TABLE p1 PARTITION OF person DEFAULT",
        "CREATE TABLE person (nr text, mail text, no boolean, cc text,"
        " id text GENERATED ALWAYS AS ('P' || nr) STORED PRIMARY KEY)",
        "CREATE TABLE base (id text PRIMARY KEY, mail text);"
        "CREATE TABLE person (no boolean, cc text, PRIMARY KEY (id)) INHERITS (base)",
        "CREATE UNLOGGED TABLE person (id varchar PRIMARY KEY, mail varchar, no boolean, cc text)",
    ],
    ids=["partitioned", "generated", "inherited", "unlogged"],
)
def test_tables_of_other_kinds_work_alike(firm: Firm, table: str) -> None:
    crm, found = firm.begin(table)
    assert found == ([], [])
    column = "nr" if "GENERATED" in table else "id"
    firm.rows(f"INSERT INTO person ({column}, mail) VALUES ('1', '1@example.com')")
    assert (link_contacts(crm).linked, firm.rows("SELECT cc FROM person")) == (1, [{"cc": "v1"}])
    firm.rows("UPDATE person SET no = TRUE")
    ((who, _, _),) = firm.seen()
    assert firm.rows("SELECT contact_id FROM crm_opt_out_change") == [{"contact_id": who}]
    assert see_contacts(crm, [who]).changed == 1


def test_an_id_that_is_there_twice_says_no_if_either_row_does(firm: Firm) -> None:
    crm, _ = firm.begin(TABLE.replace(" PRIMARY KEY", ""), doorbell="SELECT")
    firm.rows("INSERT INTO person (id, mail, no) VALUES ('1', '1@example.com', FALSE)")
    see_contacts(crm)
    # One row is as it was seen, the other differs.
    firm.rows("INSERT INTO person (id, mail, no) VALUES ('1', '1@example.com', TRUE)")
    for contact_ids in (None, ["1"], None):
        report = see_contacts(crm, contact_ids)
        assert (report.doubled, report.appeared, report.left) == (1, 0, 0)
        assert firm.rows("SELECT do_not_email FROM ctct_link") == [{"do_not_email": True}]
    assert report.changed == 0
    firm.rows("INSERT INTO person (id, mail) VALUES (NULL, '2@example.com'), ('', '3@example.com')")
    report = see_contacts(crm)
    assert (report.doubled, report.without_id, report.appeared) == (1, 2, 0)


def test_a_table_may_be_swapped_altered_and_reloaded_between_looks(firm: Firm) -> None:
    crm, _ = firm.begin()
    firm.rows("INSERT INTO person SELECT n, n || '@example.com' FROM generate_series(1, 3) AS n")
    # As often as a driver prepares a statement of its own accord.
    for _ in range(7):
        link_contacts(crm)
    links = firm.seen()
    firm.rows(
        "CREATE TABLE reloaded AS SELECT id::varchar(9), mail::varchar(99), no, cc, 1 AS more"
        " FROM person; ALTER TABLE person RENAME TO person_old;"
        "ALTER TABLE reloaded RENAME TO person; DROP TABLE person_old"
    )
    report = link_contacts(crm)
    assert (report.appeared, report.left, report.relinked, report.written) == (0, 0, 0, 0)
    firm.rows("TRUNCATE person")
    assert link_contacts(crm).left == 3
    firm.rows("INSERT INTO person SELECT n, n || '@example.com' FROM generate_series(1, 3) AS n")
    report = link_contacts(crm)
    assert (report.appeared, report.written) == (3, 3)
    assert firm.seen() == links


def test_a_locked_row_waits_for_the_next_run_and_holds_up_nothing(firm: Firm) -> None:
    crm, _ = firm.begin()
    firm.rows("INSERT INTO person SELECT n, n || '@example.com' FROM generate_series(1, 3) AS n")
    with psycopg.connect(firm.url) as holding:
        holding.execute("SELECT FROM person WHERE id = '2' FOR UPDATE")
        report = link_contacts(crm)
        assert (report.linked, report.write_failed) == (3, 3)
    assert write_back(crm).written == 3
    assert firm.rows("SELECT count(*) FROM person WHERE cc IS NOT NULL") == [{"count": 3}]


def test_a_constraint_that_is_looked_at_by_the_commit_costs_its_row_alone(firm: Firm) -> None:
    crm, _ = firm.begin(
        "CREATE TABLE known (cc text PRIMARY KEY); INSERT INTO known VALUES ('v1'), ('v3');"
        + TABLE.replace("cc text", "cc text REFERENCES known DEFERRABLE INITIALLY DEFERRED")
    )
    firm.rows("INSERT INTO person SELECT n, n || '@example.com' FROM generate_series(1, 3) AS n")
    report = link_contacts(crm)
    assert (report.linked, report.written, report.write_failed) == (3, 2, 1)


def test_a_flag_that_cannot_be_set_is_set_by_the_next_run(firm: Firm) -> None:
    crm, _ = firm.begin(
        flag_back="UPDATE person SET no = TRUE FROM changed_flag AS changed"
        " WHERE person.id = changed.contact_id"
    )
    firm.rows("INSERT INTO person VALUES ('1', '1@example.com')")
    link_contacts(crm)
    firm.rows(
        "UPDATE ctct_contact SET permission_to_send = 'unsubscribed', opt_out_source = 'Contact'"
    )
    with psycopg.connect(firm.url) as holding:
        holding.execute("SELECT FROM person FOR UPDATE")
        assert link_contacts(crm).flagged_back == 0
    assert link_contacts(crm).flagged_back == 1
    assert firm.rows("SELECT no FROM person") == [{"no": True}]


def test_a_trigger_of_theirs_that_refuses_a_row_costs_that_row_alone(
    firm: Firm, caplog: pytest.LogCaptureFixture
) -> None:
    crm, _ = firm.begin(
        TABLE + "; CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
        " IF NEW.id = '2' THEN RAISE 'no: %', NEW.mail; END IF; RETURN NEW; END$$;"
        "CREATE TRIGGER refuse BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    firm.rows("INSERT INTO person SELECT n, n || '@example.com' FROM generate_series(1, 3) AS n")
    report = link_contacts(crm)
    assert (report.linked, report.written, report.write_failed) == (3, 2, 1)
    assert "CRM contact 2: no: <email>" in caplog.text
    assert "2@example.com" not in caplog.text


def test_a_write_back_that_passes_over_rows_is_told(
    firm: Firm, caplog: pytest.LogCaptureFixture
) -> None:
    crm, _ = firm.begin(write_back=WRITE_BACK + " AND person.id <> '2'")
    firm.rows("INSERT INTO person SELECT n, n || '@example.com' FROM generate_series(1, 3) AS n")
    link_contacts(crm)
    assert "write_back.sql: changed 2 rows for 3 contacts" in caplog.text
    # As long as it is so.
    link_contacts(crm)
    assert "write_back.sql: changed 0 rows for 1 contacts" in caplog.text


def test_looks_at_the_same_time_neither_fail_nor_double(firm: Firm) -> None:
    crm, _ = firm.begin()
    firm.rows("INSERT INTO person SELECT n, n || '@example.com' FROM generate_series(1, 3) AS n")
    failed: list[BaseException] = []

    def look() -> None:
        try:
            link_contacts(crm)
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=look) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []
    assert firm.seen() == [(str(n), f"v{n}", f"v{n}") for n in (1, 2, 3)]


def test_a_column_that_was_renamed_since_stops_no_write_of_the_crms(firm: Firm) -> None:
    firm.begin()
    firm.rows("INSERT INTO person VALUES ('1', '1@example.com')")
    firm.rows("ALTER TABLE person RENAME id TO nr")
    firm.rows("UPDATE person SET no = TRUE")
    assert firm.rows("SELECT * FROM crm_opt_out_change") == []
