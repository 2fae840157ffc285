"""The mirror of contacts and lists is held against the vendor's own counts."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.contacts.mirror import ContactsReport, sync_contacts
from constant_contact.sync.lists import sync_lists
from constant_contact.sync.upkeep.completeness import compare_contacts
from constant_contact.sync.upkeep.findings import FindingsReport
from simulator.server import Running
from tests.support import Calls, Rows

Night = Callable[..., FindingsReport]


@pytest.fixture
def account(simulator: Running) -> Running:
    """Contacts of each permission, deleted ones and some without an address, on five lists."""
    simulator.control.generate(
        seed=8, contacts=800, lists=5, campaigns=0, events=0, deleted_share=0.05,
        sms_only_share=0.02, end="2026-01-01T00:00:00Z",
    )  # fmt: skip
    return simulator


@pytest.fixture
def compare(client: Client, crm: Database) -> Night:
    def run() -> FindingsReport:
        report = FindingsReport()
        compare_contacts(client, crm, report)
        return report

    return run


@pytest.fixture
def night(client: Client, crm: Database, compare: Night) -> Night:
    def run(**options: Any) -> FindingsReport:
        sync_lists(client, crm)
        sync_contacts(client, crm, **options)
        return compare()

    return run


def findings(sql_rows: Rows) -> list[tuple[str, str, int]]:
    rows = sql_rows(
        "SELECT noun, kind, vendor_count - our_count AS lacking FROM ctct_finding ORDER BY 1, 2, 3"
    )
    return [(row["noun"], row["kind"], row["lacking"]) for row in rows]


def counted(account: Running, **change: int) -> None:
    """The vendor counts so many more from now on."""
    from simulator import contact_filter

    counts = contact_filter.counts(account.world, since_ms=None)
    body = counts | {kind: counts[kind] + more for kind, more in change.items()}
    account.control.add_fault(
        "status", match={"path": "/contacts/counts"}, params={"status": 200, "body": body}, times=99
    )


def test_a_mirror_that_is_right_has_no_finding_for_one_call(
    account: Running, night: Night, compare: Night, sql_rows: Rows, calls: Calls
) -> None:
    report = night()
    # Five counts of contacts, and five lists.
    assert (report.compared, report.findings) == (10, 0)
    calls()
    assert compare().findings == 0
    assert calls() == 1
    assert findings(sql_rows) == []


def test_a_changed_account_has_no_finding_in_any_night(account: Running, night: Night) -> None:
    night()
    contacts = account.control.truth_contacts()
    living = [each["contact_id"] for each in contacts if not each["deleted"]]
    account.control.unsubscribe(living[0])
    account.control.delete_contact(living[1])
    account.control.purge_contact(living[2])
    assert night().findings == 0
    assert night(full=True).findings == 0


@pytest.mark.parametrize(
    "deleted",
    [pytest.param("SELECT 0", id="not counted"), pytest.param(
        "SELECT count(*) FROM ctct_contact WHERE deleted_at IS NOT NULL", id="counted")],
)  # fmt: skip
@pytest.mark.parametrize(
    "unnamed",
    [pytest.param("SELECT 0", id="whole total"), pytest.param(
        "SELECT count(*) FROM ctct_contact WHERE deleted_at IS NULL AND"
        " coalesce(permission_to_send IN ('not_set', 'temp_hold'), TRUE)", id="named total")],
)  # fmt: skip
def test_each_way_that_the_vendor_may_count_is_no_finding(
    account: Running, night: Night, compare: Night, sql_rows: Rows, deleted: str, unnamed: str
) -> None:
    night()
    more, fewer = (next(iter(sql_rows(each)[0].values())) for each in (deleted, unnamed))
    assert fewer > 5 or unnamed == "SELECT 0"
    counted(account, total=more - fewer, unsubscribed=more)
    assert compare().findings == 0


def test_opt_outs_that_the_mirror_lacks_are_found_and_all_contacts_are_read_once(
    account: Running, client: Client, crm: Database, night: Night, compare: Night, sql_rows: Rows,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    night()
    sql_rows(
        "UPDATE ctct_contact SET permission_to_send = 'implicit' WHERE contact_id IN (SELECT"
        " contact_id FROM ctct_contact WHERE permission_to_send = 'unsubscribed' AND deleted_at"
        " IS NULL ORDER BY 1 LIMIT 7)"
    )
    report = compare()
    assert findings(sql_rows) == [("contacts", "implicit", -7), ("contacts", "unsubscribed", 7)]
    assert (report.findings, report.difference) == (2, 14)
    assert "contacts, unsubscribed: Constant Contact counts" in caplog.text
    assert "the next run reads all contacts" in caplog.text

    def reads() -> ContactsReport:
        return sync_contacts(client, crm)

    assert reads().full_pass
    report = compare()
    assert (report.findings, report.settled, findings(sql_rows)) == (0, 2, [])
    assert not reads().full_pass


def test_a_finding_that_stays_has_all_contacts_read_once_only(
    account: Running, client: Client, crm: Database, night: Night, compare: Night
) -> None:
    night()
    counted(account, explicit=9, total=9)
    assert compare().findings == 2
    assert sync_contacts(client, crm).full_pass
    assert compare().findings == 2
    assert not sync_contacts(client, crm).full_pass


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"status": 404, "body": {"error_key": "not_found"}}, id="not found"),
        pytest.param({"status": 403, "body": {"error_key": "forbidden"}}, id="forbidden"),
        pytest.param({"status": 503, "body": "<html>"}, id="down"),
        pytest.param({"status": 200, "body": {}}, id="empty"),
        pytest.param({"status": 200, "body": {"total": None, "explicit": "many"}}, id="odd"),
    ],
)
def test_a_vendor_that_does_not_count_leaves_findings_as_they_are(
    account: Running, night: Night, compare: Night, sql_rows: Rows, answer: dict[str, Any]
) -> None:
    night()
    counted(account, explicit=9)
    assert compare().findings == 1
    account.control.clear_faults()
    account.control.add_fault("status", match={"path": "counts"}, params=answer, times=99)
    assert compare().findings == 1
    assert findings(sql_rows) == [("contacts", "explicit", 9)]


def test_members_that_the_mirror_lacks_are_found_after_a_full_pass_and_settled(
    account: Running, night: Night, compare: Night, sql_rows: Rows,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    night()
    (lost,) = sql_rows(
        "WITH lost AS (UPDATE ctct_contact SET list_ids = list_ids[2:] WHERE contact_id IN ("
        "SELECT contact_id FROM ctct_contact WHERE list_ids[1] = (SELECT min(list_id) FROM"
        " ctct_list) LIMIT 6) RETURNING 1) SELECT count(*) AS n FROM lost"
    )
    report = compare()
    assert findings(sql_rows) == [("list", "", lost["n"])]
    assert report.findings == 1
    assert "run lists, then contacts with full" in caplog.text
    assert compare().findings == 1
    report = night(full=True)
    assert (report.findings, report.settled) == (0, 1)


def test_an_erased_contact_that_the_vendor_still_has_on_lists_is_no_finding(
    account: Running, night: Night, compare: Night, sql_rows: Rows
) -> None:
    night()
    sql_rows(
        "INSERT INTO ctct_erased (constant_contact_id, erased_by) SELECT contact_id, 'ann'"
        " FROM ctct_contact WHERE cardinality(list_ids) > 1 LIMIT 1"
    )
    sql_rows(
        "UPDATE ctct_contact SET list_ids = '{}' FROM ctct_erased"
        " WHERE contact_id = constant_contact_id"
    )
    assert compare().findings == 0


def test_lists_are_not_compared_long_after_the_contacts_were_read_whole(
    account: Running, night: Night, compare: Night, sql_rows: Rows
) -> None:
    night()
    sql_rows("UPDATE ctct_sync_state SET full_pass_at = full_pass_at - interval '2 days'")
    sql_rows("UPDATE ctct_list SET membership_count = membership_count + 50")
    assert compare().findings == 0


def test_lists_of_which_the_vendor_tells_no_count_are_not_compared(
    account: Running, client: Client, crm: Database, night: Night
) -> None:
    account.control.add_fault(
        "nulls", match={"path": "contact_lists"}, params={"fields": ["membership_count"]}, times=9
    )
    assert sync_lists(client, crm).uncounted == 5
    assert night().compared == 5
