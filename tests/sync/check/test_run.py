"""A whole check: both sides, kept, compared with the last one, and written into a file."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from constant_contact.api.client import Client
from constant_contact.errors import SettingError
from constant_contact.store.database import Database
from constant_contact.store.seam import load_seam
from constant_contact.sync.check import run
from constant_contact.sync.check.assumptions import Line, Result, Side
from constant_contact.sync.check.results import ASSUMED, as_file, load_last
from constant_contact.sync.check.run import CheckReport, Writes, run_check
from constant_contact.sync.check.trial_contact import TrialContact
from constant_contact.sync.check.vendor_assumptions import WRITES
from constant_contact.sync.check.vendor_reads import READ_CALLS
from constant_contact.sync.check.vendor_writes import WRITE_CALLS
from simulator.server import Running
from tests.support import CONN_ID, Rows, vendor_contact

NO_WRITES = Writes()
Check = Callable[..., tuple[dict[str, run.CheckedLine], CheckReport]]


@pytest.fixture
def check(crm: Database, make_client: Callable[..., Client]) -> Check:
    """Runs a check; returns its lines by name, and its report."""

    def run_it(
        writes: Writes = NO_WRITES, crm: Database = crm
    ) -> tuple[dict[str, run.CheckedLine], CheckReport]:
        checked, report = run_check(crm, partial(lent, make_client), CONN_ID, writes)
        return {line.name: line for line in checked.lines}, report

    return run_it


@contextmanager
def lent(make_client: Callable[..., Client], lane: str = "engagement") -> Iterator[Client]:
    yield make_client(lane)


def test_a_check_tells_a_line_of_each_assumption_and_keeps_them(
    check: Check, crm: Database
) -> None:
    lines, report = check()
    assert list(lines) == list(ASSUMED)
    assert report.ok + report.not_tried == len(lines)
    assert (report.found, report.not_kept) == ({}, "")
    with crm.transaction() as connection:
        kept = load_last(connection)
    assert kept is not None
    assert kept.lines == list(lines.values())


def test_what_changed_since_the_last_check_that_tried_it_is_told(
    check: Check, sql_rows: Rows
) -> None:
    check()
    sql_rows("DROP INDEX ctct_link_email")
    lines, report = check()
    assert (report.changed, report.found) == (1, {"our_indexes": "differs"})
    assert lines["our_indexes"].result_before == "ok"
    assert "differs: our_indexes: missing or invalid: ctct_link_email (was ok). " in str(
        lines["our_indexes"]
    )
    lines, report = check()
    assert (report.changed, report.found) == (0, {"our_indexes": "differs"})
    sql_rows("CREATE INDEX ctct_link_email ON ctct_link (email_key)")
    lines, report = check()
    assert (report.changed, report.found) == (1, {})
    assert lines["our_indexes"].result_before == "differs"


def test_an_account_that_cannot_be_asked_leaves_the_lines_of_the_crm(crm: Database) -> None:
    def refuse() -> AbstractContextManager[Client]:
        raise SettingError(f"connection {CONN_ID}", "does not exist; add it")

    checked, report = run_check(crm, refuse, CONN_ID, NO_WRITES)
    asked = [line for line in checked.lines if line.side == "reads"]
    assert {line.result for line in asked} == {"not tried"}
    assert {line.remedy for line in asked} == {f"connection {CONN_ID}: does not exist; add it."}
    assert report.ok > 10
    assert report.not_kept == ""


def test_what_could_not_be_tried_is_no_change_and_is_compared_with_when_it_could(
    check: Check, crm: Database
) -> None:
    def refuse() -> AbstractContextManager[Client]:
        raise SettingError(f"connection {CONN_ID}", "does not exist; add it")

    check()
    _, report = run_check(crm, refuse, CONN_ID, NO_WRITES)
    assert report.changed == 0
    _, report = check()
    assert report.changed == 0


def test_a_schema_without_the_tables_of_a_check_keeps_none_and_says_so(
    check: Check, sql_rows: Rows
) -> None:
    sql_rows("DROP TABLE ctct_check_line, ctct_check")
    sql_rows("DELETE FROM ctct_schema_version WHERE version = '0031_check'")
    lines, report = check()
    assert lines["schema_version"].result == "differs"
    assert lines["server_version"].result == "ok"
    assert report.not_kept == "the CRM's lines say why"


def test_writes_want_a_contact() -> None:
    with pytest.raises(SettingError, match="param test_contact_id: is empty"):
        Writes(are_allowed=True)


@pytest.mark.parametrize("address", ["ann@example.com", "ann%40example.com", "@"])
def test_an_address_is_no_id_and_is_not_repeated(address: str) -> None:
    with pytest.raises(SettingError, match="param test_contact_id: has the form of") as refused:
        Writes(address, are_allowed=True)
    assert address not in str(refused.value)


@pytest.mark.parametrize(
    ("writes", "why"),
    [
        (Writes(), "explicit yes"),
        (Writes("a"), "explicit yes"),
        (Writes("nobody", are_allowed=True), "no contact of this id with an address"),
        (Writes("empty", are_allowed=True), "no contact of this id with an address"),
        (Writes("flagged", are_allowed=True), "must not be emailed"),
        (Writes("empty flag", are_allowed=True), "must not be emailed"),
        (Writes("objects", are_allowed=True), "must not be emailed"),
        (Writes("shares", are_allowed=True), "more than one contact with this address"),
    ],
)
def test_nothing_is_written_without_a_yes_and_a_contact_that_may_be_emailed(
    check: Check,
    add_crm_contact: Callable[..., None],
    sql_rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
    writes: Writes,
    why: str,
) -> None:
    monkeypatch.setattr(run, "write_vendor", lambda *_: pytest.fail("it wrote"))
    add_crm_contact("a", "ann@example.com")
    add_crm_contact("empty", None)
    add_crm_contact("flagged", "flag@example.com", do_not_email=True)
    add_crm_contact("empty flag", "fay@example.com", do_not_email=None)
    add_crm_contact("objects", "Objects@example.com")
    add_crm_contact("shares", "house@example.com")
    add_crm_contact("spouse", " House@Example.com", do_not_email=True)
    sql_rows(
        "INSERT INTO ctct_objection (source, email_digest, objected_at) VALUES"
        " ('click', ctct_email_digest('objects@example.com'), now())"
    )
    lines, _ = check(writes)
    judged = [lines[each.name] for each in WRITES]
    assert {line.result for line in judged} == {"not tried"}
    assert all(why in line.seen for line in judged)


def test_the_writes_get_the_address_that_the_crm_has_now_and_no_line_shows_it(
    check: Check, add_crm_contact: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []

    def write(_: Client, contact: TrialContact) -> Iterator[Line]:
        given.append(contact.address)
        yield from (Line(each, Result.OK, f"made {contact.address}") for each in WRITES)

    monkeypatch.setattr(run, "write_vendor", write)
    add_crm_contact("a", "ann@example.com")
    lines, _ = check(Writes("a", are_allowed=True))
    assert given == ["ann@example.com"]
    assert "ann@" not in str([*lines.values()])


@pytest.mark.parametrize("second", ["ann@example.com", "other@example.com", None])
def test_an_id_that_the_crm_has_twice_is_not_written_to(
    check: Check,
    crm: Database,
    crm_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    second: str | None,
) -> None:
    monkeypatch.setattr(run, "write_vendor", lambda *_: pytest.fail("it wrote"))
    address = f"'{second}'" if second else "NULL::text"
    (tmp_path / "contacts.sql").write_text(
        "SELECT contact_id, preferred_email, do_not_email, NULL AS first_name, NULL AS last_name"
        f" FROM (VALUES ('a', 'ann@example.com', false), ('a', {address}, true))"
        " AS person (contact_id, preferred_email, do_not_email)"
    )
    firm = Database(
        lambda: psycopg.connect(crm_url), name="connection crm_default", seam=load_seam(tmp_path)
    )
    with closing(firm):
        lines, _ = check(Writes("a", are_allowed=True), crm=firm)
    assert "more than one contact with this address or this id" in lines["own_list"].seen


def test_a_replica_is_not_believed(
    check: Check,
    crm: Database,
    crm_url: str,
    add_crm_contact: Callable[..., None],
    sql_rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "write_vendor", lambda *_: pytest.fail("it wrote"))
    add_crm_contact("a", "ann@example.com")
    sql_rows("CREATE SCHEMA replica")
    sql_rows("CREATE FUNCTION replica.pg_is_in_recovery() RETURNS boolean LANGUAGE sql RETURN true")
    replica = Database(
        lambda: psycopg.connect(crm_url),
        name="connection crm_replica",
        settings={"search_path": "replica, pg_catalog, public"},
    )
    with closing(replica):
        monkeypatch.setattr(crm, "contacts", replica)
        lines, _ = check(Writes("a", are_allowed=True))
    assert "contacts.sql is read from a replica" in lines["own_list"].seen


def test_writes_are_not_begun_where_the_days_calls_may_end_in_the_middle(
    crm: Database, make_client: Callable[..., Client], add_crm_contact: Callable[..., None]
) -> None:
    add_crm_contact("a", "ann@example.com")
    few = partial(make_client, calls_per_day=READ_CALLS + WRITE_CALLS)
    checked, _ = run_check(crm, partial(lent, few), CONN_ID, Writes("a", are_allowed=True))
    judged = [line for line in checked.lines if line.side == Side.WRITES]
    assert {line.result for line in judged} == {"not tried"}
    assert {line.seen for line in judged} == {
        f"fewer than {WRITE_CALLS} of the day's calls are left: try writes after 00:00 UTC"
    }


def test_the_writes_may_use_what_other_jobs_must_leave_of_the_day(
    crm: Database,
    make_client: Callable[..., Client],
    add_crm_contact: Callable[..., None],
    sql_rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_crm_contact("a", "ann@example.com")
    calls_per_day = 1000
    calls_left: list[int] = []

    def write(client: Client, _: TrialContact) -> Iterator[Line]:
        sql_rows("UPDATE ctct_api_budget SET calls = %s", calls_per_day * 9 // 10)
        calls_left.append(client.calls_left())
        yield from (Line(each, Result.OK, "") for each in WRITES)

    monkeypatch.setattr(run, "write_vendor", write)
    limited = partial(make_client, calls_per_day=calls_per_day)
    run_check(crm, partial(lent, limited), CONN_ID, Writes("a", are_allowed=True))
    assert calls_left == [calls_per_day // 10]


def test_two_checks_never_write_at_once(
    check: Check,
    crm: Database,
    add_crm_contact: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_crm_contact("a", "ann@example.com")
    second: dict[str, run.CheckedLine] = {}

    def write(_: Client, contact: TrialContact) -> Iterator[Line]:
        if not second:
            second.update(check(Writes("a", are_allowed=True))[0])
        yield from (Line(each, Result.OK, "") for each in WRITES)

    monkeypatch.setattr(run, "write_vendor", write)
    first, _ = check(Writes("a", are_allowed=True))
    assert {first[each.name].result for each in WRITES} == {"ok"}
    assert {second[each.name].result for each in WRITES} == {"not tried"}
    assert "another check tries writes now" in second["removal"].seen


PLANTED = (
    "ann@example.com",
    "Aurelia",
    "Quarterly gossip",
    "firm_secrets",
    "vip_person",
    "vip_view",
    "crm_app",
)


def test_the_file_names_nobody_and_no_place(
    check: Check, crm: Database, crm_url: str, simulator: Running, sql_rows: Rows, tmp_path: Path
) -> None:
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com", first_name="Aurelia")],
        lists=[{"name": "Quarterly gossip"}],
    )
    sql_rows("CREATE SCHEMA firm_secrets")
    sql_rows(
        "CREATE TABLE firm_secrets.vip_person (id text, mail text, firm_secrets boolean);"
        " INSERT INTO firm_secrets.vip_person VALUES ('a', 'ann@example.com', NULL);"
        " CREATE VIEW firm_secrets.vip_view AS SELECT id, mail FROM firm_secrets.vip_person"
    )
    login = f"crm_app_{conninfo_to_dict(crm_url)['dbname']}"
    sql_rows(f"CREATE ROLE {login} LOGIN PASSWORD 'x'")
    sql_rows(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {login}")
    sql_rows(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {login}")
    folder = tmp_path / "firm_secrets"
    folder.mkdir()
    (folder / "contacts.sql").write_text(
        "SELECT id AS contact_id, mail AS preferred_email, firm_secrets AS do_not_email,"
        " 'Aurelia' AS first_name, NULL AS last_name FROM firm_secrets.vip_person"
    )
    (folder / "write_back.sql").write_text("UPDATE firm_secrets.vip_person SET gossip = 'x'")
    (folder / "doorbell.sql").write_text(
        "CREATE OR REPLACE TRIGGER vip_person AFTER UPDATE ON firm_secrets.vip_person"
        " FOR EACH ROW EXECUTE FUNCTION ctct_ring('id', 'mail', 'true');"
        " CREATE OR REPLACE TRIGGER vip_view INSTEAD OF UPDATE ON firm_secrets.vip_view"
        " FOR EACH ROW EXECUTE FUNCTION ctct_ring('id', 'mail', 'true')"
    )
    url = make_conninfo(crm_url, user=login, password="x")
    firm = Database(
        lambda: psycopg.connect(url), name="connection crm_default", seam=load_seam(folder)
    )
    files = []
    shown = ""
    try:
        for grant in (
            "SELECT 1",
            f"GRANT USAGE ON SCHEMA firm_secrets TO {login}",
            f"GRANT ALL ON firm_secrets.vip_person TO {login}",
        ):
            sql_rows(grant)
            lines, report = check(crm=firm)
            assert report.not_kept == ""
            shown += "".join(map(str, lines.values()))
            with crm.transaction() as connection:
                kept = load_last(connection)
            assert kept is not None
            files.append(as_file(kept))
    finally:
        firm.close()
        sql_rows(f"DROP OWNED BY {login} CASCADE")
        sql_rows(f"DROP ROLE {login}")
    judged = "\n".join(files)
    assert "GRANT USAGE ON SCHEMA {schema} TO {role}" in judged
    assert "GRANT SELECT ON {table} TO {role}" in judged
    assert f"GRANT SELECT ON firm_secrets.vip_person TO {login}" in shown
    where = conninfo_to_dict(crm_url)
    for planted in (*PLANTED, str(where["dbname"]), str(where.get("host")), str(tmp_path)):
        assert planted not in judged, planted
    assert "@" not in judged
