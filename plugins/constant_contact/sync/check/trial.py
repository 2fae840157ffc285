"""The list and the contact that the writing check makes, and how it finds and removes them.

A contact is the check's own if its company says so, a list if its name does; the list's description
names the contact. Nothing else is ever written to: an address that another contact has is refused.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from constant_contact.api import vendor
from constant_contact.api.client import Client
from constant_contact.api.exchange import Body
from constant_contact.api.records import text
from constant_contact.errors import ConstantContactError, NotFound, WriteUncertain
from constant_contact.sync.check.account import Row, rows_of
from constant_contact.sync.check.probes import NotTried
from constant_contact.sync.check.trial_contact import TrialContact
from constant_contact.sync.memberships.bulk_jobs import PATHS

MARK: Final = "constant_contact_check"
_OWN_LIST: Final = re.compile(rf"{MARK} \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+")
# Between looks at what the vendor does later: together, the time limit of a bulk job in seconds.
WAITS_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# A bulk job that was asked for, and whose answer was lost.
_UNNAMED_JOB: Final = "without an id"
NAMES: Final = {"first_name": "Constant", "last_name": "Check"}
# So often a contact is looked at for what was done before.
LOOKS: Final = 3
_INCLUDE: Final = {"include": "list_memberships"}


@dataclass
class Trial:
    """One run of the writing check.

    Attributes:
        crm_contact: Whose address the contact gets.
        waits_s: Between looks.
        list_name: Of the list that is made.
        list_id: Of the list that was made; likewise `contact_id`. Until the vendor has named one
            that was asked for, `is_unnamed`.
        is_opted_in: The contact may be on lists.
        was_opted_in: Something was sent that may have opted the contact in.
        refusal: Why nothing may be tried.
        contact_ids: Of all contacts that were made; likewise `list_ids`.
        open_jobs: Bulk jobs that were begun and not seen to end.
        slow_jobs: How many did not end in time; the others took `job_seconds`.
        counters: Of the jobs that changed memberships, by their kind.
    """

    client: Client
    crm_contact: TrialContact
    waits_s: Sequence[float] = WAITS_S
    list_name: str = field(default_factory=lambda: f"{MARK} {datetime.now(UTC):%F %T.%f}")
    list_id: str | None = None
    contact_id: str | None = None
    refusal: str | None = None
    is_unnamed: bool = False
    is_opted_in: bool = False
    was_opted_in: bool = False
    contact_ids: list[str] = field(default_factory=list)
    list_ids: list[str] = field(default_factory=list)
    open_jobs: list[str] = field(default_factory=list)
    slow_jobs: int = 0
    job_seconds: list[float] = field(default_factory=list)
    counters: dict[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """That the contact gets."""
        return self.crm_contact.address

    def own_list(self) -> str:
        """The list.

        Raises:
            NotTried: There is none.
        """
        if self.list_id is None:
            raise NotTried(self.refusal or "there is no list of the check's own")
        return self.list_id

    def own_contact(self) -> str:
        """The contact.

        Raises:
            NotTried: There is none.
        """
        if self.contact_id is None:
            raise NotTried(self.refusal or "there is no contact of the check's own")
        return self.contact_id

    def opted_in_contact(self) -> str:
        """The contact, which may be on lists.

        Raises:
            NotTried: There is none, or it could not be opted in.
        """
        contact_id = self.own_contact()
        if not self.is_opted_in:
            raise NotTried("the contact could not be opted in")
        return contact_id

    def refuse(self, why: str) -> NotTried:
        """Nothing may be tried from now on, about no contact; the error to raise."""
        self.refusal = why
        self.contact_id = None
        return NotTried(why)

    def at_address(self, spelled: str) -> list[Row]:
        """What the vendor finds for an address: one call."""
        found = self.client.get("/contacts", {"email": spelled, "status": "all", **_INCLUDE})
        rows = found.get("contacts")
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def has_address(self, contact: Mapping[str, Any]) -> bool:
        """Whether a contact has the address."""
        email = contact.get("email_address")
        shown = text(email.get("address")) if isinstance(email, dict) else None
        return shown is not None and shown.lower() == self.address.lower()

    def own_lists(self) -> dict[str, str | None]:
        """The lists that runs left, and the contact that each names: two calls."""
        params = {"limit": vendor.LISTS_PER_PAGE, "status": "active"}
        return {
            list_id: text(row.get("description"))
            for page in self.client.pages("/contact_lists", params)
            for row in rows_of(page, "lists")
            if _OWN_LIST.fullmatch(text(row.get("name")) or "")
            and (list_id := text(row.get("list_id")))
        }

    def body(self, permission: str, *, reason: str | None = None, **fields: Any) -> dict[str, Any]:
        """A ContactPutRequest that keeps the contact the check's own."""
        email = {"address": self.address, "permission_to_send": permission}
        if reason is not None:
            email["opt_out_reason"] = reason
        return {
            "email_address": email, "company_name": MARK, "update_source": "Account", **fields
        }  # fmt: skip

    def opt_in(self, **fields: Any) -> None:
        """PUT the contact as one that may be emailed, if that is still so when the call goes out.

        Raises:
            Withdrawn: It must not be emailed any more; nothing was sent.
        """
        path = f"/contacts/{self.own_contact()}"
        self.was_opted_in = True
        self.client.put(path, partial(self._confirmed, self.body("implicit", **fields)))

    def import_contact(self, first_name: str) -> Row:
        """Have the contact imported onto the list; return the bulk job as it ended.

        Raises:
            NotTried: As `run_job`.
            Withdrawn: It must not be emailed any more; nothing was sent.
        """
        self.own_contact()
        if self.open_jobs:
            # It could come after the contact is deleted, and bring it back.
            raise NotTried("a bulk job is still open: no import is begun")
        person = {"email": self.address, "first_name": first_name}
        body = {"import_data": [person], "list_ids": [self.own_list()]}
        self.was_opted_in = True
        return self.run_job("import", partial(self._confirmed, body))

    def _confirmed(self, body: dict[str, Any]) -> dict[str, Any]:
        self.crm_contact.confirm()
        return body

    def shown(self, is_done: Callable[[Row], bool] = lambda _row: True) -> Row:
        """The contact, looked at until it shows what was done, a few times."""
        row = self.read_own_contact()
        for wait_s in self.waits_s[: LOOKS - 1]:
            if is_done(row):
                break
            time.sleep(wait_s)
            row = self.read_own_contact()
        return row

    def read_own_contact(self) -> Row:
        """The contact as it is shown now."""
        return self.look_at(self.own_contact())

    def look_at(self, contact_id: str) -> Row:
        """A contact as it is shown now, with its lists."""
        return self.client.get(f"/contacts/{contact_id}", _INCLUDE)

    def is_on_list(self, row: Mapping[str, Any]) -> bool:
        """Whether a contact is on the list.

        Raises:
            NotTried: It does not show its lists.
        """
        lists = row.get("list_memberships")
        if not isinstance(lists, list):
            raise NotTried("the contact does not show its lists")
        return self.list_id in lists

    def run_job(self, kind: str, body: Body) -> Row:
        """Have a bulk job done; return it as it ended.

        Raises:
            NotTried: It did not end in time, or in no known state.
        """
        self.open_jobs.append(_UNNAMED_JOB)
        try:
            activity_id = text(self.client.post(PATHS[kind], body).get("activity_id"))
        except WriteUncertain:
            raise
        except ConstantContactError:
            self.open_jobs.remove(_UNNAMED_JOB)
            raise
        if activity_id is None:
            raise NotTried("the bulk job has no activity_id")
        self.open_jobs[-1] = activity_id
        began = time.monotonic()
        for wait_s in self.waits_s:
            time.sleep(wait_s)
            job = self.client.get(f"/activities/{activity_id}")
            if job.get("state") in vendor.JOBS_ENDED:
                self.open_jobs.remove(activity_id)
                self.job_seconds.append(time.monotonic() - began)
                return job
            if job.get("state") not in vendor.JOB_STATES:
                raise NotTried("the bulk job is in a state that the contract does not name")
        self.slow_jobs += 1
        raise NotTried(f"bulk job {activity_id} did not end within {sum(self.waits_s):.0f} s")

    def wait_for_open_jobs(self) -> None:
        """Look at the bulk jobs that did not end in time, as long again as was waited for one."""
        for wait_s in self.waits_s if self.open_jobs else ():
            time.sleep(wait_s)
            for job_id in [each for each in self.open_jobs if each != _UNNAMED_JOB]:
                if self.client.get(f"/activities/{job_id}").get("state") in vendor.JOBS_ENDED:
                    self.open_jobs.remove(job_id)
            if set(self.open_jobs) <= {_UNNAMED_JOB}:
                return

    def is_gone(self, contact_id: str) -> bool:
        """Whether a contact is deleted."""
        try:
            return bool(self.client.get(f"/contacts/{contact_id}").get("deleted_at"))
        except NotFound:
            return True


def is_own(contact: Mapping[str, Any]) -> bool:
    """Whether a contact was made by a check."""
    return contact.get("company_name") == MARK


def is_out(contact: Mapping[str, Any]) -> bool:
    """Whether a contact is unsubscribed.

    Raises:
        NotTried: It shows no permission that the contract names.
    """
    permission = email_of(contact).get("permission_to_send")
    if permission not in vendor.PERMISSIONS:
        raise NotTried("the contact shows no permission that the contract names")
    return bool(permission == "unsubscribed")


def has_opted_out(contact: Mapping[str, Any]) -> bool:
    """Whether the person has unsubscribed; else it was a check, or the account."""
    email = email_of(contact)
    is_unsubscribed = email.get("permission_to_send") == "unsubscribed"
    return is_unsubscribed and email.get("opt_out_source") == "Contact"


def email_of(contact: Mapping[str, Any]) -> Row:
    """A contact's email_address; empty if it has none."""
    email = contact.get("email_address")
    return email if isinstance(email, dict) else {}
