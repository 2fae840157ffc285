"""A firm, its contacts and the vendor's people: what each may do, and tells the law of."""

from functools import partial
from typing import Any, LiteralString

import psycopg

from simulator.control import ControlError
from tests.faults.law import Law
from tests.faults.model import email_key
from tests.faults.world import World
from tests.support import set_flag

# How a row is written: with the doorbell's circumstances, as a replica, or with no doorbell at all.
HOW = ("plain", "plain", "replica", "unheard")


DAY_S = 24 * 3600


class Firm:
    """What happens on both sides, one method each; the law hears everything said."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.law = Law()
        self.people = 6
        self.unseen_merges: set[str] = set()
        for row in world.execute("SELECT * FROM crm_contact"):
            self.law.is_in_crm(row["contact_id"], row["preferred_email"])
            self.law.flag_is(row["contact_id"], row["do_not_email"])
            if row["do_not_email"]:
                self.law.flagged(row["contact_id"], world.now, is_asked=False)
        for contact in world.control.truth_contacts():
            self.law.tie(contact["contact_id"], email_key(contact["email"]))
            if contact["permission"] == "unsubscribed":
                self.law.opted_out(contact["contact_id"], world.now)

    # the firm

    def flag(self, number: int, value: bool | None, asked: bool, how: str) -> None:
        if (row := self._row(number)) is None:
            return
        person = row["contact_id"]
        is_asked = asked and how != "unheard"
        self._write(
            how,
            partial(set_flag, person=person, flag=value, reason="wrote", by_contact=is_asked),
        )
        if value:
            # Set once more without a word of the contact's is no news, nor a taking back.
            if is_asked or not row["do_not_email"]:
                is_heard = how != "unheard"
                self.law.flagged(person, self.world.now, is_asked=is_asked, is_told=is_heard)
        elif value is False:
            self.law.cleared(person)
        self.law.flag_is(person, value)

    def set_and_clear(self, number: int, asked: bool) -> None:
        """Within one transaction: what the contact asked for is said all the same."""
        if (row := self._row(number)) is None:
            return

        def both(connection: psycopg.Connection[Any]) -> None:
            set_flag(connection, row["contact_id"], True, "wrote", asked)
            set_flag(connection, row["contact_id"], False)

        self._write("plain", both)
        if asked or not row["do_not_email"]:
            self.law.flagged(row["contact_id"], self.world.now, is_asked=asked)
        self.law.cleared(row["contact_id"])
        self.law.flag_is(row["contact_id"], False)

    def commit_late(self, number: int, other: int, job: str) -> None:
        """A no is written, something else is committed and a job runs; then the no is committed."""
        row, second = self._row(number), self._row(other)
        if row is None or second is None or row == second:
            return
        with psycopg.connect(self.world.url) as late:
            set_flag(late, row["contact_id"], True, "wrote", True)
            self.world.turn_flag(second["contact_id"], False)
            if second["do_not_email"]:
                self.law.cleared(second["contact_id"])
            else:
                self.law.flagged(second["contact_id"], self.world.now, is_asked=False)
            self.law.flag_is(second["contact_id"], not second["do_not_email"])
            self.world.run(job)
        self.law.flagged(row["contact_id"], self.world.now, is_asked=True)
        self.law.flag_is(row["contact_id"], True)

    def change_address(self, number: int, address: str | None) -> None:
        if row := self._row(number):
            self.world.execute(
                "UPDATE crm_contact SET preferred_email = %s WHERE contact_id = %s",
                address, row["contact_id"],
            )  # fmt: skip
            self.law.is_in_crm(row["contact_id"], address)

    def write_again(self, number: int, how: str) -> None:
        """DELETE and INSERT of the row as it is, as a re-import does."""
        if row := self._row(number):
            columns = ", ".join(row)
            values = ", ".join(f"%({name})s" for name in row)

            def again(connection: psycopg.Connection[Any]) -> None:
                connection.execute("DELETE FROM crm_contact WHERE contact_id = %(contact_id)s", row)
                connection.execute(f"INSERT INTO crm_contact ({columns}) VALUES ({values})", row)

            self._write(how, again)

    def add(self, address: str, flag: bool | None, by_copy: bool) -> None:
        person = f"p{self.people}"
        self.people += 1
        with self.world.transaction() as connection:
            cursor = connection.cursor()
            columns = "crm_contact (contact_id, preferred_email, do_not_email)"
            if by_copy:
                with cursor.copy(f"COPY {columns} FROM STDIN") as copy:
                    copy.write_row((person, address, flag))
            else:
                cursor.execute(
                    f"INSERT INTO {columns} VALUES (%s, %s, %s)", (person, address, flag)
                )
        self.law.is_in_crm(person, address)
        self.law.flag_is(person, flag)
        if flag:
            self.law.flagged(person, self.world.now, is_asked=False)

    def remove(self, number: int) -> None:
        if row := self._row(number):
            self.world.execute("DELETE FROM crm_contact WHERE contact_id = %s", row["contact_id"])
            if row["contact_id"] in self.unseen_merges:
                self.law.never_merged(row["contact_id"])
            self.law.left_crm(row["contact_id"])

    def merge(self, number: int, other: int) -> None:
        """The row stays, and says which other row counts."""
        row, kept = self._row(number), self._row(other)
        if row and kept and row != kept and not (row["merged_into"] or kept["merged_into"]):
            self.world.execute(
                "UPDATE crm_contact SET merged_into = %s WHERE contact_id = %s",
                kept["contact_id"], row["contact_id"],
            )  # fmt: skip
            self.law.merged(row["contact_id"], kept["contact_id"])
            self.unseen_merges.add(row["contact_id"])

    def move_link(self, number: int, other: int) -> None:
        """The CRM's own column is edited: it is ours to write, and says nothing."""
        contact = self._contact(other)
        if (row := self._row(number)) and contact:
            self.world.execute(
                "UPDATE crm_contact SET constant_contact_id = %s WHERE contact_id = %s",
                contact["contact_id"], row["contact_id"],
            )  # fmt: skip
            self.law.tie(row["contact_id"], contact["contact_id"])

    def want_list(self, number: int) -> None:
        if row := self._row(number):
            (wanted,) = list(self.world.lists_in_truth())[:1]
            self.world.execute(
                "INSERT INTO crm_list_membership (contact_id, list_id, action)"
                " VALUES (%s, %s, 'add') ON CONFLICT DO NOTHING",
                row["contact_id"], wanted,
            )  # fmt: skip

    # the vendor's people

    def opt_out(self, number: int, source: str) -> None:
        contact = self._contact(number)
        if contact and (source == "Contact" or contact["permission"] != "unsubscribed"):
            self.world.control.unsubscribe(contact["contact_id"], source=source, reason="enough")
            self.law.opted_out(contact["contact_id"], self.world.now)

    def opt_in(self, number: int) -> None:
        if contact := self._contact(number):
            self.world.control.resubscribe(contact["contact_id"])
            self.law.opted_in_by_itself(contact["contact_id"], self.world.now)

    def change_vendors_address(self, number: int, address: str) -> None:
        if contact := self._contact(number):
            try:
                self.world.control.update_contact(contact["contact_id"], email=address)
                self.law.tie(contact["contact_id"], email_key(address))
            except ControlError as error:
                assert "taken" in str(error)  # noqa: PT017 - else it is another

    def delete(self, number: int, purged: bool) -> None:
        if contact := self._contact(number):
            control = self.world.control
            (control.purge_contact if purged else control.delete_contact)(contact["contact_id"])

    def restore(self, number: int) -> None:
        """A deleted contact comes back as it was."""
        if contact := self._contact(number, deleted=True):
            self.world.control.restore_contact(contact["contact_id"])

    def sign_up(self, address: str) -> None:
        """A contact comes by itself, under an id of its own."""
        self.world.pass_time()
        try:
            contact = self.world.add_vendor_contact(address)
        except ControlError as error:
            assert "taken" in str(error)  # noqa: PT017 - else it is another
            return
        self.world.control.resubscribe(contact)
        self.law.tie(contact, email_key(address))
        self.law.opted_in_by_itself(contact, self.world.now)

    # what runs

    def run(self, job: str) -> None:
        self.world.pass_time()
        self.world.run(job)
        if job in {"opt_outs", "links"}:
            self.unseen_merges.clear()

    def run_and_be_killed(self, job: str, at_step: int) -> None:
        self.world.pass_time()
        self.world.run_killed(job, at_step)

    def time_passes(self, days: float) -> None:
        self.world.pass_time(days * DAY_S)

    def take_all_back(self) -> None:
        """The firm clears each flag; what is deleted at the vendor comes back only then."""
        for number, row in enumerate(self.world.execute("SELECT * FROM crm_contact ORDER BY 1")):
            if row["do_not_email"]:
                self.flag(number, False, False, "plain")
        self.run("opt_outs")
        while self._contact(0, deleted=True):
            self.restore(0)

    def settle(self) -> None:
        """A night and the quarter of an hour after it."""
        self.world.pass_time(DAY_S)
        for job in ("lists", "links", "opt_outs", "memberships", "opt_outs"):
            self.world.run(job)
        contacts = list(self.world.control.truth_contacts())
        assert self.law.broken(contacts) == []
        assert self.law.silenced(contacts) == []
        assert self.world.control.truth()["policy_violations"] == []
        assert self.world.control.truth()["revivals"] == []
        held = "SELECT * FROM crm_opt_out_change WHERE do_not_email AND status <> 'done'"
        left = [row for row in self.world.execute(held) if row["status"] != "superseded"]
        assert left == [], "so few are never held"

    # what all of them need

    def _row(self, number: int) -> dict[str, Any] | None:
        self.world.pass_time()
        rows = self.world.execute("SELECT * FROM crm_contact ORDER BY contact_id")
        return rows[number % len(rows)] if rows else None

    def _contact(self, number: int, *, deleted: bool = False) -> dict[str, Any] | None:
        self.world.pass_time()
        contacts = [
            each
            for each in self.world.control.truth_contacts()
            if each["deleted"] is deleted and not (deleted and each["email"] is None)
        ]
        return contacts[number % len(contacts)] if contacts else None

    def _write(self, how: str, write: Any) -> None:
        with self.world.transaction() as connection:
            if how == "replica":
                connection.execute("SET LOCAL session_replication_role = replica")
            if how == "unheard":
                _turn_doorbell(connection, "DISABLE")
            write(connection)
            if how == "unheard":
                _turn_doorbell(connection, "ENABLE ALWAYS")


def _turn_doorbell(connection: psycopg.Connection[Any], how: LiteralString) -> None:
    for name in ("constant_contact_no_from_start", "constant_contact_no", "constant_contact_yes"):
        connection.execute(f"ALTER TABLE crm_contact {how} TRIGGER {name}")
