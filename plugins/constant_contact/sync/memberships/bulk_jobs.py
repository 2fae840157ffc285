"""Bulk activities: sent once each, polled, and judged by their counters and the mirror.

A call is kept as `sending` before it goes out and with its activity id before it is polled. There
is no idempotency key: a run that finds a call `sending` looks for it at the vendor before it sends
again, and what is found so is proven by the mirror alone.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from constant_contact.api import vendor
from constant_contact.api.client import Client
from constant_contact.api.records import identifier, text
from constant_contact.errors import (
    BulkPending,
    ConstantContactError,
    NotFound,
    Rejected,
    Unforeseen,
    Withdrawn,
    WriteBlocked,
    WriteUncertain,
    unforeseen,
)
from constant_contact.redact import redact
from constant_contact.store import bulk_jobs, database, state
from constant_contact.store.database import Database
from constant_contact.sync.contacts.links import update_links
from constant_contact.sync.contacts.mirror import refresh_contacts, renew
from constant_contact.sync.memberships import bulk_counters, routes
from constant_contact.sync.memberships.bulk_bodies import body_of
from constant_contact.sync.memberships.bulk_refusals import Refusals, is_divisible
from constant_contact.sync.paging import restarting

_log = logging.getLogger("constant_contact.memberships")

KINDS = ("add", "remove", "import")
# A small job is done within seconds; a large one is left alone, and no worker waits for it.
WAITS_S = (1.0, 2.0, 4.0, 8.0)
# A call without an answer may still be on its way to the vendor's queue.
GRACE_S = 60.0
_LEAST_PAUSE_S, _MOST_PAUSE_S = 30.0, 300.0
PATHS = {
    "add": "/activities/add_list_memberships",
    "remove": "/activities/remove_list_memberships",
    "import": "/activities/contacts_json_import",
}
# A look at the vendor's contacts that an import still goes by.
_STALE_S = 10.0
# Writes without an answer, of one run, until it ends.
WRITE_TRIES = 4
# A job that has not ended by then never will.
_MOST_AGE_S = 86_400.0
Activity = Mapping[str, Any]


class BulkActivities:
    """The bulk calls of one run, and those that earlier runs left behind.

    Args:
        client: Of the account.
        crm: Where the calls are kept.
        waits_s: Pauses between looks at what this run has sent.
        grace_s: How long a call without an answer may take to show up.

    Attributes:
        refusals: What became of calls that were refused as a whole.
        failure: The last unexpected error.
        sent: Calls that the vendor took on.
        added: Requests that ended on the list; likewise `removed`.
        created: Contacts that are new at the vendor.
    """

    def __init__(
        self, client: Client, crm: Database, *, waits_s: Sequence[float], grace_s: float
    ) -> None:
        self._client = client
        self._crm = crm
        self._waits_s = waits_s
        self._grace_s = grace_s
        self._unanswered: dict[int, WriteUncertain] = {}
        # Of those, since the last call that was answered.
        self._in_a_row = 0
        self.refusals = Refusals(client, crm)
        self.failure: Unforeseen | None = None
        self.sent = self.added = self.removed = self.created = 0

    def send_planned(self) -> int:
        """Send each planned call that is still right for anybody; return how many.

        Raises:
            Later, Fatal, Retriable: At once; the next run plans what was not sent.
        """
        begun = 0
        looked_at = time.monotonic()
        for kind in KINDS:
            # What is refused as a whole is planned again, in parts.
            while bulk_ids := bulk_jobs.find_planned(self._crm, (kind,)):
                for bulk_id in bulk_ids:
                    if kind == "import" and time.monotonic() - looked_at > _STALE_S:
                        # A contact that has appeared at the vendor since is linked, not imported.
                        refresh_contacts(self._client, self._crm)
                        looked_at = time.monotonic()
                    if activity := routes.begin_call(self._crm, bulk_id):
                        self._send(activity)
                        begun += 1
        self.refusals.settle()
        return begun

    def _send(self, activity: Activity) -> None:
        bulk_id, kind = activity["bulk_id"], activity["kind"]
        current = dict(activity)

        def body() -> Mapping[str, Any]:
            call = routes.begin_call(self._crm, bulk_id)
            if call is None:
                raise Withdrawn(f"call {bulk_id} is right for no contact any more")
            current.update(call)
            return body_of(self._crm, call)

        try:
            answer = self._client.post(PATHS[kind], body)
        except Withdrawn as error:
            _log.info("%s", error)
        except WriteUncertain as error:
            self._look_for(current, error)
        except Rejected as error:
            _log.warning("%s", error)
            self.refusals.judge(current, error.said or str(error), "vendor")
        except ConstantContactError:
            # It was not carried out: the vendor said so, or it was never sent.
            bulk_jobs.save_state(self._crm, bulk_id, "planned")
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about one of them
            self.failure = unforeseen(f"call {bulk_id}", error)
            self.refusals.judge(current, str(self.failure), "us")
        else:
            self._in_a_row = 0
            self.refusals.note_passed(bulk_id, "call")
            self.sent += 1
            activity_id = identifier(answer.get("activity_id"))
            if activity_id is None:
                self._find_unnamed(current)
            else:
                bulk_jobs.save_state(self._crm, bulk_id, "queued", activity_id=activity_id)

    def _look_for(self, call: Activity, error: WriteUncertain) -> None:
        """Look whether a call without the vendor's answer happened."""
        _log.warning("%s; looking whether it happened", error)
        bulk_id = call["bulk_id"]
        left = self._find({bulk_id: call}, {})
        if isinstance(error, WriteBlocked) and error.is_refusal:
            if bulk_id in left:
                self.refusals.judge(call, str(error), "gateway")
            return
        self._unanswered[bulk_id] = error
        self._in_a_row += 1
        if self._in_a_row == WRITE_TRIES:
            raise error
        self._forget_old(left)

    def check_in_flight(self) -> bool:
        """Look once at everything that is not decided; decide what has ended.

        Returns:
            Whether the vendor still works on something.
        """
        known = bulk_jobs.find_in_flight(self._crm, KINDS)
        if not known:
            return False
        lost = {each["bulk_id"]: each for each in known if each["state"] == "sending"}
        queued = {each["activity_id"]: each for each in known if each["state"] == "queued"}
        if lost or len(queued) > 1:
            self._forget_old(self._find(lost, queued))
        else:
            for activity_id, each in queued.items():
                self._ask(activity_id, each)
        self._decide()
        return bool(bulk_jobs.find_in_flight(self._crm, KINDS))

    def wait(self) -> bool:
        """Look until everything is decided.

        Returns:
            Whether there was anything to wait for.

        Raises:
            BulkPending: The vendor needs longer than a worker should wait.
            WriteUncertain: A call of this run had no answer and was not found since.
        """
        if not bulk_jobs.find_in_flight(self._crm, KINDS):
            return False
        waited_for: int = -1 if self.sent or self._unanswered else self.sent
        # What is sent meanwhile, parts of what failed, is waited for as long.
        while waited_for != self.sent:
            waited_for = self.sent
            for wait_s in self._waits_s:
                time.sleep(wait_s)
                if not self.check_in_flight():
                    return True
        known = bulk_jobs.find_in_flight(self._crm, KINDS)
        lost = [each for each in known if each["state"] == "sending"]
        if self._unanswered and lost:
            if not self._judge_lost(lost):
                for each in lost:
                    if error := self._unanswered.get(each["bulk_id"]):
                        self.refusals.explain(each["bulk_id"], str(error))
                raise next(reversed(self._unanswered.values()))
            self.send_planned()
            return True
        raise self._pending()

    def _judge_lost(self, lost: Sequence[Activity]) -> bool:
        """Split what a gateway said to be out of order again and again; return whether there is.

        One contact alone is judged only where another went through.
        """
        blocked = [
            each for each in lost
            if isinstance(self._unanswered.get(each["bulk_id"]), WriteBlocked)
            and (is_divisible(each) or self.refusals.has_passed(each["bulk_id"]))
        ]  # fmt: skip
        for each in blocked:
            self.refusals.judge(each, str(self._unanswered[each["bulk_id"]]), "gateway")
        return bool(blocked)

    def _pending(self) -> BulkPending:
        """Looks come further apart as the jobs grow older."""
        known = bulk_jobs.find_in_flight(self._crm, KINDS)
        oldest_s = max(each["age_s"] for each in known)
        pause_s = min(max(oldest_s, _LEAST_PAUSE_S), _MOST_PAUSE_S)
        with self._crm.transaction() as connection:
            resume_at = state.database_now(connection) + timedelta(seconds=pause_s)
        return BulkPending(
            f"Constant Contact works on {len(known)} bulk jobs for memberships, the oldest for "
            f"{oldest_s:.0f} s; looking again in {pause_s:.0f} s",
            resume_at,
        )

    def _find(
        self, lost: Mapping[int, Activity], queued: Mapping[str, Activity]
    ) -> dict[int, Activity]:
        """Read the vendor's collection, which one call shows whole: ours, and what may be ours.

        Args:
            lost: Calls of which no answer is known, by `bulk_id`.
            queued: Calls whose activity is known, by its id.

        Returns:
            Those of `lost` that were not found.
        """
        missing, lost = dict(queued), dict(lost)
        for job in self._jobs():
            activity_id = identifier(job.get("activity_id"))
            if activity_id in missing:
                self._keep(missing.pop(activity_id), job)
            elif activity_id is not None:
                self._adopt(activity_id, job, lost)
            if not missing and not lost:
                return lost
        for activity_id, activity in missing.items():
            self._ask(activity_id, activity)
        return lost

    def _forget_old(self, lost: Mapping[int, Activity]) -> None:
        """What was not found for long enough never reached the vendor."""
        for bulk_id, activity in lost.items():
            if activity.get("age_s", 0.0) >= self._grace_s:
                bulk_jobs.forget(self._crm, bulk_id)

    def _find_unnamed(self, activity: Activity) -> None:
        """Look for a job that the vendor took on without naming it; the mirror judges if not found.

        It counts as a try then: sent again as one that never arrived, it would be so for ever.
        """
        lost = {activity["bulk_id"]: activity}
        for job in self._jobs():
            if (activity_id := identifier(job.get("activity_id"))) is not None:
                self._adopt(activity_id, job, lost)
            if not lost:
                return
        error = "Constant Contact took the job on without an id."
        bulk_jobs.save_state(self._crm, activity["bulk_id"], "ended", error=error)

    def _ask(self, activity_id: str, activity: Activity) -> None:
        try:
            job = self._client.get(f"/activities/{activity_id}")
        except Rejected as error:
            if not isinstance(error, NotFound) and activity.get("age_s", 0.0) < _MOST_AGE_S:
                raise
            _log.warning("%s", error)
            bulk_jobs.save_state(self._crm, activity["bulk_id"], "ended", error=error.said)
        else:
            self._keep(activity, job)

    def _jobs(self) -> Iterator[dict[str, Any]]:
        params = {"limit": vendor.ACTIVITIES_PER_PAGE}
        for page in restarting(lambda: self._client.pages("/activities", params)):
            yield from (job for job in page.rows("activities") if isinstance(job, dict))

    def _adopt(self, activity_id: str, job: Mapping[str, Any], lost: dict[int, Activity]) -> None:
        """Take a job that no other call of ours has for the lost call that it looks like."""
        found = next(
            (one for one in lost.values() if bulk_counters.look_like(one, job.get("status"))), None
        )
        if found is None or bulk_jobs.is_ours(self._crm, activity_id):
            return
        _log.info("activity %s is call %d", activity_id, found["bulk_id"])
        self.sent += 1
        bulk_id = found["bulk_id"]
        bulk_jobs.save_state(self._crm, bulk_id, "queued", activity_id=activity_id, is_adopted=True)
        self._keep({**found, "activity_id": activity_id, "is_adopted": True}, job)
        del lost[bulk_id]

    def _keep(self, activity: Activity, job: Mapping[str, Any]) -> None:
        """Keep what the vendor says of a job."""
        said = text(job.get("state"))
        if said not in vendor.JOBS_ENDED and activity.get("age_s", 0.0) < _MOST_AGE_S:
            return
        counts = job.get("status")
        is_whole = said == "completed" and not activity["is_adopted"]
        adds_up = is_whole and bulk_counters.add_up(activity, counts)
        errors = job.get("activity_errors")
        error = str(errors[0]) if isinstance(errors, list) and errors else None
        if not adds_up:
            _log.warning(
                "activity %s of %d contacts ended as %s: %s",
                activity["activity_id"],
                activity["contacts"],
                said,
                counts,
            )
        bulk_jobs.save_state(
            self._crm,
            activity["bulk_id"],
            "ended",
            vendor_state=said,
            counts=Jsonb(counts),
            adds_up=adds_up,
            error=redact(error or f"Constant Contact's job ended as {said}."),
        )

    def _decide(self) -> None:
        """Decide the requests of what has ended; those that are not done are routed again."""
        ended = bulk_jobs.find_ended(self._crm, KINDS)
        if not ended:
            return
        if any(each["kind"] == "import" or not each["adds_up"] for each in ended):
            refresh_contacts(self._client, self._crm)
            self._look_at_undecided()
            update_links(self._crm)
        with self._crm.transaction() as connection:
            database.run(connection, "memberships/mirror_changes")
            finished = database.row(connection, "memberships/finish_ended") or {}
            database.run(connection, "memberships/close_ended")
        self.added += finished["added"]
        self.removed += finished["removed"]
        self.created += finished["created"]
        for each in ended:
            if each["vendor_state"] == "completed":
                self.refusals.note_passed(each["bulk_id"], "job")
        failed = [each for each in ended if each["vendor_state"] in vendor.JOBS_FAILED]
        for each in failed:
            self.refusals.judge(each, each["error"], "job")
        if failed:
            self.send_planned()

    def _look_at_undecided(self) -> None:
        """Ask about contacts that neither counters nor the mirror decide.

        The contract promises no counters, nor that a contact counts as updated by its lists.
        """
        undecided = self._crm.rows("memberships/undecided")
        renew(self._client, self._crm, [each["target"] for each in undecided])
