from __future__ import annotations

from typing import Any

import pytest
from simulator_client import Api, assert_shape

LIST = "11111111-1111-1111-1111-111111111111"
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(autouse=True)
def one_list(api: Api) -> None:
    api.sim.control.load(lists=[{"list_id": LIST, "name": "One"}])


def contacts(api: Api, *emails: str, **more: Any) -> list[str]:
    loaded = api.sim.control.load(contacts=[{"email": each, **more} for each in emails])
    return list(loaded["contacts"])


def finished(api: Api, path: str, body: Any) -> dict[str, Any]:
    """Submit, poll until done, return the activity."""
    answer = api.post(f"/activities/{path}", body)
    assert answer.status_code == 201, answer.text
    for _ in range(5):
        job = api.ok(answer.json()["_links"]["self"]["href"])
        if job["state"] not in ("initialized", "processing"):
            return job
    raise AssertionError(job)


def add(api: Api, ids: list[str]) -> dict[str, Any]:
    return finished(
        api, "add_list_memberships", {"source": {"contact_ids": ids}, "list_ids": [LIST]}
    )


def imported(api: Api, rows: list[Any]) -> dict[str, Any]:
    return finished(api, "contacts_json_import", {"import_data": rows, "list_ids": [LIST]})


def members(api: Api) -> set[str]:
    return {each["email"] for each in api.sim.control.truth_contacts() if LIST in each["lists"]}


def test_jobs_are_done_later_by_polls(api: Api) -> None:
    api.sim.control.settings(bulk_polls=3)
    ids = contacts(api, "a@example.com")
    body = {"source": {"contact_ids": ids}, "list_ids": [LIST]}
    answer = api.post("/activities/add_list_memberships", body)
    assert_shape(answer.json(), "ActivityListsMembership")
    assert answer.json()["state"] == "initialized"
    path = f"/activities/{answer.json()['activity_id']}"
    assert api.ok(path)["state"] == "processing"
    assert members(api) == set()
    assert [api.ok(path)["state"] for _ in range(2)] == ["processing", "completed"]
    assert members(api) == {"a@example.com"}
    job = api.ok(path)
    assert_shape(job, "Activity")
    assert job["status"] == {"items_total_count": 1, "items_completed_count": 1, "list_count": 1}
    assert job["completed_at"]


def test_jobs_are_done_later_by_the_clock(api: Api) -> None:
    api.sim.control.settings(bulk_polls=99, bulk_seconds=30)
    api.sim.control.clock(frozen=True)
    ids = contacts(api, "a@example.com")
    body = {"source": {"contact_ids": ids}, "list_ids": [LIST]}
    api.post("/activities/add_list_memberships", body)
    api.sim.control.clock(advance_s=29)
    assert api.ok("/activities")["activities"][0]["state"] == "processing"
    api.sim.control.clock(advance_s=2)
    assert api.ok("/activities", state="completed")["activities"][0]["percent_done"] == 100
    assert members(api) == {"a@example.com"}


@pytest.mark.parametrize("outcome", ["failed", "cancelled", "timed_out"])
def test_jobs_that_end_otherwise_do_nothing(api: Api, outcome: str) -> None:
    api.sim.control.settings(bulk_outcomes=[outcome])
    job = add(api, contacts(api, "a@example.com"))
    assert job["state"] == outcome
    assert job["activity_errors"]
    assert members(api) == set()


def test_the_collection_is_newest_first_and_goes_back_ten_days(api: Api) -> None:
    ids = contacts(api, "a@example.com")
    add(api, ids)
    api.sim.control.settings(access_token_ttl_s=99 * 86_400)
    api = Api(api.sim)
    api.sim.control.clock(advance_s=9 * 86_400)
    add(api, ids)
    page = api.ok("/activities", limit=1)
    assert_shape(page, "Activities")
    older = api.ok(page["_links"]["next"]["href"])["activities"][0]
    assert page["activities"][0]["created_at"] > older["created_at"]
    api.sim.control.clock(advance_s=2 * 86_400)
    assert len(api.ok("/activities")["activities"]) == 1


def test_a_repeated_post_queues_a_second_job(api: Api) -> None:
    body = {"source": {"contact_ids": contacts(api, "a@example.com")}, "list_ids": [LIST]}
    ids = {
        api.post("/activities/add_list_memberships", body).json()["activity_id"] for _ in range(2)
    }
    assert len(ids) == 2
    assert len(api.sim.control.finish_bulk()) == 2


def test_a_full_queue_is_429_with_a_message_only(api: Api) -> None:
    api.sim.control.limits(bulk_queue=1)
    body = {"source": {"contact_ids": contacts(api, "a@example.com")}, "list_ids": [LIST]}
    assert api.post("/activities/add_list_memberships", body).status_code == 201
    answer = api.post("/activities/add_list_memberships", body)
    assert answer.status_code == 429
    assert set(answer.json()[0]) == {"error_message"}


def test_unknown_contacts_are_skipped_and_unsubscribed_ones_not_added(api: Api) -> None:
    ids = contacts(api, "a@example.com", "u@example.com", "d@example.com")
    api.sim.control.unsubscribe(ids[1])
    api.sim.control.delete_contact(ids[2])
    job = add(api, [*ids, NOBODY])
    assert job["status"]["items_total_count"] == 4
    assert job["status"]["items_completed_count"] == 3
    assert members(api) == {"a@example.com"}


def test_a_contact_joins_at_most_50_lists(api: Api) -> None:
    made = api.sim.control.load(lists=[{"name": f"L{n}"} for n in range(60)])["lists"]
    (contact_id,) = contacts(api, "a@example.com", list_memberships=made[:45])
    body = {"source": {"contact_ids": [contact_id]}, "list_ids": made[45:55]}
    finished(api, "add_list_memberships", body)
    assert len(api.sim.control.truth_contact(contact_id)["lists"]) == 50


def test_removal_takes_contacts_off_the_named_lists_alone(api: Api) -> None:
    (other,) = api.sim.control.load(lists=[{"name": "Other"}])["lists"]
    ids = contacts(api, "a@example.com", "b@example.com", list_memberships=[LIST, other])
    body = {"source": {"contact_ids": ids[:1]}, "list_ids": [LIST]}
    finished(api, "remove_list_memberships", body)
    assert api.sim.control.truth_contact(ids[0])["lists"] == [other]
    assert members(api) == {"b@example.com"}
    body = {
        "source": {"list_ids": [other]},
        "exclude": {"contact_ids": ids[:1]},
        "list_ids": [other],
    }
    finished(api, "remove_list_memberships", body)
    assert api.sim.control.truth_contact(ids[0])["lists"] == [other]
    assert api.sim.control.truth_contact(ids[1])["lists"] == [LIST]


@pytest.mark.parametrize(
    "body",
    [
        {"list_ids": [LIST]},
        {"source": {}, "list_ids": [LIST]},
        {"source": {"contact_ids": [NOBODY], "all_active_contacts": True}, "list_ids": [LIST]},
        {"source": {"contact_ids": [NOBODY] * 501}, "list_ids": [LIST]},
        {"source": {"contact_ids": ["x"]}, "list_ids": [LIST]},
        {"source": {"contact_ids": [NOBODY]}, "list_ids": [LIST] * 51},
        {"source": {"contact_ids": [NOBODY]}, "list_ids": []},
        {"source": {"contact_ids": [NOBODY]}, "list_ids": [NOBODY]},
        {"source": {"contact_ids": [NOBODY]}, "list_ids": [LIST], "when": "now"},
    ],
)
def test_membership_jobs_refuse_what_the_contract_does(api: Api, body: dict[str, Any]) -> None:
    assert api.post("/activities/add_list_memberships", body).status_code == 400
    assert api.sim.control.truth()["bulk_activities"] == []


def test_removing_from_an_unknown_list_is_404(api: Api) -> None:
    body = {"source": {"contact_ids": [NOBODY]}, "list_ids": [NOBODY]}
    assert api.post("/activities/remove_list_memberships", body).status_code == 404


def test_import_makes_implicit_contacts_by_the_account(api: Api) -> None:
    answer = api.post(
        "/activities/contacts_json_import",
        {"import_data": [{"email": "n@example.com", "first_name": "New"}], "list_ids": [LIST]},
    )
    assert_shape(answer.json(), "ActivityImport")
    api.sim.control.finish_bulk()
    (made,) = api.ok("/contacts", include="list_memberships")["contacts"]
    assert made["email_address"]["permission_to_send"] == "implicit"
    assert made["email_address"]["opt_in_source"] == "Account"
    assert made["list_memberships"] == [LIST]


def test_import_overwrites_what_is_sent_names_too_and_keeps_the_rest(api: Api) -> None:
    (kept,) = contacts(api, "a@example.com", first_name="Ann", last_name="Lee")
    imported(api, [{"email": "A@example.com", "first_name": "Anna"}])
    after = api.sim.control.truth_contact(kept)
    assert (after["first_name"], after["last_name"]) == ("Anna", "Lee")
    assert api.sim.control.truth()["names_overwritten"] == 1
    imported(api, [{"email": "a@example.com", "first_name": "Anna"}, {"email": "a@example.com"}])
    assert api.sim.control.truth()["names_overwritten"] == 1


def test_import_counts_errors_and_skips_the_unsubscribed(api: Api) -> None:
    (gone,) = contacts(api, "u@example.com", first_name="Una")
    api.sim.control.unsubscribe(gone)
    long = "x" * 39 + "@example.com"
    assert len(long) == 51
    rows = [
        {"email": "u@example.com", "first_name": "X"},
        {"email": long},
        {"email": long[1:]},
        {"email": "no address"},
        {"first_name": "Nobody"},
    ]
    job = imported(api, rows)
    assert job["status"] == {
        "items_total_count": 5,
        "person_count": 5,
        "error_count": 1,
        "correctable_count": 2,
        "cannot_add_to_list_count": 1,
    }
    assert members(api) == {long[1:]}
    assert api.sim.control.truth_contact(gone)["first_name"] == "Una"


def test_import_revives_a_deleted_contact_unless_it_was_unsubscribed_before(api: Api) -> None:
    ids = contacts(api, "d@example.com", "o@example.com")
    api.sim.control.unsubscribe(ids[1])
    for each in ids:
        api.sim.control.delete_contact(each)
    job = imported(api, [{"email": "d@example.com"}, {"email": "o@example.com"}])
    assert job["status"]["cannot_add_to_list_count"] == 1
    assert [each["contact_id"] for each in api.sim.control.truth()["revivals"]] == ids[:1]
    assert members(api) == {"d@example.com"}


def test_import_drops_what_is_over_40000_contacts_in_silence(api: Api) -> None:
    job = imported(api, [{"email": f"c{n}@example.com"} for n in range(40_010)])
    assert job["status"]["person_count"] == 40_000
    assert job["activity_errors"] == []


def test_import_drops_what_is_over_4_megabytes_in_silence(api: Api) -> None:
    row = {"company_name": "x" * 50, "street": "y" * 250, "city": "z" * 50}
    rows = [{"email": f"c{n:05d}@example.com", **row} for n in range(10_000)]
    job = imported(api, rows)
    size = len(str(rows[0])) + 2
    assert abs(job["status"]["person_count"] - 4_000_000 // size) < 50
    assert job["status"]["error_count"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {"import_data": [], "list_ids": [LIST]},
        {"import_data": [{"email": "a@example.com"}], "list_ids": []},
        {"import_data": [{"email": "a@example.com"}]},
        {"import_data": [{"email": "a@example.com"}], "list_ids": [LIST] * 51},
        {"import_data": [{"email": "a@example.com"}], "list_ids": [NOBODY]},
        {"import_data": ["a@example.com"], "list_ids": [LIST]},
    ],
)
def test_import_refuses_what_the_contract_does(api: Api, body: dict[str, Any]) -> None:
    assert api.post("/activities/contacts_json_import", body).status_code == 400


def test_unknown_activities_are_404(api: Api) -> None:
    assert api.get(f"/activities/{NOBODY}").status_code == 404


@pytest.mark.parametrize("counts", [True, False])
def test_a_setting_tells_whether_lists_update_their_contacts(api: Api, counts: bool) -> None:
    api.sim.control.settings(lists_update_contacts=counts)
    ids = contacts(api, "a@example.com", updated_at="2024-01-01T00:00:00Z")
    body = {"source": {"contact_ids": ids}, "list_ids": [LIST]}
    for path in ("add_list_memberships", "remove_list_memberships"):
        before = api.sim.control.truth_contact(ids[0])["updated_at"]
        finished(api, path, body)
        after = api.sim.control.truth_contact(ids[0])["updated_at"]
        assert (after != before) == counts
