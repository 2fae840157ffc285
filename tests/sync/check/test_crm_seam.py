"""What a check says of the files in which the CRM meets us."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.store.seam import load_seam
from constant_contact.store.seam_check import prepare_seam
from constant_contact.sync.check import crm_seam
from constant_contact.sync.check.assumptions import Result
from constant_contact.sync.consent.opt_outs import push_opt_outs
from constant_contact.sync.contacts.links import link_contacts
from tests.databases import Databases
from tests.support import Rows
from tests.sync.check.looks import Looked, found, looked


def test_a_doorbell_that_is_gone_or_on_another_table_is_told(crm: Database, sql_rows: Rows) -> None:
    sql_rows("ALTER TABLE crm_contact RENAME TO crm_contact_old")
    sql_rows("CREATE TABLE crm_contact (LIKE crm_contact_old INCLUDING ALL)")
    swapped = looked(crm)["doorbell"]
    assert swapped.result == Result.DIFFERS
    assert "tables that doorbell.sql does not name: 1" in swapped.seen
    sql_rows("DROP TABLE crm_contact_old")
    gone = looked(crm)
    assert gone["doorbell"].seen == "triggers: 0; tables with one: 0 of 1"
    with crm.transaction() as connection:
        prepare_seam(connection, crm.seam)
    assert looked(crm)["doorbell"].result == Result.OK


def test_what_cannot_ring_is_told_as_make_migrate_does(
    with_files: Callable[..., Looked], sql_rows: Rows
) -> None:
    sql_rows("CREATE TABLE crm_vip () INHERITS (crm_contact)")
    assert "public.crm_vip has its columns by inheritance" in (
        with_files()["doorbell"].remedy or ""
    )
    sql_rows("CREATE VIEW person AS SELECT * FROM crm_contact")
    line = with_files(
        doorbell="CREATE TRIGGER bell AFTER UPDATE ON person FOR EACH ROW"
        " EXECUTE FUNCTION ctct_ring('contact_id', 'preferred_email', 'true')"
    )["doorbell"]
    assert line.result == Result.DIFFERS
    assert "public.person is a view, which has no row triggers" in (line.remedy or "")
    assert "person" not in line.exported_remedy


def test_a_change_that_no_doorbell_rang_for_is_counted(
    crm: Database,
    client: Client,
    add_crm_contact: Callable[..., None],
    set_do_not_email: Callable[..., None],
    sql_rows: Rows,
) -> None:
    for contact_id in "abc":
        add_crm_contact(contact_id, f"{contact_id}@example.com", do_not_email=contact_id == "a")
    # The first look is no doorbell's business.
    sql_rows("DELETE FROM crm_opt_out_change")
    link_contacts(crm)
    assert looked(crm)["doorbell_rings"].result == Result.OK
    sql_rows("UPDATE ctct_objection SET heard_at = heard_at - interval '2 hours'")
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    set_do_not_email("a", False)
    set_do_not_email("b", True)
    sql_rows("ALTER TABLE crm_contact ENABLE TRIGGER USER")
    set_do_not_email("c", True)
    push_opt_outs(client, crm)
    line = looked(crm)["doorbell_rings"]
    assert line.result == Result.DIFFERS
    assert line.seen.endswith("found and it did not ring for: 2")


@pytest.fixture
def with_files(crm: Database, tmp_path: Path) -> Callable[..., Looked]:
    """Looks with the files as shipped, but for what is given; None: no such file."""

    def run(**given: str | None) -> Looked:
        for path in crm.seam.contacts.path.parent.glob("*.sql"):
            text = given.get(path.stem, path.read_text(encoding="utf-8"))
            if text is not None:
                (tmp_path / path.name).write_text(text, encoding="utf-8")
        for name, text in given.items():
            if text is not None:
                (tmp_path / f"{name}.sql").write_text(text, encoding="utf-8")
        crm.seam = load_seam(tmp_path)
        return looked(crm)

    return run


def test_files_that_do_not_fit_are_told(
    with_files: Callable[..., Looked], add_crm_contact: Callable[..., None]
) -> None:
    add_crm_contact("a", "ann@example.com", do_not_email=None)
    lines = with_files(
        contacts="SELECT 'x' AS contact_id, preferred_email, do_not_email, first_name, last_name,"
        " 1 AS colour FROM crm_contact UNION ALL SELECT 'x', NULL, NULL, NULL, NULL, 2",
        write_back="UPDATE crm_contact SET nothing = 1",
        flag_back="UPDATE crm_contact SET do_not_email = TRUE FROM changed_flag AS changed"
        " WHERE crm_contact.contact_id = changed.contact_id",
    )
    assert found(lines) == {
        "contacts_read": Result.DIFFERS,
        "contacts_ids": Result.DIFFERS,
        "contacts_flags": Result.DIFFERS,
        "write_back": Result.DIFFERS,
    }
    assert "colour" in (lines["contacts_read"].remedy or "")
    assert "colour" not in lines["contacts_read"].seen
    assert lines["flag_back"].result == Result.OK


def test_a_flag_that_is_a_text_is_told(
    with_files: Callable[..., Looked], add_crm_contact: Callable[..., None]
) -> None:
    add_crm_contact("a", "ann@example.com")
    shown = (Path(__file__).parents[3] / "include/sql/crm/contacts.sql").read_text()
    line = with_files(contacts=shown.replace("do_not_email,", "'no' AS do_not_email,"))[
        "contacts_read"
    ]
    assert line.result == Result.DIFFERS
    assert "do_not_email is a text" in (line.remedy or "")


def test_a_look_that_reads_the_whole_table_is_told(
    with_files: Callable[..., Looked], sql_rows: Rows
) -> None:
    sql_rows("CREATE TABLE person AS SELECT n::text AS id FROM generate_series(1, 10) AS n")
    lines = with_files(
        contacts="SELECT id AS contact_id, NULL AS preferred_email, FALSE AS do_not_email,"
        " NULL AS first_name, NULL AS last_name FROM person"
    )
    assert lines["contacts_look_up"].result == Result.DIFFERS
    assert lines["contacts_look_up"].remedy is not None
    assert "CREATE INDEX ON public.person (id)" in lines["contacts_look_up"].remedy


def test_a_file_that_is_not_there_is_a_feature_that_is_off(
    with_files: Callable[..., Looked],
) -> None:
    lines = with_files(write_back=None, doorbell=None)
    assert found(lines) == {}
    off = {"write_back", "doorbell", "doorbell_enabled", "doorbell_rings"}
    assert {lines[name].result for name in off} == {Result.NOT_TRIED}


def test_contacts_of_another_server_are_read_there(
    firm: Callable[..., Database], crm: Database, databases: Databases, sql_rows: Rows
) -> None:
    name = databases.create_empty()
    with psycopg.connect(databases.url(name)) as there:
        there.execute(
            "CREATE TABLE crm_contact (contact_id text PRIMARY KEY, preferred_email text,"
            " do_not_email boolean, first_name text, last_name text, constant_contact_id text)"
        )
        there.execute("INSERT INTO crm_contact VALUES ('a', 'x@y.z'), ('b', ' X@y.z ')")
    try:
        crm.contacts = firm(databases.url(name))
        lines = looked(crm)
        crm.contacts.close()
    finally:
        crm.contacts = None
        databases.drop(name)
    assert lines["contacts_read"].seen.startswith("2 rows")
    assert lines["contacts_replica"].seen == "contacts.sql is read from a primary server"
    assert lines["shared_addresses"].seen == "shared addresses: 1, of 2 contacts"


@pytest.mark.parametrize(
    ("receiver", "applied_at", "result", "seen"),
    [
        ("'streaming' AS status", "now() - interval '1 day'", Result.OK, "a replica, 0 s behind"),
        ("NULL::text AS status", "now() - interval '1 day'", Result.OK, "a replica, 0 s behind"),
        (
            "'starting' AS status",
            "now() - interval '1 day'",
            Result.DIFFERS,
            "a replica, 86,400 s behind",
        ),
        (
            "NULL::text AS status WHERE FALSE",
            "now() - interval '1 minute'",
            Result.OK,
            "a replica, 60 s behind",
        ),
        (
            "NULL::text AS status WHERE FALSE",
            "now() - interval '1 day'",
            Result.DIFFERS,
            "a replica, 86,400 s behind",
        ),
        (
            "NULL::text AS status WHERE FALSE",
            "NULL",
            Result.DIFFERS,
            "a replica that hears no primary since it started",
        ),
    ],
)
def test_a_replica_that_hears_no_primary_is_as_old_as_what_it_applied_last(
    crm: Database,
    crm_url: str,
    sql_rows: Rows,
    receiver: str,
    applied_at: str,
    result: Result,
    seen: str,
) -> None:
    """Stands in for a standby: the functions by which the server tells of itself."""
    sql_rows("CREATE SCHEMA replica")
    for name, type_, answer in (
        ("pg_is_in_recovery", "boolean", "true"),
        ("pg_last_wal_receive_lsn", "pg_lsn", "'0/1'"),
        ("pg_last_wal_replay_lsn", "pg_lsn", "'0/1'"),
        ("pg_last_xact_replay_timestamp", "timestamptz", applied_at),
        ("clock_timestamp", "timestamptz", "now()"),
    ):
        sql_rows(
            f"CREATE FUNCTION replica.{name}() RETURNS {type_} LANGUAGE sql"
            f" RETURN ({answer})::{type_}"
        )
    sql_rows(f"CREATE VIEW replica.pg_stat_wal_receiver AS SELECT {receiver}")
    replica = Database(
        lambda: psycopg.connect(crm_url),
        name="connection crm_replica",
        settings={"search_path": "replica, pg_catalog, public"},
    )
    with closing(replica):
        crm.contacts = replica
        line = looked(crm)["contacts_replica"]
        crm.contacts = None
    assert (line.result, line.seen) == (result, seen)


def test_a_comparison_that_takes_long_is_told(
    crm: Database, add_crm_contact: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crm_seam, "MOST_SECONDS", -1)
    add_crm_contact("a", "ann@example.com")
    link_contacts(crm)
    wrong = found(looked(crm))
    assert wrong == {"comparison_time": Result.DIFFERS, "linking_time": Result.DIFFERS}
