"""docs/your-crm.md: each example on its table, from the first look to an opt-out at the vendor."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from constant_contact.accounts import Account
from constant_contact.api.client import Client
from constant_contact.store.accounts import migrate_account
from constant_contact.store.api_calls import ApiCallLog, Caller
from constant_contact.store.database import Database
from constant_contact.store.migrations import migrate
from constant_contact.store.seam import Seam, load_seam
from constant_contact.store.seam_check import Findings, prepare_seam
from constant_contact.sync.consent.opt_outs import push_opt_outs
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from simulator.server import Running
from tests.databases import Databases
from tests.guide import TABLE, examples, other_statements, write_files
from tests.support import (
    EU_CONN_ID,
    UNLIMITED,
    MemoryTokenStore,
    api_client,
    api_settings,
    contact_id,
    run_rows,
    vendor_contact,
)

EXAMPLES = examples()
REPLICA = "A replica, or another database"
ACCOUNTS = "Several accounts"
ALICE = "00000000-0000-4000-9000-000000000001"
BASIL = "00000000-0000-4000-9000-000000000002"


class Crm(NamedTuple):
    """What an example's CRM does itself.

    Attributes:
        add: Adds Alice and Basil, whose addresses the vendor knows.
        flag: Sets Do Not Email of Basil.
        ids: Theirs.
        written: Reads the Constant Contact ids from the CRM's own table, in that order.
        rings: Whether it has a doorbell.
    """

    add: str
    flag: str
    ids: tuple[str, str] = ("A-1", "B-2")
    written: str | None = None
    rings: bool = True


CRMS = {
    "Other names": Crm(
        "INSERT INTO sales.person (person_no, mail) VALUES"
        " ('A-1', 'alice@example.com'), ('B-2', 'Basil@Example.com ')",
        "UPDATE sales.person SET no_mail = TRUE WHERE person_no = 'B-2'",
        written="SELECT cc_id FROM sales.person ORDER BY person_no",
    ),
    "Numbers for ids": Crm(
        "INSERT INTO crm.customer (email) VALUES ('alice@example.com'), ('basil@example.com')",
        "UPDATE crm.customer SET do_not_email = TRUE WHERE id = 2",
        ("1", "2"),
        "SELECT constant_contact_id FROM crm.customer ORDER BY id",
    ),
    "UUIDs for ids": Crm(
        "INSERT INTO crm.people (uid, email) VALUES"
        f" ('{ALICE}', 'alice@example.com'), ('{BASIL}', 'basil@example.com')",
        f"UPDATE crm.people SET unsubscribed = TRUE WHERE uid = '{BASIL}'",
        (ALICE, BASIL),
        "SELECT constant_contact_uid::text FROM crm.people ORDER BY uid",
    ),
    "varchar, citext and char": Crm(
        "INSERT INTO crm.party (party_code, mail) VALUES"
        " ('A-1', 'alice@example.com'), ('B-2', 'BASIL@example.com')",
        "UPDATE crm.party SET do_not_mail = 'Y' WHERE party_code = 'B-2'",
        written="SELECT cc_id FROM crm.party ORDER BY party_code",
    ),
    "A flag kept the other way round": Crm(
        "INSERT INTO crm.subscriber (id, email, name) VALUES"
        " ('A-1', 'alice@example.com', 'Alice Ash'), ('B-2', 'basil@example.com', NULL)",
        "UPDATE crm.subscriber SET may_email = FALSE WHERE id = 'B-2'",
        written="SELECT cc_id FROM crm.subscriber ORDER BY id",
    ),
    "A date for a flag": Crm(
        "INSERT INTO club.member (member_no, email) VALUES"
        " (1, 'alice@example.com'), (2, 'basil@example.com')",
        "UPDATE club.member SET opted_out_on = '2026-01-31', opted_out_how = 'letter'"
        " WHERE member_no = 2",
        ("1", "2"),
        "SELECT cc_id FROM club.member ORDER BY member_no",
    ),
    REPLICA: Crm(
        "INSERT INTO account_holder (holder_id, email) VALUES"
        " ('A-1', 'alice@example.com'), ('B-2', 'basil@example.com')",
        "UPDATE account_holder SET blocked = TRUE WHERE holder_id = 'B-2'",
        rings=False,
    ),
    "Salesforce by Heroku Connect": Crm(
        "INSERT INTO salesforce.contact (sfid, email, isdeleted) VALUES"
        " ('A-1', 'alice@example.com', FALSE), ('B-2', 'basil@example.com', NULL),"
        " ('C-3', 'alice@example.com', TRUE), (NULL, 'alice@example.com', FALSE)",
        "UPDATE salesforce.contact SET hasoptedoutofemail = TRUE WHERE sfid = 'B-2'",
        written="SELECT constant_contact_id__c FROM salesforce.contact"
        " WHERE sfid IN ('A-1', 'B-2') ORDER BY sfid",
        rings=False,
    ),
    "Salesforce by Fivetran": Crm(
        "INSERT INTO salesforce.contact (id, email, is_deleted, _fivetran_deleted) VALUES"
        " ('A-1', 'alice@example.com', FALSE, FALSE), ('B-2', 'basil@example.com', FALSE, FALSE),"
        " ('C-3', 'alice@example.com', FALSE, TRUE), ('D-4', 'alice@example.com', TRUE, FALSE)",
        "UPDATE salesforce.contact SET has_opted_out_of_email = TRUE WHERE id = 'B-2'",
        rings=False,
    ),
    "Salesforce by Airbyte": Crm(
        "INSERT INTO salesforce.contact"
        " (_airbyte_raw_id, _airbyte_extracted_at, id, email, isdeleted) VALUES"
        " ('r1', '2026-01-01Z', 'A-1', 'earlier@example.com', FALSE),"
        " ('r2', '2026-01-02Z', 'A-1', 'alice@example.com', FALSE),"
        " ('r3', '2026-01-01Z', 'B-2', 'basil@example.com', FALSE),"
        " ('r4', '2026-01-01Z', 'C-3', 'alice@example.com', FALSE),"
        " ('r5', '2026-01-02Z', 'C-3', 'alice@example.com', TRUE)",
        "INSERT INTO salesforce.contact (_airbyte_raw_id, _airbyte_extracted_at, id, email,"
        " isdeleted, hasoptedoutofemail)"
        " VALUES ('r6', '2026-01-03Z', 'B-2', 'basil@example.com', FALSE, TRUE)",
        rings=False,
    ),
    ACCOUNTS: Crm(
        "INSERT INTO crm.lead (id, email) VALUES"
        " ('A-1', 'alice@example.com'), ('B-2', 'basil@example.com')",
        "UPDATE crm.lead SET do_not_email = TRUE WHERE id = 'B-2'",
        written="SELECT cc_id FROM crm.lead ORDER BY id",
    ),
}


class Firm(NamedTuple):
    """A database with an example's table in it, and the example's files."""

    url: str
    seam: Seam
    folder: Path

    def prepare(self, contacts: psycopg.Connection[Any] | None = None) -> Findings:
        """As `make migrate` does."""
        with psycopg.connect(self.url) as connection:
            migrate(connection, has_contacts=False)
            return prepare_seam(connection, self.seam, contacts)


@pytest.fixture
def make_firm(databases: Databases, tmp_path: Path) -> Iterator[Callable[[str], Firm]]:
    made = []

    def make(heading: str) -> Firm:
        made.append(databases.create_empty())
        url = databases.url(made[-1])
        make_table(url, heading)
        folder = write_files(EXAMPLES[heading], tmp_path)
        return Firm(url, load_seam(folder), folder)

    yield make
    for name in made:
        databases.drop(name)


def make_table(url: str, heading: str) -> None:
    table = EXAMPLES[heading][TABLE]
    with psycopg.connect(url) as connection:
        for schema in ("crm", "sales", "club", "salesforce"):
            if f" {schema}." in table:
                connection.execute(f"CREATE SCHEMA {schema}".encode())
        if "citext" in table:
            connection.execute(_citext(connection))
        connection.execute(table.encode())
        connection.execute(CRMS[heading].add.encode())


def _citext(connection: psycopg.Connection[Any]) -> bytes:
    """The extension; a domain of its name on a server that was made without it."""
    found = connection.execute("SELECT FROM pg_available_extensions WHERE name = 'citext'")
    return b"CREATE EXTENSION citext" if found.rowcount else b"CREATE DOMAIN citext AS text"


def client_of(simulator: Running, crm: Database, conn_id: str) -> Client:
    store = MemoryTokenStore(crm, conn_id)
    settings = api_settings(simulator, simulator.control.grant())
    return api_client(
        settings, crm, store, ApiCallLog(crm, Caller("a_dag", "a_task", "a_run", 1)), "opt_outs"
    )


@pytest.fixture
def known_simulator(simulator: Running) -> Running:
    simulator.control.load(
        contacts=[vendor_contact(1, "alice@example.com"), vendor_contact(2, "basil@example.com")]
    )
    return simulator


def links(url: str) -> list[tuple[str, str]]:
    rows = run_rows(url, "SELECT contact_id, constant_contact_id FROM ctct_link ORDER BY 1")
    return [(row["contact_id"], row["constant_contact_id"]) for row in rows]


def written(url: str, query: str) -> list[str]:
    return [next(iter(row.values())) for row in run_rows(url, query)]


def test_every_example_of_the_guide_is_tried() -> None:
    assert EXAMPLES.keys() == CRMS.keys()


@pytest.mark.parametrize("statement", other_statements())
def test_a_statement_outside_the_examples_runs(crm_url: str, statement: str) -> None:
    with psycopg.connect(crm_url) as connection:
        connection.execute("CREATE TEMPORARY TABLE changed_flag (contact_id text)")
        connection.execute(statement.encode())


def test_an_adopter_touches_three_files_at_most() -> None:
    of_one_account = {
        heading: {name for name in blocks if name != TABLE and not name.startswith("eu/")}
        for heading, blocks in EXAMPLES.items()
    }
    assert all("contacts.sql" in files for files in of_one_account.values())
    assert max(map(len, of_one_account.values())) == 3


@pytest.mark.parametrize("heading", sorted(CRMS.keys() - {REPLICA, ACCOUNTS}))
def test_an_example_goes_from_the_first_look_to_an_opt_out_at_the_vendor(
    make_firm: Callable[[str], Firm], known_simulator: Running, heading: str
) -> None:
    its, firm = CRMS[heading], make_firm(heading)
    assert firm.prepare() == ([], [])
    crm = Database(lambda: psycopg.connect(firm.url), name="crm_default", seam=firm.seam)
    client = client_of(known_simulator, crm, "constant_contact_default")
    sync_contacts(client, crm)
    assert link_contacts(crm, dry_run=True).linked == 2
    assert links(firm.url) == []
    link_contacts(crm)
    expected = [contact_id(1), contact_id(2)]
    assert links(firm.url) == list(zip(its.ids, expected, strict=True))
    if its.written:
        assert written(firm.url, its.written) == expected
    run_rows(firm.url, its.flag)
    rung = run_rows(firm.url, "SELECT contact_id, do_not_email FROM crm_opt_out_change")
    assert rung == ([{"contact_id": its.ids[1], "do_not_email": True}] if its.rings else [])
    link_contacts(crm)
    push_opt_outs(client, crm)
    assert permissions(known_simulator) == ["implicit", "unsubscribed"]
    crm.close()


def permissions(simulator: Running) -> list[str]:
    return [simulator.control.truth_contact(contact_id(n))["permission"] for n in (1, 2)]


def test_contacts_of_another_database_are_read_through_its_connection(
    make_firm: Callable[[str], Firm], known_simulator: Running, crm_url: str
) -> None:
    its, firm = CRMS[REPLICA], make_firm(REPLICA)
    ours = Firm(crm_url, firm.seam, firm.folder)
    with psycopg.connect(firm.url) as replica:
        replica.read_only = True
        assert ours.prepare(replica) == ([], [])

    def read_only() -> psycopg.Connection[Any]:
        made = psycopg.connect(firm.url)
        made.read_only = True
        return made

    replica_database = Database(read_only, name="crm_replica", seam=firm.seam)
    crm = Database(
        lambda: psycopg.connect(crm_url),
        name="crm_default",
        seam=firm.seam,
        contacts=replica_database,
    )
    client = client_of(known_simulator, crm, "constant_contact_default")
    sync_contacts(client, crm)
    link_contacts(crm)
    assert links(crm_url) == [("A-1", contact_id(1)), ("B-2", contact_id(2))]
    run_rows(firm.url, its.flag)
    link_contacts(crm)
    push_opt_outs(client, crm)
    assert permissions(known_simulator) == ["implicit", "unsubscribed"]
    crm.close()
    replica_database.close()


def test_each_account_writes_back_by_its_own_file_and_hears_the_same_doorbell(
    make_firm: Callable[[str], Firm], known_simulator: Running, eu_simulator: Running
) -> None:
    its, firm = CRMS[ACCOUNTS], make_firm(ACCOUNTS)
    assert firm.prepare() == ([], [])
    eu_simulator.control.limits(**UNLIMITED)
    eu_simulator.control.load(
        contacts=[vendor_contact(3, "alice@example.com"), vendor_contact(4, "basil@example.com")]
    )
    eu = Account("eu")
    eu_url = psycopg.conninfo.make_conninfo(firm.url, options="-csearch_path=constant_contact_eu")
    eu_firm = Firm(eu_url, load_seam(firm.folder, eu), firm.folder)
    with psycopg.connect(eu_url) as connection:
        migrate_account(connection, "connection crm_eu", has_contacts=eu_firm.seam.knows_links)
        assert prepare_seam(connection, eu_firm.seam) == ([], [])
    databases = [
        Database(lambda: psycopg.connect(firm.url), name="crm_default", seam=firm.seam),
        Database(lambda: psycopg.connect(eu_url), name="crm_eu", seam=eu_firm.seam),
    ]
    clients = [
        client_of(known_simulator, databases[0], "constant_contact_default"),
        client_of(eu_simulator, databases[1], EU_CONN_ID),
    ]
    for client, crm in zip(clients, databases, strict=True):
        sync_contacts(client, crm)
        link_contacts(crm)
    assert written(firm.url, "SELECT cc_id FROM crm.lead ORDER BY id") == [
        contact_id(1), contact_id(2),
    ]  # fmt: skip
    assert written(firm.url, "SELECT cc_id_eu FROM crm.lead ORDER BY id") == [
        contact_id(3), contact_id(4),
    ]  # fmt: skip
    run_rows(firm.url, its.flag)
    for client, crm in zip(clients, databases, strict=True):
        push_opt_outs(client, crm)
        crm.close()
    assert permissions(known_simulator)[1] == "unsubscribed"
    assert eu_simulator.control.truth_contact(contact_id(4))["permission"] == "unsubscribed"


def test_a_merged_contact_of_a_landed_copy_names_the_one_that_goes_on(
    make_firm: Callable[[str], Firm],
) -> None:
    firm = make_firm("Salesforce by Heroku Connect")
    firm.prepare()
    run_rows(
        firm.url,
        "INSERT INTO salesforce.contact (sfid, email, isdeleted, masterrecordid)"
        " VALUES ('M-9', 'basil@example.com', TRUE, 'B-2')",
    )
    crm = Database(lambda: psycopg.connect(firm.url), name="crm_default", seam=firm.seam)
    link_contacts(crm)
    crm.close()
    assert run_rows(firm.url, "SELECT merged_into FROM ctct_link WHERE contact_id = 'M-9'") == [
        {"merged_into": "B-2"}
    ]
