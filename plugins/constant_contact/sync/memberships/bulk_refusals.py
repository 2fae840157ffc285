"""Calls that are refused as a whole: halved until the one that is to blame stands alone.

The vendor refuses a call for one of its contacts, a firewall for one name in it, and a job ends as
failed. Each is split, and one bad contact among n costs about 2 * log2(n) calls more. Where no
contact at all is accepted it is the call that is refused, and is not split any further.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from constant_contact.api.client import Client
from constant_contact.errors import WriteUncertain
from constant_contact.store import bulk_jobs, database
from constant_contact.store.database import Database
from constant_contact.sync.lists import sync_lists

_log = logging.getLogger("constant_contact.memberships")

# So many that are refused alone, and none accepted: more of them would be refused, too.
_ENOUGH: Final = 3
# Calls with more contacts have one tried alone.
_MOST_UNPROBED: Final = 4
LATER: Final = "(It is tried again later, ever more rarely.)"
_GAVE_UP: Final = "Tried several times without success. "
Refuser = Literal["vendor", "gateway", "job", "us"]
Step = Literal["call", "job"]
# As many are created one by one where no import is accepted.
_MOST_CREATED: Final = 1_000
Call = Mapping[str, Any]


@dataclass
class _Family:
    """The parts of one call.

    Attributes:
        list_ids: Of the whole.
        contacts: Of the whole.
        bulk_ids: Of the parts, whatever became of them.
        passed: What parts have passed: the call was accepted; its job was done.
        alone: How many that cannot be split were refused.
    """

    list_ids: list[str]
    contacts: int
    bulk_ids: set[int] = field(default_factory=set)
    passed: set[Step] = field(default_factory=set)
    alone: int = 0

    def is_hopeless(self, step: Step) -> bool:
        """Whether the call itself is refused, with any contact in it."""
        return self.alone >= _ENOUGH and step not in self.passed


class Refusals:
    """What became of the calls of one run that were refused.

    Attributes:
        rejected: Requests that the vendor refuses; likewise `failed`.
    """

    def __init__(self, client: Client, crm: Database) -> None:
        self._client = client
        self._crm = crm
        self._families: dict[int, _Family] = {}
        self._blocked: dict[int, str] = {}
        self._has_passed = False
        self._lists_are_fresh = False
        self.rejected = self.failed = 0

    def note_passed(self, bulk_id: int, step: Step) -> None:
        """Take note that a call was accepted, or that its job was done."""
        self._has_passed = True
        if family := self._families.get(bulk_id):
            family.passed.add(step)

    def has_passed(self, bulk_id: int) -> bool:
        """Whether another part of the same call was accepted."""
        return bulk_id in self._families and "call" in self._families[bulk_id].passed

    def judge(self, call: Call, said: str, by: Refuser) -> None:
        """Split a refused call, or keep why the one contact in it is refused.

        Args:
            call: With `bulk_id`, `kind`, `list_ids` and the number of `contacts`.
            said: Why, redacted.
            by: Who refused it: the vendor in its own words, a firewall or proxy on the way, a job
                that ended as failed, or an unexpected error of ours.
        """
        bulk_id = call["bulk_id"]
        if by == "vendor" and self.are_lists_gone(call["list_ids"]):
            # Routing tells of it.
            bulk_jobs.save_state(self._crm, bulk_id, "done", error=said)
            return
        step: Step = "job" if by == "job" else "call"
        new = _Family(call["list_ids"], call["contacts"], {bulk_id})
        family = self._families.setdefault(bulk_id, new)
        if family.is_hopeless(step):
            self._give_up(call, family, said, by)
        elif is_divisible(call):
            self._split(call, family, said, is_probed=step not in family.passed)
        else:
            family.alone += 1
            self._keep_alone(call, family, said, by)

    def settle(self) -> None:
        """End what was refused on the way to the vendor.

        Where other calls went through, it counts as a try; where none did, nothing is known.

        Raises:
            WriteUncertain: Nothing passes; the requests stay pending, and say why.
        """
        blocked, self._blocked = self._blocked, {}
        for bulk_id, said in blocked.items():
            if self._has_passed:
                bulk_jobs.save_state(self._crm, bulk_id, "done", error=said)
                continue
            self.explain(bulk_id, said)
            bulk_jobs.forget(self._crm, bulk_id)
        if blocked and not self._has_passed:
            raise WriteUncertain(next(iter(blocked.values())))

    def block(self, bulk_id: int, said: str) -> None:
        """Keep until `settle` that a call is refused on the way.

        Raises:
            WriteUncertain: As `settle`, when so many were and nothing passed.
        """
        self._blocked[bulk_id] = said
        if len(self._blocked) >= _ENOUGH and not self._has_passed:
            self.settle()

    def explain(self, bulk_id: int, said: str) -> None:
        """Say in the requests of a call why they wait on."""
        with self._crm.transaction() as connection:
            why = {"bulk_id": bulk_id, "detail": f"Not carried yet. {said}"}
            database.run(connection, "memberships/explain_requests", why)

    def are_lists_gone(self, list_ids: list[str]) -> bool:
        """Whether one of the lists was deleted; the vendor is asked once a run."""
        if not self._lists_are_fresh:
            sync_lists(self._client, self._crm)
            self._lists_are_fresh = True
        return bool(self._crm.rows("memberships/dead_lists", {"list_ids": list_ids}))

    def finish(self, bulk_id: int, list_ids: list[str], status: str, detail: str) -> int:
        """Keep the answer to the requests of a call; return how many there were."""
        with self._crm.transaction() as connection:
            answer = {
                "bulk_id": bulk_id, "list_ids": list_ids, "status": status, "detail": detail
            }  # fmt: skip
            return database.run(connection, "memberships/finish_requests", answer)

    def _split(self, call: Call, family: _Family, said: str, *, is_probed: bool) -> None:
        is_probed &= call["contacts"] > _MOST_UNPROBED
        params = {"bulk_id": call["bulk_id"], "is_probed": is_probed, "error": said}
        parts = self._crm.rows("memberships/split_call", params)
        for part in parts:
            family.bulk_ids.add(part["bulk_id"])
            self._families[part["bulk_id"]] = family
        _log.warning(
            "call %d of %d contacts was refused as a whole and is split: %s",
            call["bulk_id"],
            call["contacts"],
            said,
        )

    def _keep_alone(self, call: Call, family: _Family, said: str, by: Refuser) -> None:
        bulk_id = call["bulk_id"]
        has_siblings = bool(family.passed)
        if by == "gateway" and not has_siblings:
            self.block(bulk_id, said)
            return
        # A new contact is tried by itself next, which tells what is wrong with it. What was refused
        # with others was tried often enough; what was alone from the beginning may pass.
        if call["kind"] != "import":
            if by == "vendor":
                detail = f"Constant Contact refused it: {said} {LATER}"
                self.rejected += self.finish(bulk_id, call["list_ids"], "rejected", detail)
            elif has_siblings:
                self.failed += self.finish(bulk_id, call["list_ids"], "failed", _GAVE_UP + said)
        bulk_jobs.save_state(self._crm, bulk_id, "done", error=said)

    def _give_up(self, call: Call, family: _Family, said: str, by: Refuser) -> None:
        """End all parts of a call that are left."""
        planned = set(bulk_jobs.find_planned(self._crm, (call["kind"],)))
        is_to_be_created = call["kind"] == "import" and family.contacts <= _MOST_CREATED
        for bulk_id in {call["bulk_id"]} | (family.bulk_ids & planned):
            if by == "gateway":
                self.block(bulk_id, said)
                continue
            if not is_to_be_created:
                self.failed += self.finish(bulk_id, family.list_ids, "failed", _GAVE_UP + said)
            bulk_jobs.save_state(self._crm, bulk_id, "done", error=said)


def is_divisible(call: Call) -> bool:
    """Whether a call is about more than one contact, or puts one on more than one list."""
    return call["contacts"] > 1 or (call["kind"] != "import" and len(call["list_ids"]) > 1)
