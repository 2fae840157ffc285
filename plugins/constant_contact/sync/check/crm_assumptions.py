"""What the jobs rely on in the CRM's database, in the order in which a check tells it."""

from typing import Final

from constant_contact.commands import command
from constant_contact.store.requirements import OLDEST_VERSION
from constant_contact.sync.check.assumptions import Assumption, Side

#: Longer takes a reading of all contacts that is worth a word; also the check's own time limit.
MOST_SECONDS: Final = 60
#: The schedule looks so often; a replica that is further behind shows what was.
MOST_BEHIND_S: Final = 900

_MANUAL: Final = "https://www.postgresql.org/docs/current"


def _of_crm(name: str, states: str, otherwise: str, remedy: str, source: str = "") -> Assumption:
    return Assumption(name, Side.CRM, states, source or "docs/your-crm.md", otherwise, remedy)


ASSUMPTIONS: Final[tuple[Assumption, ...]] = (
    _of_crm(
        "server_version",
        f"The server is PostgreSQL {OLDEST_VERSION} or newer.",
        f"{command('migrate')} refuses it, and no job runs.",
        "Upgrade the server.",
        "https://www.postgresql.org/support/versioning/",
    ),
    _of_crm(
        "server_writable",
        "The server takes writes from our login.",
        "Each job fails at its first write, before it has called Constant Contact.",
        "Let the connection lead to the primary server.",
        f"{_MANUAL}/hot-standby.html",
    ),
    _of_crm(
        "server_encoding",
        "The database's encoding is UTF8.",
        f"{command('migrate')} refuses it: a name that it cannot store would end a job.",
        "Copy the database into one whose encoding is UTF8.",
        f"{_MANUAL}/multibyte.html",
    ),
    _of_crm(
        "address_case",
        "Addresses that differ in case only have one key, whatever the database's locale.",
        "Contacts would not be linked to the contact with their address.",
        "Send this check to the maintainers: the key is made by our own rule.",
        f"{_MANUAL}/locale.html",
    ),
    _of_crm(
        "collation_version",
        "The indexes of texts were made with the collation that the server has now.",
        "A look-up by an index may miss a contact that is there.",
        "REINDEX DATABASE, then ALTER DATABASE … REFRESH COLLATION VERSION.",
        f"{_MANUAL}/sql-alterdatabase.html",
    ),
    _of_crm(
        "session_settings",
        "Our sessions keep the settings that our statements need.",
        "Dates, texts and locks may mean something else than our statements say.",
        "Let the connection lead to the server, or to a pool with pool_mode = session.",
        f"{_MANUAL}/config-setting.html",
    ),
    _of_crm(
        "direct_session",
        "A session of ours stays with one process of the server.",
        "Locks, notices and settings of one job reach others, and jobs fail at prepared "
        "statements. PgBouncer's pool_mode = transaction does that.",
        "Let the connection lead to the server, or to a pool with pool_mode = session.",
        "https://www.pgbouncer.org/features.html",
    ),
    _of_crm(
        "notices",
        "The CRM's transactions are not prepared (two-phase commit), so a notice may wake us.",
        "No notice is sent; rows of the CRM are found by looking every few seconds.",
        "Set max_prepared_transactions to 0, unless two-phase commit is used.",
        f"{_MANUAL}/sql-prepare-transaction.html",
    ),
    _of_crm(
        "tables_schema",
        "The search_path names one schema, with all of our tables.",
        f"{command('migrate')} refuses it: tables of one account would be in two schemas.",
        "Set the search_path of our login.",
        f"{_MANUAL}/ddl-schemas.html",
    ),
    _of_crm(
        "schema_version",
        "The schema is that of this version of the package.",
        "A job that needs what is missing fails and says so.",
        f"Run {command('migrate')}.",
        "docs/upgrading.md",
    ),
    _of_crm(
        "table_rights",
        "Our login may make tables and temporary tables, and write our own.",
        "A job that lacks a right fails and names it.",
        "Run the GRANTs as who owns the schema, the database or the tables.",
        f"{_MANUAL}/ddl-priv.html",
    ),
    _of_crm(
        "own_tables",
        "The tables that the connection sees are those of its account.",
        "No job of the account runs.",
        "Give each account a schema or a database of its own.",
        "docs/accounts.md",
    ),
    _of_crm(
        "our_indexes",
        "Each index of our tables is there, such as those on the key of an address.",
        "Each opt-out and each link reads all contacts; all else is as it should be.",
        "Make the index again, by the statement of our schema.",
        "include/sql/schema",
    ),
    _of_crm(
        "kept_up",
        "Autovacuum keeps our tables small and their statistics true.",
        "Statements become slower from night to night.",
        "Switch autovacuum and track_counts on.",
        f"{_MANUAL}/routine-vacuuming.html",
    ),
    _of_crm(
        "contacts_read",
        "contacts.sql yields its columns, with types that can be read.",
        "No job that needs the CRM's contacts runs.",
        "Correct contacts.sql, or GRANT what it reads to our login.",
    ),
    _of_crm(
        "contacts_ids",
        "contacts.sql yields each contact once, with an id.",
        "Of an id that is there twice a no counts if either row says no; rows without an id are "
        "left out.",
        "Select a column that tells contacts apart, and each contact once.",
    ),
    _of_crm(
        "contacts_look_up",
        "A look at one contact uses an index of the CRM's own table.",
        "Each change of Do Not Email reads the whole table.",
        "Make an index on the column of the id.",
    ),
    _of_crm(
        "contacts_replica",
        f"What contacts.sql reads is at most {MOST_BEHIND_S // 60} minutes old.",
        "A change of Do Not Email is carried when the replica has it.",
        "Let contacts_conn_id lead to a server that keeps up, or leave it empty.",
    ),
    _of_crm(
        "contacts_flags",
        "Do Not Email is true or false for each contact.",
        "An empty flag says nothing: it opts no contact out, and lifts no objection.",
        "Select coalesce(…, false) where an empty flag means that the contact may be emailed.",
    ),
    _of_crm(
        "contacts_addresses",
        "Each address of the CRM has the form of an address.",
        "Those contacts are never linked; a request to put one on a list is rejected.",
        "Correct these addresses in the CRM; those without any are left alone.",
    ),
    _of_crm(
        "shared_addresses",
        "Each address belongs to one contact of the CRM.",
        "All of its contacts are linked to the one at Constant Contact; a no of any of them is a "
        "no for all.",
        "Merge what is one person; households need nothing.",
    ),
    _of_crm(
        "write_back",
        "write_back.sql fits the CRM's table, and reads no table whole.",
        "The Constant Contact id is in ctct_link alone, and is written when it works.",
        "Correct write_back.sql, GRANT what it writes, or remove it.",
    ),
    _of_crm(
        "flag_back",
        "flag_back.sql fits the CRM's table.",
        "Who unsubscribed at Constant Contact is not flagged in the CRM.",
        "Correct flag_back.sql, GRANT what it writes, or remove it.",
    ),
    _of_crm(
        "doorbell",
        "Each table that doorbell.sql names has its trigger.",
        "A change of Do Not Email is seen every quarter of an hour, not within seconds.",
        f"Run {command('migrate')}, which makes the triggers.",
    ),
    _of_crm(
        "doorbell_enabled",
        "The triggers of the doorbell fire always.",
        "A change that is written while they do not fire is seen every quarter of an hour.",
        "ALTER TABLE … ENABLE ALWAYS TRIGGER …",
        f"{_MANUAL}/sql-altertable.html",
    ),
    _of_crm(
        "doorbell_rings",
        "The doorbell rang for each change of Do Not Email of the last 30 days.",
        "The changes were seen by comparison, up to a quarter of an hour later.",
        "See what writes Do Not Email past the trigger: another table, a disabled trigger, a swap.",
    ),
    _of_crm(
        "comparison_time",
        f"All contacts of the CRM are compared within {MOST_SECONDS} s.",
        "The look each quarter of an hour takes as long, and the night longer.",
        "See what makes contacts.sql slow; a plain SELECT of 100,000 contacts takes seconds.",
        "measured",
    ),
    _of_crm(
        "linking_time",
        f"What is to be linked is found within {MOST_SECONDS} s.",
        "The task links takes as long.",
        "See whether our_indexes and kept_up hold.",
        "measured",
    ),
)
