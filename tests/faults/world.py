"""A CRM and a vendor whose clocks go alike: where histories are played, step by step.

The vendor's clock can be moved; the database's goes with it, since `clock_timestamp` is ours in
this database.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
from psycopg.rows import dict_row

from constant_contact.errors import AuthorizationRequired, BudgetSpent, ConstantContactError
from simulator.control import Control
from tests.faults.faults import Fault
from tests.faults.job import Order
from tests.faults.jobs import JOBS, keep, restore
from tests.faults.model import Scene
from tests.faults.runner import Runner, wait_for_the_dead
from tests.faults.stage import FileTokenStore, merging_seam, open_crm, perform
from tests.support import UNLIMITED, api_settings, contact_id, set_flag, vendor_contact

ADDRESSES = tuple(f"a{number}@example.com" for number in range(6))
_CLOCK = """
    CREATE SCHEMA clock;
    CREATE TABLE clock.passed (seconds double precision NOT NULL);
    INSERT INTO clock.passed VALUES (0);
    CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql RETURN
        pg_catalog.clock_timestamp()
        + (SELECT make_interval(secs => seconds) FROM clock.passed);
    ALTER TABLE crm_opt_out_change ALTER changed_at SET DEFAULT clock.clock_timestamp();
    ALTER TABLE ctct_consent ALTER decided_at SET DEFAULT clock.clock_timestamp();
    ALTER TABLE ctct_objection ALTER heard_at SET DEFAULT clock.clock_timestamp();
"""
# Between two steps of a history, so that no two things happen at once.
_STEP_S = 60

# The CRM's contacts, with the links that count.
_PEOPLE = """
SELECT crm.contact_id, crm.first_name, crm.last_name, crm.preferred_email, crm.do_not_email,
    CASE WHEN link.contact_id IS NULL THEN crm.constant_contact_id
    ELSE link.constant_contact_id END AS constant_contact_id
FROM crm_contact AS crm LEFT JOIN ctct_link AS link USING (contact_id)
"""


class World:
    """The CRM's database, the vendor, and the jobs between them."""

    def __init__(self, url: str, control: Control, base_url: str, runner: Runner, tokens: Path):
        self.url = url
        self.control = control
        self._server: Any = SimpleNamespace(url=base_url)
        self._runner = runner
        self._tokens = tokens
        self._seed = ""
        self._vendor_number = 0
        self._may_lack_tokens = False
        self._is_spent = False
        with psycopg.connect(url, autocommit=True) as connection:
            name = connection.info.dbname
            connection.execute(f"ALTER DATABASE {name} SET search_path = clock, pg_catalog, public")
            connection.execute(_CLOCK)
            connection.execute("ALTER TABLE crm_contact ADD COLUMN merged_into text")
            _add_people(connection)
            keep(connection)
        self._crm = open_crm(url, merging_seam())
        self._own = psycopg.connect(url, autocommit=True, row_factory=dict_row)

    def reset(self, **vendor: Any) -> None:
        """A small account and CRM as new; no job ran. `vendor`: what the contract leaves open."""
        self.control.reset()
        self.control.settings(**vendor)
        self.control.limits(**UNLIMITED)
        self.control.clock(now=datetime.now(UTC).isoformat())
        self.control.load(lists=_lists(), contacts=_contacts())
        restore(self._own)
        self.execute("UPDATE clock.passed SET seconds = 0")
        self._vendor_number = len(ADDRESSES)
        self._tokens.unlink(missing_ok=True)
        self._may_lack_tokens = self._is_spent = False
        self._authorize()

    def close(self) -> None:
        self._own.close()
        self._crm.close()

    def pass_time(self, seconds: float = _STEP_S) -> None:
        self.control.clock(advance_s=seconds)
        self.execute("UPDATE clock.passed SET seconds = seconds + %s", seconds)

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.control.clock()["now"])

    def execute(self, statement: str, *params: Any) -> list[dict[str, Any]]:
        """Run a statement on the CRM database; return its rows, if it has any."""
        cursor = self._own.execute(statement, params or None)
        return cursor.fetchall() if cursor.description else []

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend the connection for several statements that are committed together."""
        with self._own.transaction():
            yield self._own

    def turn_flag(self, person: str, by_contact: bool) -> None:
        """Set Do Not Email, or clear it where it is set."""
        (row,) = self.execute("SELECT do_not_email FROM crm_contact WHERE contact_id = %s", person)
        with self.transaction() as connection:
            set_flag(connection, person, not row["do_not_email"], "wrote", by_contact)

    def scene(self) -> Scene:
        """How both sides stand."""
        return Scene(
            {each["contact_id"]: each for each in self.control.truth_contacts()},
            {row["contact_id"]: row for row in self.execute(_PEOPLE)},
            {row["change_id"]: row for row in self.execute("SELECT * FROM crm_opt_out_change")},
            {row["contact_id"]: row for row in self.execute("SELECT * FROM ctct_contact")},
        )

    def ledger(self) -> Counter[tuple[Any, ...]]:
        return _counted(
            self.execute(
                "SELECT contact_id, campaign_activity_id, activity_type, occurred_at, link_url"
                " FROM ctct_engagement JOIN ctct_engagement_stream USING (stream_id)"
            )
        )

    def interactions(self) -> Counter[tuple[Any, ...]]:
        return _counted(
            self.execute(
                "SELECT contact_id AS person, constant_contact_id, campaign_activity_id,"
                " activity_type, occurred_at, link_url FROM crm_interaction"
            )
        )

    def lists(self) -> dict[str, bool]:
        """Which lists the mirror knows, and whether they are deleted."""
        rows = self.execute("SELECT list_id, deleted_at FROM ctct_list")
        return {row["list_id"]: row["deleted_at"] is not None for row in rows}

    def lists_in_truth(self) -> dict[str, bool]:
        return {row["list_id"]: row["deleted"] for row in self.control.truth()["lists"]}

    def add_events(self, activity: str, contact: str, kind: str, times: int) -> None:
        """So many a second apart, but the last two in the same moment."""
        now, seconds = self.now, [*range(times), times - 1]
        event = {"type": kind, "campaign_activity_id": activity, "contact_id": contact}
        self.control.add_events(
            [
                event | {"created_time": (now + timedelta(seconds=second)).isoformat()}
                for second in seconds
            ]
        )

    def add_vendor_contact(self, address: str) -> str:
        """A contact signs up; returns its id."""
        self._vendor_number += 1
        contact = vendor_contact(self._vendor_number, address, first_name="New")
        self.control.load(contacts=[contact])
        return contact_id(self._vendor_number)

    def run(self, job: str) -> None:
        """Run a job undisturbed, to its end."""
        calls = len(self.control.calls())
        try:
            self._perform(job)
        except AuthorizationRequired:
            # Only a disturbed run before may have lost them.
            assert self._may_lack_tokens
            self._authorize()
            self._perform(job)
        except BudgetSpent:
            # The vendor said so before: the task goes on after midnight.
            assert self._is_spent
            self._is_spent = False
            self.pass_time(timedelta(days=1).total_seconds())
            self.run(job)
        # One that made no call needed no token.
        self._may_lack_tokens &= len(self.control.calls()) == calls

    def run_with(self, fault: Fault, job: str, *, path: str, after: int) -> str:
        """Run a job that meets a fault; return the name of the error it ended with, if any."""
        self.control.add_fault(
            fault.kind, match={"path": path}, times=fault.times, after=after, params=fault.params
        )
        ended_with = ""
        try:
            self._perform(job)
        except ConstantContactError as error:
            ended_with = type(error).__name__
        self._is_spent |= ended_with == "BudgetSpent"
        self._may_lack_tokens = True
        self.control.clear_faults()
        return ended_with

    def run_killed(self, job: str, step: int) -> bool:
        """Run a job in a process that is killed at a step; return whether it came so far."""
        order = Order(
            job, self.url, self._server.url, self._seed, str(self._tokens), step, has_merges=True
        )
        outcome = self._runner.run(order)
        wait_for_the_dead(self.execute)
        self._may_lack_tokens = True
        return outcome.killed

    def puts(self) -> int:
        return sum(call["method"] == "PUT" for call in self.control.calls())

    def _perform(self, job: str) -> None:
        store = FileTokenStore(self._crm, self._tokens)
        settings = api_settings(self._server, self._seed)
        perform(JOBS[job].run, self._crm, settings, store, JOBS[job].lane)

    def _authorize(self) -> None:
        self._seed = self.control.grant()


def _counted(rows: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row.values()) for row in rows)


def _lists() -> list[dict[str, Any]]:
    return [
        {"list_id": f"00000000-0000-4000-8001-{number:012d}", "name": f"List {number}"}
        for number in range(1, 4)
    ]


def _contacts() -> list[dict[str, Any]]:
    contacts = [
        vendor_contact(number, address, first_name="First", last_name="Last")
        for number, address in enumerate(ADDRESSES, 1)
    ]
    for number, source in ((5, "Account"), (6, "Contact")):
        contacts[number - 1]["email_address"] = {
            "address": contacts[number - 1]["email"],
            "permission_to_send": "unsubscribed",
            "opt_out_source": source,
        }
    return contacts


def _add_people(connection: psycopg.Connection[Any]) -> None:
    """Two share an address; some are flagged; one is not at the vendor."""
    people = [
        ("p0", ADDRESSES[0], False),
        ("p1", f" {ADDRESSES[0].upper()} ", False),
        ("p2", ADDRESSES[1], True),
        ("p3", ADDRESSES[4], False),
        ("p4", ADDRESSES[5], True),
        ("p5", "nobody@example.com", False),
    ]
    connection.cursor().executemany(
        "INSERT INTO crm_contact (contact_id, preferred_email, do_not_email) VALUES (%s, %s, %s)",
        people,
    )
