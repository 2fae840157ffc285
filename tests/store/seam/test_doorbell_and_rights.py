"""What `make migrate` says of doorbell.sql, and of rights that a file lacks."""

from typing import Any

import psycopg
import pytest

from tests.store.seam.firm import BARE, CONTACTS, DOORBELL, WRITE_BACK, Check
from tests.support import run_rows


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
