"""Bulk activities: sent once each, polled, and judged by their counters and the mirror.

A call is kept as `sending` before it goes out and with its activity id before it is polled. There
is no idempotency key: whoever finds a call `sending` looks for it at the vendor before it is sent
again, and what is found so is proven by the mirror alone.
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from constant_contact.api import vendor
from constant_contact.api.client import Client
from constant_contact.api.records import text
from constant_contact.errors import (
    BulkPending,
    ConstantContactError,
    NotFound,
    Rejected,
    Withdrawn,
    WriteUncertain,
)
from constant_contact.redact import redact
from constant_contact.store import activities, database, state
from constant_contact.store.database import Database
from constant_contact.sync import bulk_counters, membership_routes
from constant_contact.sync.contacts import refresh_contacts, renew
from constant_contact.sync.links import update_links
from constant_contact.sync.paging import restarting

_log = logging.getLogger("constant_contact.memberships")

KINDS = ("add", "remove", "import")
# A small job is done within seconds; a large one is left alone, and no worker waits for it.
WAITS_S = (1.0, 2.0, 4.0, 8.0)
# A call without an answer may still be on its way to the vendor's queue.
GRACE_S = 60.0
_LEAST_PAUSE_S, _MOST_PAUSE_S = 30.0, 300.0
_PATHS = {
    "add": "/activities/add_list_memberships",
    "remove": "/activities/remove_list_memberships",
    "import": "/activities/contacts_json_import",
}
_FINAL = {"completed", "cancelled", "failed", "timed_out"}
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
        sent: Calls that the vendor took on.
        added: Requests that ended on the list; likewise `removed`.
        created: Contacts that are new at the vendor.
        refused: Whether the vendor refused a call as a whole.
    """

    def __init__(
        self, client: Client, crm: Database, *, waits_s: Sequence[float], grace_s: float
    ) -> None:
        self._client = client
        self._crm = crm
        self._waits_s = waits_s
        self._grace_s = grace_s
        self._unanswered: list[WriteUncertain] = []
        self.sent = self.added = self.removed = self.created = 0
        self.refused = False

    def send_planned(self) -> int:
        """Send each planned call that is still right for anybody; return how many.

        Raises:
            Later, Fatal, Retriable: At once; what was not sent is planned anew by the next run.
        """
        begun = 0
        looked_at = time.monotonic()
        for kind in KINDS:
            for bulk_id in activities.planned(self._crm, (kind,)):
                if kind == "import" and time.monotonic() - looked_at > _STALE_S:
                    # Whoever has appeared at the vendor since is not imported, but linked.
                    refresh_contacts(self._client, self._crm)
                    looked_at = time.monotonic()
                if activity := membership_routes.begin_call(self._crm, bulk_id):
                    self._send(activity)
                    begun += 1
        return begun

    def _send(self, activity: Activity) -> None:
        bulk_id, kind = activity["bulk_id"], activity["kind"]
        current = dict(activity)

        def body() -> Mapping[str, Any]:
            call = membership_routes.begin_call(self._crm, bulk_id)
            if call is None:
                raise Withdrawn(f"call {bulk_id} is right for no contact any more")
            current.update(call)
            return self._body(call)

        try:
            answer = self._client.post(_PATHS[kind], body)
        except Withdrawn as error:
            _log.info("%s", error)
        except WriteUncertain as error:
            self._unanswered.append(error)
            if len(self._unanswered) == WRITE_TRIES:
                raise
            _log.warning("%s; looking whether it happened", error)
            self._find({bulk_id: current}, {})
        except Rejected as error:
            _log.warning("%s", error)
            self.refused = True
            activities.keep(self._crm, bulk_id, "done", error=error.said or str(error))
        except ConstantContactError:
            # It was not carried out: the vendor said so, or it was never sent.
            activities.keep(self._crm, bulk_id, "planned")
            raise
        else:
            self.sent += 1
            activity_id = text(answer.get("activity_id"))
            if activity_id is None:
                self._find_unnamed(current)
            else:
                activities.keep(self._crm, bulk_id, "queued", activity_id=activity_id)

    def _body(self, activity: Activity) -> dict[str, Any]:
        bulk_id = {"bulk_id": activity["bulk_id"]}
        with self._crm.transaction() as connection:
            if activity["kind"] == "import":
                params = bulk_id | {"name_chars": vendor.NAME_CHARS}
                people = database.rows(connection, "memberships/new_contacts", params)
                names = ("email", "first_name", "last_name")
                rows = [{name: one[name] for name in names if one[name]} for one in people]
                return {"import_data": rows, "list_ids": activity["list_ids"]}
            targets = database.rows(connection, "memberships/targets", bulk_id)
        contact_ids = [row["target"] for row in targets]
        return {"source": {"contact_ids": contact_ids}, "list_ids": activity["list_ids"]}

    def look(self) -> bool:
        """Look once at everything that is not decided; decide what has ended.

        Returns:
            Whether the vendor still works on something.
        """
        known = activities.in_flight(self._crm, KINDS)
        if not known:
            return False
        lost = {each["bulk_id"]: each for each in known if each["state"] == "sending"}
        queued = {each["activity_id"]: each for each in known if each["state"] == "queued"}
        if lost or len(queued) > 1:
            self._find(lost, queued)
        else:
            for activity_id, each in queued.items():
                self._ask(activity_id, each)
        self._decide()
        return bool(activities.in_flight(self._crm, KINDS))

    def wait(self) -> bool:
        """Look until everything is decided.

        Returns:
            Whether there was anything to wait for.

        Raises:
            BulkPending: The vendor needs longer than a worker should wait.
            WriteUncertain: A call of this run had no answer and was not found since.
        """
        if not activities.in_flight(self._crm, KINDS):
            return False
        for wait_s in self._waits_s if self.sent or self._unanswered else ():
            time.sleep(wait_s)
            if not self.look():
                return True
        if self._unanswered and self._lost():
            raise self._unanswered[-1]
        raise self._pending()

    def _lost(self) -> bool:
        known = activities.in_flight(self._crm, KINDS)
        return any(each["state"] == "sending" for each in known)

    def _pending(self) -> BulkPending:
        """Looks come further apart as the jobs grow older."""
        known = activities.in_flight(self._crm, KINDS)
        oldest_s = max(each["age_s"] for each in known)
        pause_s = min(max(oldest_s, _LEAST_PAUSE_S), _MOST_PAUSE_S)
        with self._crm.transaction() as connection:
            resume_at = state.database_now(connection) + timedelta(seconds=pause_s)
        return BulkPending(
            f"Constant Contact works on {len(known)} bulk jobs for memberships, the oldest for "
            f"{oldest_s:.0f} s; looking again in {pause_s:.0f} s",
            resume_at,
        )

    def _find(self, lost: Mapping[int, Activity], queued: Mapping[str, Activity]) -> None:
        """Read the vendor's collection, which one call shows whole: ours, and what may be ours.

        Args:
            lost: Calls of which no answer is known, by `bulk_id`.
            queued: Calls whose activity is known, by its id.
        """
        missing, lost = dict(queued), dict(lost)
        for job in self._jobs():
            activity_id = text(job.get("activity_id"))
            if activity_id in missing:
                self._keep(missing.pop(activity_id), job)
            elif activity_id is not None:
                self._adopt(activity_id, job, lost)
            if not missing and not lost:
                return
        for activity_id, activity in missing.items():
            self._ask(activity_id, activity)
        for bulk_id, activity in lost.items():
            if activity.get("age_s", 0.0) >= self._grace_s:
                activities.forget(self._crm, bulk_id)

    def _find_unnamed(self, activity: Activity) -> None:
        """Look for a job that the vendor took on without naming it; the mirror judges if not found.

        It counts as a try then: sent again as one that never arrived, it would be so for ever.
        """
        lost = {activity["bulk_id"]: activity}
        for job in self._jobs():
            if (activity_id := text(job.get("activity_id"))) is not None:
                self._adopt(activity_id, job, lost)
            if not lost:
                return
        error = "Constant Contact took the job on without an id."
        activities.keep(self._crm, activity["bulk_id"], "ended", error=error)

    def _ask(self, activity_id: str, activity: Activity) -> None:
        try:
            job = self._client.get(f"/activities/{activity_id}")
        except Rejected as error:
            if not isinstance(error, NotFound) and activity.get("age_s", 0.0) < _MOST_AGE_S:
                raise
            _log.warning("%s", error)
            activities.keep(self._crm, activity["bulk_id"], "ended", error=error.said)
        else:
            self._keep(activity, job)

    def _jobs(self) -> Iterator[dict[str, Any]]:
        params = {"limit": vendor.ACTIVITIES_PER_PAGE}
        for page in restarting(lambda: self._client.pages("/activities", params)):
            yield from (job for job in page.rows("activities") if isinstance(job, dict))

    def _adopt(self, activity_id: str, job: Mapping[str, Any], lost: dict[int, Activity]) -> None:
        """Take a job that nobody else of ours has and that looks like a lost call for that call."""
        found = next(
            (one for one in lost.values() if bulk_counters.look_like(one, job.get("status"))), None
        )
        if found is None or activities.is_ours(self._crm, activity_id):
            return
        _log.info("activity %s is call %d", activity_id, found["bulk_id"])
        self.sent += 1
        bulk_id = found["bulk_id"]
        activities.keep(self._crm, bulk_id, "queued", activity_id=activity_id, is_adopted=True)
        self._keep({**found, "activity_id": activity_id, "is_adopted": True}, job)
        del lost[bulk_id]

    def _keep(self, activity: Activity, job: Mapping[str, Any]) -> None:
        """Keep what the vendor says of a job."""
        said = text(job.get("state"))
        if said not in _FINAL and activity.get("age_s", 0.0) < _MOST_AGE_S:
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
        activities.keep(
            self._crm,
            activity["bulk_id"],
            "ended",
            vendor_state=said,
            counts=json.dumps(counts),
            adds_up=adds_up,
            error=redact(error or f"Constant Contact's job ended as {said}."),
        )

    def _decide(self) -> None:
        """Decide the requests of what has ended; those that are not done are routed again."""
        ended = activities.ended(self._crm, KINDS)
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

    def _look_at_undecided(self) -> None:
        """Ask after whom neither counters nor the mirror decide.

        The contract promises no counters, nor that a contact counts as updated by its lists.
        """
        with self._crm.transaction() as connection:
            undecided = database.rows(connection, "memberships/undecided")
        renew(self._client, self._crm, [each["target"] for each in undecided])
