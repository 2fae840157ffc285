"""What `make migrate` says of the files in which a CRM meets this package."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from constant_contact.errors import SettingError
from constant_contact.store.migrations import migrate
from constant_contact.store.seam import load_seam
from constant_contact.store.seam_check import Findings, prepare_seam
from tests.databases import Databases
from tests.support import run_rows

CONTACTS = """
SELECT id AS contact_id, mail AS preferred_email, no_mail AS do_not_email,
    first AS first_name, last AS last_name, cc_id AS constant_contact_id
FROM firm.person;
"""
BARE = CONTACTS.strip().rstrip(";")
WRITE_BACK = """
UPDATE firm.person SET cc_id = changed.constant_contact_id
FROM changed_link AS changed WHERE person.id = changed.contact_id;
"""
DOORBELL = """
CREATE OR REPLACE TRIGGER no_mail AFTER UPDATE ON firm.person
FOR EACH ROW WHEN (new.no_mail AND NOT old.no_mail)
EXECUTE FUNCTION ctct_ring('id', 'mail', 'true');
ALTER TABLE firm.person ENABLE ALWAYS TRIGGER no_mail;
"""
TABLE = """
CREATE SCHEMA firm;
CREATE TABLE firm.person (
    id text PRIMARY KEY, mail text, first text, last text, no_mail boolean, cc_id text
);
INSERT INTO firm.person (id, mail) VALUES ('a', 'ann@example.com'), ('b', NULL);
"""

Check = Callable[..., Findings]


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


@pytest.mark.parametrize(
    ("doorbell", "says"),
    [
        (DOORBELL.replace("'id'", "'nr'"), "names a column nr, which does not exist"),
        (DOORBELL.replace("'true'", "'yes'"), "ctct_ring has three arguments"),
        (DOORBELL.replace(", 'mail'", ""), "ctct_ring has three arguments"),
        ("SELECT 1", "makes no trigger that calls ctct_ring"),
    ],
)
def test_a_doorbell_that_would_be_silent_is_not_made(
    check: Check, url: str, doorbell: str, says: str
) -> None:
    (problem,) = check(doorbell=doorbell).problems
    assert says in problem
    assert run_rows(url, "SELECT FROM pg_trigger WHERE tgname = 'no_mail'") == []


@pytest.mark.parametrize("end", ["ALTER", "nowhere"])
def test_a_view_has_no_doorbell_and_that_is_advice(check: Check, url: str, end: str) -> None:
    run_rows(url, "CREATE VIEW firm.people AS SELECT * FROM firm.person")
    found = check(
        contacts=CONTACTS.replace("firm.person", "firm.people"),
        write_back=WRITE_BACK.replace("firm.person", "firm.people AS person"),
        doorbell=DOORBELL.partition(end)[0].replace("firm.person", "firm.people"),
    )
    assert found.problems == []
    (advice,) = found.advice
    assert "firm.people is a view, which has no row triggers" in advice
    assert "every quarter of an hour" in advice


def test_each_missing_right_is_told_with_its_grant_until_none_is_missing(
    check: Check, url: str, role: str, role_url: str
) -> None:
    seen: list[str] = []
    for _ in range(6):
        problems = check(role_url).problems
        if not problems:
            break
        grants = [each for problem in problems for each in _grants(problem)]
        assert grants, problems
        seen += problems
        run_rows(url, ";".join(grants))
        if any("only its owner" in problem for problem in problems):
            run_rows(url, DOORBELL)
    assert check(role_url) == ([], [])
    for grant in (
        "USAGE ON SCHEMA firm", "SELECT ON firm.person", "UPDATE ON firm.person",
        "EXECUTE ON FUNCTION ctct_ring()",
    ):  # fmt: skip
        assert any(f"GRANT {grant} TO" in problem for problem in seen)
    assert all(f'"{role}"' in problem for problem in seen)


def test_a_doorbell_that_only_makes_triggers_needs_no_owner(
    check: Check, url: str, role: str, role_url: str
) -> None:
    run_rows(
        url,
        f'GRANT USAGE ON SCHEMA firm TO "{role}"; GRANT SELECT, UPDATE ON firm.person TO "{role}"',
    )
    doorbell = DOORBELL.partition("ALTER")[0]
    (problem,) = check(role_url, doorbell=doorbell).problems
    assert problem.endswith(f'GRANT TRIGGER ON firm.person TO "{role}".')
    run_rows(url, f'GRANT TRIGGER ON firm.person TO "{role}"')
    assert check(role_url, doorbell=doorbell) == ([], [])


def _grants(problem: str) -> list[str]:
    found = [f"GRANT {part}" for part in problem.rstrip(".").split("GRANT ")[1:]]
    # A remedy may name others after the first.
    return [found[0].partition(", or")[0].partition("; or")[0].strip()] if found else []


def test_a_policy_that_may_hide_contacts_is_told_with_what_mends_it(
    check: Check, url: str, role: str, role_url: str
) -> None:
    quoted = f'"{role}"'
    run_rows(
        url,
        f"GRANT USAGE ON SCHEMA firm TO {quoted}; GRANT SELECT, UPDATE ON firm.person TO {quoted};"
        "ALTER TABLE firm.person ENABLE ROW LEVEL SECURITY;"
        f"CREATE POLICY a_few ON firm.person TO {quoted} USING (id = 'a')",
    )
    problems = check(role_url, doorbell=None, write_back=None).problems
    assert len(problems) == 1
    assert "row-level security of firm.person may hide contacts" in problems[0]
    assert f"ALTER ROLE {quoted} BYPASSRLS" in problems[0]
    run_rows(
        url,
        f"CREATE VIEW firm.people AS SELECT * FROM firm.person;"
        f"GRANT SELECT ON firm.people TO {quoted}",
    )
    by_view = CONTACTS.replace("firm.person", "firm.people")
    assert check(role_url, contacts=by_view, doorbell=None, write_back=None).problems == []
    run_rows(url, f"ALTER ROLE {quoted} BYPASSRLS")
    assert check(role_url, doorbell=None).problems == []


def test_a_table_that_inherits_from_one_that_rings_is_advice(check: Check, url: str) -> None:
    run_rows(url, "CREATE TABLE firm.vip (PRIMARY KEY (id)) INHERITS (firm.person)")
    (advice,) = check().advice
    assert "firm.vip has its columns by inheritance, which brings no trigger" in advice
    assert check(doorbell=DOORBELL + DOORBELL.replace("person", "vip")) == ([], [])


def test_a_partition_rings_by_its_tables_trigger(check: Check, url: str) -> None:
    run_rows(
        url,
        "DROP TABLE firm.person; CREATE TABLE firm.person (id text PRIMARY KEY, mail text,"
        " first text, last text, no_mail boolean, cc_id text) PARTITION BY HASH (id);"
        "CREATE TABLE firm.all PARTITION OF firm.person FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
    )
    assert check() == ([], [])


@pytest.mark.parametrize("kind", ["STORED", "VIRTUAL"])
def test_a_column_that_no_trigger_sees_is_told(check: Check, url: str, kind: str) -> None:
    with psycopg.connect(url) as connection:
        # Before PostgreSQL 18 each generated column is stored.
        is_seen = kind == "STORED" or connection.info.server_version < 180_000
    made = f"GENERATED ALWAYS AS (mail) {'STORED' if is_seen else kind}"
    run_rows(url, f"ALTER TABLE firm.person ADD made text {made}")
    problems = check(doorbell=DOORBELL.replace("'mail'", "'made'")).problems
    assert ["names a column made" in each for each in problems] == ([] if is_seen else [True])


def test_a_right_to_some_columns_is_told_with_the_grant_of_all(
    check: Check, url: str, role: str, role_url: str
) -> None:
    run_rows(
        url,
        f'GRANT USAGE ON SCHEMA firm TO "{role}";'
        f'GRANT SELECT (id, mail), UPDATE (last) ON firm.person TO "{role}"',
    )
    told = check(role_url, doorbell=None).problems
    assert len(told) == 3
    for grant in (grant for problem in told for grant in _grants(problem)):
        run_rows(url, grant)
    assert check(role_url, doorbell=None) == ([], [])


@pytest.mark.parametrize("is_forced", [False, True])
def test_no_remedy_is_the_command_that_tells_it(
    check: Check, url: str, role: str, role_url: str, is_forced: bool
) -> None:
    run_rows(
        url,
        f'GRANT USAGE ON SCHEMA firm TO "{role}"; CREATE ROLE "{role} v";'
        f'GRANT USAGE ON SCHEMA firm TO "{role} v"; GRANT SELECT ON firm.person TO "{role} v";'
        "ALTER TABLE firm.person ENABLE ROW LEVEL SECURITY;"
        "CREATE VIEW firm.people AS SELECT * FROM firm.person;"
        f'GRANT SELECT ON firm.people TO "{role}";'
        f'ALTER VIEW firm.people OWNER TO "{role} v"',
    )
    if is_forced:
        run_rows(url, f'ALTER TABLE firm.person FORCE ROW LEVEL SECURITY, OWNER TO "{role} v"')
    contacts = CONTACTS.replace("firm.person", "firm.people")
    (problem,) = check(role_url, contacts=contacts, write_back=None, doorbell=None).problems
    assert "make migrate" not in problem
    assert "the view's owner" in problem
    run_rows(url, f'ALTER ROLE "{role} v" BYPASSRLS')
    assert check(role_url, contacts=contacts, write_back=None, doorbell=None) == ([], [])
    run_rows(url, f'DROP OWNED BY "{role} v" CASCADE; DROP ROLE "{role} v"')


def test_a_role_without_inheritance_is_not_told_to_join_the_owner(
    check: Check, url: str, role: str, role_url: str
) -> None:
    run_rows(url, f'GRANT USAGE ON SCHEMA firm TO "{role}"; ALTER ROLE "{role}" NOINHERIT')
    (problem,) = check(role_url, contacts=BARE, write_back=None).problems[1:]
    assert "run this file once" in problem
    assert " or GRANT " not in problem


def test_a_view_that_cannot_be_written_is_the_files_fault(check: Check, url: str) -> None:
    run_rows(url, "CREATE VIEW firm.people AS SELECT DISTINCT id, cc_id FROM firm.person")
    write_back = (
        "UPDATE firm.people SET cc_id = changed.constant_contact_id"
        " FROM changed_link AS changed WHERE people.id = changed.contact_id"
    )
    (problem,) = check(write_back=write_back).problems
    assert 'cannot update view "people"; correct it' in problem


def test_a_table_that_somebody_holds_is_told_and_the_rest_is_checked(
    check: Check, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("constant_contact.store.seam_check._LOCK_TIMEOUT", "100ms")
    with psycopg.connect(url) as holding:
        holding.execute("UPDATE firm.person SET last = 'x'")
        (problem,) = check(contacts=CONTACTS).problems
    assert "doorbell.sql: " in problem
    assert "run `make migrate` again" in problem


def test_names_in_quotes_are_found_as_they_are(check: Check, url: str, role_url: str) -> None:
    run_rows(
        url,
        'CREATE TABLE firm."Order" ("Select" text PRIMARY KEY, "No Mail" boolean, "From" text,'
        ' "it\'s" text)',
    )
    contacts = (
        'SELECT "Select" AS contact_id, "From" AS preferred_email, "No Mail" AS do_not_email,'
        ' "it\'s" AS first_name, NULL AS last_name FROM firm."Order"'
    )
    doorbell = (
        'CREATE OR REPLACE TRIGGER "Bell" AFTER UPDATE ON firm."Order" FOR EACH ROW'
        " WHEN (new.\"No Mail\") EXECUTE FUNCTION ctct_ring('Select', 'From', 'true')"
    )
    write_back = (
        'UPDATE firm."Order" SET "it\'s" = changed.constant_contact_id FROM changed_link AS changed'
        ' WHERE "Order"."Select" = changed.contact_id'
    )
    files: dict[str, Any] = {"contacts": contacts, "write_back": write_back, "doorbell": doorbell}
    assert check(**files) == ([], [])


def test_a_quoted_name_is_granted_in_quotes(check: Check, url: str, role_url: str) -> None:
    run_rows(url, 'GRANT USAGE ON SCHEMA firm TO PUBLIC; ALTER TABLE firm.person RENAME TO "Order"')
    problems = check(
        role_url,
        contacts=CONTACTS.replace("firm.person", 'firm."Order"'),
        write_back=None,
        doorbell=None,
    ).problems
    assert len(problems) == 1
    assert 'GRANT SELECT ON firm."Order" TO ' in problems[0]
