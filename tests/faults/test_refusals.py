"""What the vendor refuses: one call wasted, the rest goes on, the reason is kept."""

from contextlib import suppress

import pytest

from constant_contact.errors import (
    BadRequest,
    Conflict,
    ConstantContactError,
    ContractBroken,
    NotFound,
    WriteUncertain,
)
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.engagement.ledger import sync_engagement
from tests.faults.faults import (
    ALWAYS,
    PLACES,
    SHAPES,
    STARTS,
    assert_as_undisturbed,
    assert_hit,
    shaped,
)
from tests.faults.stage import Open
from tests.faults.wasted import Wasted
from tests.support import contact_id

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("code", "shape", "error"),
    [
        *((400, shape, BadRequest) for shape in SHAPES),
        (404, "object", NotFound),
        (409, "array", Conflict),
    ],
)
@pytest.mark.parametrize("place_name", STARTS)
def test_a_refused_listing_ends_the_job_after_one_call(
    stage_of: Open, wasted: Wasted, place_name: str, code: int, shape: str,
    error: type[ConstantContactError],
) -> None:  # fmt: skip
    place = STARTS[place_name]
    stage = stage_of(place.job)
    stage.control.add_fault(
        "status", match=place.match, times=ALWAYS, params={"status": code, "body": SHAPES[shape]}
    )
    with pytest.raises(error):
        stage.run()
    assert stage.control.faults()[0]["fired"] == 1
    stage.control.clear_faults()
    stage.run()
    stage.run()
    assert_as_undisturbed(stage)
    cost = stage.calls() - stage.undisturbed.calls - stage.undisturbed.quiet_calls
    wasted(f"{code} refuses", place_name, cost)
    assert cost <= 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("code", [400, 404, 409])
def test_a_refused_stream_stops_no_other_and_is_read_on_request(
    stage_of: Open, code: int, shape: str
) -> None:
    stage = stage_of("engagement")
    stage.control.add_fault(
        "status", match={"path": "1/tracking/sends"}, times=ALWAYS,
        params={"status": code, "body": SHAPES[shape]},
    )  # fmt: skip
    stage.run()
    stage.run()
    assert stage.control.faults()[0]["fired"] == 1
    stage.control.clear_faults()
    stage.run(lambda client, crm: sync_engagement(client, crm, reread=True))
    # That reads the empty streams too.
    assert_as_undisturbed(stage, ("read_count", "covered_to", "mirrored_at"))


@pytest.mark.parametrize("kind", ["foreign_next", "dead_cursor"])
def test_a_stream_with_broken_links_stops_no_other_and_is_read_on_request(
    stage_of: Open, kind: str
) -> None:
    stage = stage_of("engagement")
    stage.control.add_fault(kind, match={"path": "1/tracking/sends"}, times=ALWAYS)
    with suppress(ContractBroken):
        stage.run()
    assert_hit(stage)
    stage.control.clear_faults()
    stage.run(lambda client, crm: sync_engagement(client, crm, reread=True))
    assert_as_undisturbed(stage, ("read_count", "covered_to", "mirrored_at"))


@pytest.mark.parametrize(
    ("code", "shape"), [(400, "array"), (400, "empty"), (404, "object"), (409, "html")]
)
@pytest.mark.parametrize("place_name", ["campaign", "counts"])
def test_one_campaign_refused_for_a_moment_is_asked_again(
    stage_of: Open, wasted: Wasted, place_name: str, code: int, shape: str
) -> None:
    place = PLACES[place_name]
    stage = stage_of(place.job)
    stage.control.add_fault(
        "status", match=place.match, after=place.after, params=shaped(code, shape).params
    )
    try:
        stage.run()
    except (BadRequest, Conflict):
        assert place_name == "campaign"
    assert_hit(stage)
    stage.run()
    stage.run()
    assert_as_undisturbed(stage)
    cost = stage.calls() - stage.undisturbed.calls - stage.undisturbed.quiet_calls
    wasted(f"{code} refuses", place_name, cost)
    assert cost <= 3


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("code", [400, 409])
def test_a_refused_change_is_marked_with_the_reason_and_goes_out_when_asked_again(
    stage_of: Open, wasted: Wasted, code: int, shape: str
) -> None:
    stage = stage_of("opt_outs")
    stage.control.add_fault(
        "status", match={"method": "PUT", "path": contact_id(7)}, times=ALWAYS,
        params={"status": code, "body": SHAPES[shape]},
    )  # fmt: skip
    try:
        stage.run()
    except (Conflict, WriteUncertain):
        # Someone edits the contact: it may wait for the next run instead.
        assert code == 409
    open_changes = "SELECT * FROM crm_opt_out_change WHERE status IN ('failed', 'pending')"
    (change,) = stage.execute(open_changes)
    assert change["contact_id"] == "c07"
    if code == 400:
        assert change["status"] == "failed"
        assert "answered 400" in change["detail"]
    stage.control.clear_faults()
    stage.execute("UPDATE crm_opt_out_change SET status = 'pending' WHERE status = 'failed'")
    stage.run()
    assert_as_undisturbed(stage, ("attempts",))
    cost = stage.calls() - stage.undisturbed.calls
    wasted(f"{code} refuses", "opt_outs_put", cost)
    # Refused with the reason, without it, and without all else.
    assert cost <= (4 if code == 400 else 8)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_opt_out_of_someone_the_vendor_seemed_not_to_know_goes_out_with_the_next_links(
    stage_of: Open, shape: str, method: str
) -> None:
    stage = stage_of("opt_outs")
    stage.control.add_fault(
        "status", match={"method": method, "path": contact_id(7)},
        params={"status": 404, "body": SHAPES[shape]},
    )  # fmt: skip
    stage.run()
    stage.run(lambda _client, crm: link_contacts(crm))
    stage.run()
    assert stage.control.truth_contact(contact_id(7))["permission"] == "unsubscribed"
    mirror = [row for row in stage.dump().splitlines() if row.startswith("ctct_contact")]
    expected = stage.undisturbed.twice().splitlines()
    assert mirror == [row for row in expected if row.startswith("ctct_contact")]
    stage.assert_nobody_was_wronged()


@pytest.mark.parametrize("value", ["permission_to_send", "opt_out_source"])
def test_a_permission_of_no_known_name_mails_nobody_again(stage_of: Open, value: str) -> None:
    stage = stage_of("opt_outs")
    before = {c["contact_id"]: c["permission"] for c in stage.control.truth_contacts()}
    stage.control.add_fault("unknown_fields", times=ALWAYS, params={"enums": [value]})
    stage.run()
    for contact in stage.control.truth_contacts():
        was, now = before[contact["contact_id"]], contact["permission"]
        assert now in {was, "unsubscribed"}
    for number in (5, 7, 8, 9, 1):
        assert stage.control.truth_contact(contact_id(number))["permission"] == "unsubscribed"
    stage.assert_nobody_was_wronged()
