from __future__ import annotations

from simulator_client import Api, assert_shape


def test_lists_page_in_order_of_creation_with_counts(api: Api) -> None:
    api.sim.control.generate(contacts=300, lists=120)
    pages = api.pages("/contact_lists", include_count="true", include_membership_count="all")
    assert [len(each["lists"]) for each in pages] == [50, 50, 20]
    found = [each for page in pages for each in page["lists"]]
    for page in pages:
        assert_shape(page, "ContactListArray")
        assert page["lists_count"] == 120
    truth = api.sim.control.truth()["lists"]
    assert [(each["list_id"], each["membership_count"]) for each in found] == [
        (each["list_id"], each["members"]) for each in truth
    ]
    assert any(each["members"] for each in truth)


def test_active_membership_counts_leave_the_unmailable_out(api: Api) -> None:
    list_id = api.post("/contact_lists", {"name": "A"}).json()["list_id"]
    for name, permission in (("a", "implicit"), ("b", "pending_confirmation")):
        email = {"address": f"{name}@example.com", "permission_to_send": permission}
        api.sim.control.load(contacts=[{"email_address": email, "list_memberships": [list_id]}])
    counts = {
        kind: api.ok(f"/contact_lists/{list_id}", include_membership_count=kind)["membership_count"]
        for kind in ("active", "all")
    }
    assert counts == {"active": 1, "all": 2}
    assert "membership_count" not in api.ok(f"/contact_lists/{list_id}")


def test_lists_are_made_renamed_and_unique_by_name(api: Api) -> None:
    made = api.post("/contact_lists", {"name": "A", "description": "d", "favorite": True})
    assert made.status_code == 201
    assert_shape(made.json(), "ContactListPutPost")
    assert api.post("/contact_lists", {"name": "A"}).status_code == 409
    assert api.post("/contact_lists", {"description": "nameless"}).status_code == 400
    path = f"/contact_lists/{made.json()['list_id']}"
    changed = api.put(path, {"name": "B"})
    assert (changed.status_code, changed.json()["favorite"]) == (200, False)
    assert api.ok(path)["name"] == "B"
    assert [each["name"] for each in api.ok("/contact_lists", name="B")["lists"]] == ["B"]


def test_a_deleted_list_leaves_its_members_and_is_listed_only_on_request(api: Api) -> None:
    control = api.sim.control
    list_id = api.post("/contact_lists", {"name": "A"}).json()["list_id"]
    control.load(contacts=[{"email": "a@example.com", "list_memberships": [list_id]}])
    control.delete_list(list_id)
    assert api.ok("/contact_lists")["lists"] == []
    (deleted,) = api.ok("/contact_lists", status="deleted")["lists"]
    assert deleted["deleted_at"]
    assert len(api.ok("/contact_lists", status="all")["lists"]) == 1
    assert [each["lists"] for each in control.truth_contacts()] == [[]]
    body = {"source": {"contact_ids": [list_id]}, "list_ids": [list_id]}
    assert api.post("/activities/add_list_memberships", body).status_code == 400


def test_a_list_is_deleted_by_a_bulk_job(api: Api) -> None:
    list_id = api.post("/contact_lists", {"name": "A"}).json()["list_id"]
    answer = api.call("DELETE", f"/v3/contact_lists/{list_id}")
    assert answer.status_code == 202
    assert_shape(answer.json(), "Activity")
    assert api.ok("/contact_lists")["lists"]
    assert api.sim.control.finish_bulk() == [answer.json()["activity_id"]]
    assert api.ok("/contact_lists")["lists"] == []
    assert api.call("DELETE", f"/v3/contact_lists/{list_id}").status_code == 404


def test_an_account_holds_1000_lists(api: Api) -> None:
    api.sim.control.generate(lists=1000)
    assert api.post("/contact_lists", {"name": "one too many"}).status_code == 400
    assert len(api.ok("/contact_lists", limit=1000)["lists"]) == 1000


def test_unknown_and_malformed_list_ids(api: Api) -> None:
    assert api.get("/contact_lists/00000000-0000-0000-0000-000000000000").status_code == 404
    assert api.get("/contact_lists/12").status_code == 400
