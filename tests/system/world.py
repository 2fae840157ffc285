"""The demo's people, with a whole history to load and a day of opt-outs."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from constant_contact.store.seam_check import install
from local.demo import account, crm
from local.demo.campaigns import day_lists, make_calendar
from local.demo.engagement import make_events
from local.demo.people import People, crm_contacts
from local.demo.story import Story, crm_after, make_story
from local.postgres import CRM_DATABASE, LocalPostgres
from local.simulator import Account, Simulator
from simulator.control import Control

SEED = 1
ASKED_PER_SECOND = 6
# So many calls may be on their way at once: two of each of four shards, and the opt-outs'. Where a
# process stands still for a while they arrive together, with those whose turn is then: the
# simulator allows as many.
IN_FLIGHT = 10
ALLOWED_PER_SECOND = ASKED_PER_SECOND + IN_FLIGHT + 1


class World:
    """A CRM and an account, and who is in them.

    Args:
        postgres: gets the CRM.
        vendor: is empty yet.
        control: of the vendor.
    """

    def __init__(self, postgres: LocalPostgres, vendor: Account, control: Control) -> None:
        self.postgres = postgres
        self.vendor = vendor
        self.control = control
        now = datetime.now(UTC).replace(microsecond=0)
        self.calendar = make_calendar(SEED, now)
        sent = [issue.sent for issue in self.calendar.newsletters]
        people = People(SEED, now, sent, self.calendar.living_lists).make()
        account.load_new(
            control, people, self.calendar, make_events(SEED, now, people, self.calendar)
        )
        edits = make_story(people, day_lists(SEED, self.calendar))
        # What a clearing comes to depends on what was carried before it: here flags are only set.
        cleared = {change.contact_id for change in edits.flags if not change.do_not_email}
        self.flags = [each for each in edits.flags if each.contact_id not in cleared]
        self.contacts = list(crm_contacts(people))
        self.contacts_after = crm_after(people, Story(flags=self.flags))
        with psycopg.connect(postgres.url(CRM_DATABASE)) as connection:
            install(connection)
            crm.seed_contacts(connection, self.contacts)

    @property
    def connection(self) -> str:
        """To the account."""
        return self.vendor.airflow_connection(calls_per_second=ASKED_PER_SECOND)


@contextmanager
def made(folder: Path) -> Iterator[World]:
    """Starts what the world stands on, stops it."""
    limits = ("--calls-per-second", str(ALLOWED_PER_SECOND), "--calls-per-day", "10000")
    with (
        LocalPostgres(folder / "postgres") as postgres,
        Simulator(folder / "simulator.log", limits) as vendor,
        closing(Control(vendor.url)) as control,
    ):
        yield World(postgres, vendor, control)
