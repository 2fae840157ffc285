"""What a firewall or proxy on the way answers is no verdict: the others go on."""

from datetime import UTC, datetime
from itertools import cycle
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.errors import (
    ConstantContactError,
    Forbidden,
    WritesBlocked,
    WriteUncertain,
)
from constant_contact.store.database import Database
from constant_contact.sync.consent import rules
from constant_contact.sync.consent.opt_out_changes import Carrier
from constant_contact.sync.contacts.mirror import sync_contacts
from simulator.server import Running
from tests.support import Add, Flag, Rows, contact_id, vendor_contact
from tests.sync.consent.outbox import Push, changes, crowd, puts

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")

ALWAYS = 9999
BLOCK_PAGE = (
    "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. "
    "Your support ID is: 4711</body></html>"
)
#: What stands on the way answers so: pages, nothing, texts, and JSON that is not the vendor's.
BODIES: dict[str, Any] = {
    "page": BLOCK_PAGE,
    "nothing": "",
    "text": "error code: 1020",
    "json of another": {"message": "Forbidden"},
    "list of another": [{"code": "WAF-7", "detail": "blocked"}],
    "empty list": [],
}
SUSPICIOUS = "please DROP TABLE me; <script>"


def block(
    simulator: Running, body: str = "DROP TABLE", status: int = 403, answer: Any = BLOCK_PAGE,
    **match: str,
) -> None:  # fmt: skip
    """A firewall that reads bodies, from now on."""
    simulator.control.add_fault(
        "status", match={"body": body, **match}, times=ALWAYS,
        params={"status": status, "body": answer},
    )  # fmt: skip


def unsubscribed(simulator: Running) -> int:
    return sum(
        contact["permission"] == "unsubscribed" for contact in simulator.control.truth_contacts()
    )


def flag_all(set_do_not_email: Flag, size: int, reasons: dict[int, str]) -> None:
    for n in range(size):
        set_do_not_email(f"c{n}", True, reasons.get(n, "asked by letter"))


def test_a_gateway_that_refuses_one_reason_stops_no_opt_out(
    simulator: Running, push: Push, add_crm_contact: Add, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    crowd(simulator, add_crm_contact, 20)
    flag_all(set_do_not_email, 20, {9: SUSPICIOUS})
    block(simulator)
    assert push(workers=1).unsubscribed == 20
    assert unsubscribed(simulator) == 20
    reasons = {n: simulator.control.truth_contact(contact_id(n))["opt_out_reason"] for n in (8, 9)}
    assert reasons == {8: "asked by letter", 9: None}
    (row,) = sql_rows("SELECT detail FROM crm_opt_out_change WHERE contact_id = 'c9'")
    assert "Without the reason" in row["detail"]


STATUSES = [200, 302, 400, 401, 403, 404, 405, 406, 407, 408, 409, 410, 413, 415, 418, 422, 429]
STATUSES += [451, 499, 500, 501, 502, 503, 504, 520]


@pytest.mark.parametrize(
    ("status", "body"),
    [*zip(STATUSES, cycle(BODIES), strict=False), *((403, body) for body in BODIES)],
)
def test_whatever_a_gateway_answers_to_a_reason_the_opt_out_goes_without_it(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, status: int, body: str
) -> None:
    block(simulator, status=status, answer=BODIES[body])
    set_do_not_email("c1", True, SUSPICIOUS, by_contact=True)
    assert push().unsubscribed == 1
    assert simulator.control.truth_contact(ann)["opt_out_source"] == "Contact"


def test_a_gateway_that_refuses_a_name_keeps_no_opt_out_for_more_than_a_run(
    simulator: Running, push: Push, ann: str, add_crm_contact: Add, set_do_not_email: Flag,
    sql_rows: Rows,
) -> None:  # fmt: skip
    simulator.control.load(contacts=[vendor_contact(2, "bob@example.com")])
    add_crm_contact("c2", "bob@example.com", constant_contact_id=contact_id(2))
    set_do_not_email("c1", True)
    set_do_not_email("c2", True)
    block(simulator, body='"last_name": "Lee"')
    with pytest.raises(WriteUncertain):
        push(workers=1)
    assert changes(sql_rows) == [("c1", "pending", True), ("c2", "done", True)]
    (row,) = sql_rows("SELECT detail FROM crm_opt_out_change WHERE contact_id = 'c1'")
    assert "403" in row["detail"]
    assert "a firewall or proxy on the way" in row["detail"]
    assert push().unsubscribed == 1


def test_a_403_in_the_vendors_own_words_is_still_the_grants(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True, SUSPICIOUS)
    vendors = {"error_key": "forbidden", "error_message": "No."}
    block(simulator, answer=[vendors])
    with pytest.raises(Forbidden):
        push()
    assert puts(simulator) == 1
    assert changes(sql_rows) == [("c1", "pending", True)]


@pytest.mark.parametrize("unit", ["utf16", "byte"])
def test_a_reason_that_the_vendor_finds_too_long_keeps_nobody_mailable(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, unit: str
) -> None:
    simulator.control.settings(text_unit=unit)
    set_do_not_email("c1", True, "🙈" * 150)
    report = push()
    assert (report.unsubscribed, report.failed) == (1, 0)
    now = simulator.control.truth_contact(ann)
    assert now["permission"] == "unsubscribed"
    assert now["opt_out_reason"] == ("🙈" * 127 if unit == "utf16" else None)
    assert puts(simulator) == (1 if unit == "utf16" else 2)


def test_a_reason_that_the_vendor_refuses_is_left_out_and_the_names_stay(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    vendors = {"error_key": "contacts.api.validation.error", "error_message": "Bad reason."}
    block(simulator, status=400, answer=[vendors])
    set_do_not_email("c1", True, SUSPICIOUS)
    assert push().unsubscribed == 1
    assert puts(simulator) == 2
    now = simulator.control.truth_contact(ann)
    assert (now["opt_out_reason"], now["last_name"]) == (None, "Lee")


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("error", [KeyError("x"), ValueError("a@example.com"), RuntimeError()])
def test_an_error_that_nobody_foresaw_sets_one_change_aside_and_ends_the_run_red(
    simulator: Running, push: Push, add_crm_contact: Add, set_do_not_email: Flag, sql_rows: Rows,
    monkeypatch: pytest.MonkeyPatch, error: Exception, workers: int,
) -> None:  # fmt: skip
    crowd(simulator, add_crm_contact, 5)
    flag_all(set_do_not_email, 5, {})
    really = rules.decide

    def decide(*args: Any) -> Any:
        if args[1]["contact_id"] == "c0":
            raise error
        return really(*args)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(rules, "decide", decide)
        with pytest.raises(ConstantContactError, match=type(error).__name__) as red:
            push(workers=workers)
    assert "example.com" not in str(red.value)
    assert unsubscribed(simulator) == 4
    (row,) = sql_rows("SELECT status, detail FROM crm_opt_out_change WHERE contact_id = 'c0'")
    assert row["status"] == "pending"
    assert type(error).__name__ in row["detail"]
    assert push().unsubscribed == 1


@pytest.mark.parametrize("statement", ["SELECT chr(0)", "SELECT 1 / 0", "SELECT 'x'::int"])
def test_a_statement_that_fails_for_one_change_stops_no_other(
    simulator: Running, push: Push, add_crm_contact: Add, set_do_not_email: Flag, sql_rows: Rows,
    monkeypatch: pytest.MonkeyPatch, statement: str,
) -> None:  # fmt: skip
    crowd(simulator, add_crm_contact, 3)
    flag_all(set_do_not_email, 3, {})
    really = Carrier._standing

    def standing(self: Carrier, connection: Any) -> Any:
        if self.change["contact_id"] == "c0":
            connection.execute(statement)
        return really(self, connection)

    monkeypatch.setattr(Carrier, "_standing", standing)
    with pytest.raises(ConstantContactError):
        push(workers=1)
    assert unsubscribed(simulator) == 2


def test_a_nul_character_in_the_vendors_words_is_cleaned_where_it_is_stored(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    vendors = r'[{"error_key": "bad\u0000key", "error_message": "no\u0000 \ud800good"}]'
    block(simulator, body="", status=400, answer=vendors, method="PUT")
    set_do_not_email("c1", True)
    assert push().failed == 1
    (row,) = sql_rows("SELECT status, detail FROM crm_opt_out_change")
    assert row["status"] == "failed"
    assert "good" in row["detail"]


@pytest.mark.parametrize(("workers", "most"), [(1, 3), (4, 6)])
@pytest.mark.parametrize("status", [403, 502])
def test_a_gateway_that_refuses_every_write_is_told_once_and_waited_for(
    simulator: Running, push: Push, add_crm_contact: Add, set_do_not_email: Flag, sql_rows: Rows,
    workers: int, most: int, status: int,
) -> None:  # fmt: skip
    crowd(simulator, add_crm_contact, 30)
    flag_all(set_do_not_email, 30, {})
    block(simulator, body="", status=status, method="PUT")
    with pytest.raises(WritesBlocked, match=r"Request Rejected.*Nothing is lost") as row:
        push(workers=workers)
    assert row.value.resume_at_utc > datetime.now(UTC)
    tried = {call["path"] for call in simulator.control.calls() if call["method"] == "PUT"}
    assert 3 <= len(tried) <= most
    assert {status for _, status, _ in changes(sql_rows)} == {"pending"}

    # From then on one is tried, and no more.
    made = len(list(simulator.control.calls()))
    with pytest.raises(WritesBlocked):
        push(workers=workers)
    again = list(simulator.control.calls())[made:]
    assert len({call["path"] for call in again if call["method"] == "PUT"}) == 1

    simulator.control.clear_faults()
    assert push(workers=workers).unsubscribed == 30
    assert sql_rows("SELECT 1 FROM ctct_write_block") == []
    assert unsubscribed(simulator) == 30


def test_what_costs_no_write_goes_on_while_every_write_is_refused(
    simulator: Running, push: Push, add_crm_contact: Add, set_do_not_email: Flag, sql_rows: Rows,
    client: Client, crm: Database,
) -> None:  # fmt: skip
    crowd(simulator, add_crm_contact, 4)
    flag_all(set_do_not_email, 3, {})
    block(simulator, body="", method="PUT")
    with pytest.raises(WritesBlocked):
        push()
    set_do_not_email("c3", True, by_contact=True)
    with pytest.raises(WritesBlocked):
        push()
    assert sql_rows("SELECT contact_id FROM ctct_objection WHERE contact_id = 'c3'") != []
    sync_contacts(client, crm)
    assert sql_rows("SELECT count(*) AS n FROM ctct_contact") == [{"n": 4}]
    assert push(dry_run=True).unsubscribed == 4
