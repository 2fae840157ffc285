"""Another try for many requests: what was overruled stays, and is in no other's way."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.errors import ChangesRefused
from constant_contact.store.database import Database
from constant_contact.sync.crm.crm_contacts import see_contacts
from constant_contact.sync.memberships import push
from constant_contact.sync.memberships.push import retry
from simulator.server import Running
from tests.support import Rows
from tests.sync.memberships.requests import list_id

REQUESTS = """
WITH contact AS (
    INSERT INTO crm_contact (contact_id, preferred_email)
    VALUES ('old', 'ann@example.com'), ('new', 'ANN@example.com'), ('bob', 'bob@example.com')
)
INSERT INTO crm_list_membership (contact_id, list_id, action, status, requested_at) VALUES
('old', %(list)s, 'add', 'failed', now() - interval '3 hours'),
('bob', %(list)s, 'add', 'failed', now() - interval '2 hours'),
('new', %(list)s, 'remove', 'done', now() - interval '1 hour')
"""
LATER = """
WITH contact AS (
    INSERT INTO crm_contact (contact_id, preferred_email)
    SELECT 'later' || n, n || '@example.com' FROM generate_series(1, 3) AS n
)
INSERT INTO crm_list_membership (contact_id, list_id, action, status, requested_at)
SELECT 'later' || n, %(list)s, 'add', 'failed', now() - interval '1 hour' + n * interval '1 second'
FROM generate_series(1, 3) AS n
"""


def test_overruled_requests_do_not_use_up_those_that_are_tried_at_once(
    crm: Database, sql_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "_MOST_RETRIED", 1)
    with crm.transaction() as connection:
        connection.execute(REQUESTS, {"list": list_id(1)})
    see_contacts(crm)
    assert retry(crm) == 1
    statuses = sql_rows("SELECT contact_id, status FROM crm_list_membership ORDER BY contact_id")
    assert [tuple(row.values()) for row in statuses] == [
        ("bob", "pending"),
        ("new", "done"),
        ("old", "failed"),
    ]
    with pytest.raises(ChangesRefused):
        retry(crm)


def test_one_try_goes_on_past_overruled_requests_until_enough_are_tried(
    crm: Database, sql_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "_MOST_RETRIED", 2)
    with crm.transaction() as connection:
        connection.execute(REQUESTS, {"list": list_id(1)})
        connection.execute(LATER, {"list": list_id(1)})
    see_contacts(crm)
    assert retry(crm) == 3
    left = sql_rows("SELECT contact_id FROM crm_list_membership WHERE status = 'failed'")
    assert {row["contact_id"] for row in left} == {"old", "later3"}
    assert retry(crm) == 1


def test_an_address_that_is_refused_for_two_days_is_tried_again_ever_more_rarely(
    simulator: Running, push_lists: Callable[..., Any], add_crm_contact: Callable[..., None],
    want: Callable[..., None], sql_rows: Rows,
) -> None:  # fmt: skip
    add_crm_contact("c1", "ann@example.com")
    want("c1")
    flagged = [{"error_key": "contacts.api.validation.error", "error_message": "Flagged."}]
    simulator.control.add_fault(
        "status", match={"method": "POST", "path": "/contacts$"}, times=3,
        params={"status": 400, "body": flagged},
    )  # fmt: skip
    tried_at = []
    for hour in range(0, 140, 4):
        if push_lists().rejected:
            tried_at.append(hour)
        sql_rows(
            "UPDATE crm_list_membership SET requested_at = requested_at - interval '4 hours',"
            " processed_at = processed_at - interval '4 hours'"
        )
    assert tried_at in ([0, 20, 40], [0, 20, 44])
    (request,) = sql_rows("SELECT status, detail FROM crm_list_membership")
    assert request["status"] == "done"


def test_what_cannot_be_met_is_not_tried_again_by_itself(
    push_lists: Callable[..., Any], add_crm_contact: Callable[..., None],
    want: Callable[..., None], sql_rows: Rows,
) -> None:  # fmt: skip
    add_crm_contact("c1", "")
    want("c1")
    assert push_lists().rejected == 1
    sql_rows("UPDATE crm_list_membership SET processed_at = now() - interval '3 days'")
    assert push_lists().rejected == 0


def test_what_is_refused_is_told_by_its_state_and_not_by_its_words(
    simulator: Running, push_lists: Callable[..., Any], add_crm_contact: Callable[..., None],
    want: Callable[..., None], sql_rows: Rows,
) -> None:  # fmt: skip
    add_crm_contact("c1", "ann@example.com")
    add_crm_contact("c2", "")
    want("c1")
    want("c2")
    flagged = [{"error_key": "contacts.api.validation.error", "error_message": "Flagged."}]
    simulator.control.add_fault(
        "status", match={"method": "POST", "path": "/contacts$"},
        params={"status": 400, "body": flagged},
    )  # fmt: skip
    assert push_lists().rejected == 2
    sql_rows(
        "UPDATE crm_list_membership SET processed_at = processed_at - interval '1 day', detail ="
        " CASE contact_id WHEN 'c1' THEN 'Other words' ELSE 'Constant Contact refused it' END"
    )
    report = push_lists()
    assert (report.created, report.rejected) == (1, 0)
