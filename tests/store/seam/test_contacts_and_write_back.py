"""What `make migrate` says of contacts.sql and write_back.sql."""

from pathlib import Path

import pytest

from constant_contact.errors import SettingError
from constant_contact.store.seam import load_seam
from tests.store.seam.firm import BARE, CONTACTS, WRITE_BACK, Check
from tests.support import run_rows


def test_files_that_fit_are_found_without_a_word(check: Check) -> None:
    assert check() == ([], [])
    assert check(write_back=None, doorbell=None) == ([], [])


@pytest.mark.parametrize(
    "contacts",
    [
        BARE,
        CONTACTS + "-- it's done; really",
        "/* A comment;\n of two lines */ " + CONTACTS + " ; \n/* end */\n",
        "WITH living AS (SELECT * FROM firm.person WHERE mail NOT LIKE '%;--') "
        + CONTACTS.replace("firm.person", "living"),
        CONTACTS.replace(";", " WHERE mail LIKE '%@%' OR mail = 'it''s --' OR id <> '';"),
        f"({BARE} WHERE id = 'a') UNION ALL {BARE} WHERE id = 'b'",
    ],
    ids=["bare", "comment", "comments", "with", "percent", "union"],
)
def test_a_select_may_be_written_in_any_way(check: Check, contacts: str) -> None:
    assert check(contacts=contacts) == ([], [])


def test_a_byte_order_mark_is_no_part_of_a_statement(check: Check) -> None:
    assert check(contacts="\ufeff" + CONTACTS).problems == []


@pytest.mark.parametrize(
    ("contacts", "says"),
    [
        (CONTACTS.replace("mail AS pref", "mail AS pre"), "yields no column preferred_email"),
        (CONTACTS.replace("no_mail AS", "1::smallint AS"), "a flag is written as a condition"),
        (CONTACTS.replace("no_mail AS", "'J'::text AS"), "a flag is written as a condition"),
        (CONTACTS.replace("id AS contact_id", "'x' AS contact_id"), "1 of 2 rows have no"),
        (CONTACTS.replace("id AS contact_id", "NULL AS contact_id"), "2 of 2 rows have no"),
        (CONTACTS.replace("id AS contact_id", "'' AS contact_id"), "2 of 2 rows have no"),
        (
            CONTACTS.replace("id AS contact_id", "repeat(id, 2001) AS contact_id"),
            "a contact_id has 2001 bytes, and 2000 are the most",
        ),
        (CONTACTS.replace("firm.person", "firm.persons"), "write the name with its schema"),
        (CONTACTS.replace("AS last_name,", "AS last_name,,"), "syntax error"),
        ("-- nothing yet\n;", "has no statement"),
        ("DELETE FROM firm.person RETURNING id AS contact_id", "syntax error"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_contacts_is_one_line_with_its_remedy(
    check: Check, contacts: str, says: str
) -> None:
    try:
        (problem,) = check(contacts=contacts).problems
    except SettingError as error:
        problem = str(error)
    assert says in problem
    assert "contacts.sql: " in problem
    assert "\n" not in problem


def test_an_address_in_the_wrong_place_is_not_told(check: Check) -> None:
    (problem,) = check(contacts=CONTACTS.replace("no_mail AS", "mail AS")).problems
    assert "boolean" in problem
    assert "ann@example.com" not in problem


def test_a_file_that_is_not_utf_8_says_so(check: Check, tmp_path: Path) -> None:
    check()
    (tmp_path / "contacts.sql").write_bytes("SELECT 'Müller'".encode("latin-1"))
    with pytest.raises(SettingError, match=r"contacts\.sql: is not in UTF-8"):
        load_seam(tmp_path)


@pytest.mark.parametrize(("flag", "is_told"), [("'no'", True), ("NULL", False), ("0", False)])
def test_a_flag_that_is_a_text_is_advice(check: Check, flag: str, is_told: bool) -> None:
    found = check(contacts=CONTACTS.replace("no_mail AS", f"{flag} AS"))
    assert found.problems == []
    assert ["do_not_email is a text" in each for each in found.advice] == [True] * is_told


def test_a_column_or_a_file_that_nothing_reads_is_advice(check: Check, tmp_path: Path) -> None:
    (tmp_path / "writeback.sql").write_text(WRITE_BACK, encoding="utf-8")
    found = check(contacts=CONTACTS.replace("FROM", ", TRUE AS request_by_contact FROM"))
    assert found.problems == []
    assert len(found.advice) == 2
    assert "writeback.sql is not read" in found.advice[0]
    assert "nothing reads its columns request_by_contact" in found.advice[1]


@pytest.mark.parametrize(
    ("change", "id_column", "index"),
    [
        ("ALTER TABLE firm.person DROP CONSTRAINT person_pkey", "id", "firm.person (id)"),
        ("SELECT", "id || '-x'", "firm.person (((id || '-x'::text)))"),
        (
            "ALTER TABLE firm.person DROP CONSTRAINT person_pkey, ADD nr bigint DEFAULT 7;"
            "DELETE FROM firm.person WHERE id = 'b'",
            "nr",
            "firm.person (nr)",
        ),
    ],
)
def test_a_missing_index_for_one_contact_is_advice_with_the_statement_that_makes_it(
    check: Check, url: str, change: str, id_column: str, index: str
) -> None:
    run_rows(url, change)
    contacts = CONTACTS.replace("id AS contact_id", f"{id_column} AS contact_id")
    found = check(contacts=contacts, write_back=None)
    assert found.problems == []
    (advice,) = found.advice
    assert f"CREATE INDEX ON {index}." in advice
    run_rows(url, f"CREATE INDEX ON {index}")
    assert check(contacts=contacts, write_back=None) == ([], [])


_ODD_TABLES = """
CREATE TABLE firm."Kontakt""e" AS SELECT n::text AS "Nr." FROM generate_series(1, 9) AS n;
CREATE VIEW public.contact AS SELECT "Nr." AS id FROM firm."Kontakt""e";
CREATE TABLE firm.part (id bigint) PARTITION BY LIST (id);
CREATE TABLE firm.one PARTITION OF firm.part FOR VALUES IN (1);
CREATE TABLE firm.rest PARTITION OF firm.part DEFAULT PARTITION BY LIST (id);
CREATE TABLE firm.others PARTITION OF firm.rest DEFAULT;
"""


@pytest.mark.parametrize(
    ("id_column", "table", "index"),
    [
        ('"Nr."', 'firm."Kontakt""e"', 'firm."Kontakt""e" ("Nr.")'),
        ("id", "contact", 'firm."Kontakt""e" ("Nr.")'),
        ("id", "firm.part", "firm.part (id)"),
        (
            "k.\"Nr.\" || 'k.'",
            'firm.person AS p JOIN firm."Kontakt""e" AS k ON k."Nr." = p.id',
            """firm."Kontakt""e" ((("Nr." || 'k.'::text)))""",
        ),
    ],
)
def test_the_statement_for_an_index_names_the_table_whatever_leads_to_it(
    check: Check, url: str, id_column: str, table: str, index: str
) -> None:
    run_rows(url, _ODD_TABLES)
    contacts = (
        f"SELECT {id_column} AS contact_id, NULL AS preferred_email, FALSE AS do_not_email,"
        f" NULL AS first_name, NULL AS last_name FROM {table}"
    )
    found = check(contacts=contacts, write_back=None)
    assert found.problems == []
    (advice,) = found.advice
    (_, _, made) = advice.rstrip(".").partition("CREATE INDEX ON ")
    assert made == index
    run_rows(url, f"CREATE INDEX ON {made}")
    assert check(contacts=contacts, write_back=None) == ([], [])


def test_a_role_that_has_switched_index_scans_off_is_told_of_no_missing_index(
    check: Check, url: str, role: str, role_url: str
) -> None:
    for method in ("indexscan", "indexonlyscan", "bitmapscan", "nestloop"):
        run_rows(url, f'ALTER ROLE "{role}" SET enable_{method} = off')
    run_rows(url, f'ALTER ROLE "{role}" SUPERUSER')
    run_rows(url, f'ALTER ROLE "{role}" SET random_page_cost = 1000')
    run_rows(url, "INSERT INTO firm.person (id) SELECT n FROM generate_series(1, 400) AS n")
    run_rows(url, "ANALYZE firm.person")
    assert check(role_url, doorbell=None) == ([], [])


@pytest.mark.parametrize("persons", [0, 1, 5, 1000])
def test_a_write_back_that_reads_the_whole_table_each_time_is_advice(
    check: Check, url: str, persons: int
) -> None:
    run_rows(url, "DELETE FROM firm.person")
    run_rows(url, f"INSERT INTO firm.person (id) SELECT n FROM generate_series(1, {persons}) AS n")
    run_rows(url, "VACUUM ANALYZE firm.person")
    assert check() == ([], [])
    found = check(write_back=WRITE_BACK.replace("person.id =", "person.id || '' ="))
    assert found.problems == []
    (advice,) = found.advice
    assert "each batch reads all of firm.person" in advice


@pytest.mark.parametrize("persons", [0, 5, 1000])
@pytest.mark.parametrize(
    "write_back",
    [
        "UPDATE firm.person SET cc_id = 'x' WHERE id IN (SELECT contact_id FROM changed_link)",
        "UPDATE firm.person SET cc_id = 'x'"
        " WHERE EXISTS (SELECT FROM changed_link WHERE contact_id = person.id)",
        "MERGE INTO firm.person USING changed_link AS changed ON person.id = changed.contact_id"
        " WHEN MATCHED THEN UPDATE SET cc_id = changed.constant_contact_id",
    ],
)
def test_a_write_back_may_be_written_in_many_ways(
    check: Check, url: str, write_back: str, persons: int
) -> None:
    run_rows(url, f"INSERT INTO firm.person (id) SELECT n FROM generate_series(1, {persons}) AS n")
    run_rows(url, "VACUUM ANALYZE firm.person")
    assert check(write_back=write_back) == ([], [])


@pytest.mark.parametrize(
    ("write_back", "says"),
    [
        (WRITE_BACK.replace("person.id =", "7::bigint ="), "changed.contact_id::bigint"),
        (WRITE_BACK.replace("SET cc_id", "SET cc_uid"), 'column "cc_uid"'),
        (WRITE_BACK.replace("= changed.constant_contact_id", "= 1 / 0"), None),
    ],
)
def test_what_is_wrong_with_the_write_back_is_told(
    check: Check, write_back: str, says: str | None
) -> None:
    problems = check(write_back=write_back).problems
    assert [says in problem for problem in problems if says] == ([True] if says else [])
    assert all("write_back.sql: " in problem for problem in problems)


def test_trying_the_files_changes_nothing_not_even_by_the_firms_own_triggers(
    check: Check, url: str
) -> None:
    run_rows(
        url,
        "CREATE TABLE firm.noted (at timestamptz);"
        "CREATE FUNCTION firm.note() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN INSERT INTO firm.noted VALUES (now()); RETURN NULL; END$$;"
        "CREATE TRIGGER note AFTER UPDATE ON firm.person EXECUTE FUNCTION firm.note()",
    )
    assert check() == ([], [])
    assert run_rows(url, "SELECT * FROM firm.noted") == []
