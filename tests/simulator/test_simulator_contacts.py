from __future__ import annotations

import pytest
from simulator_client import Api, assert_shape
from simulator_contacts import LIST, LIST_2, add, emails, put, unsubscribed

pytestmark = pytest.mark.usefixtures("lists")


def test_all_contacts_come_once_in_order_of_creation_and_shaped_as_the_contract_says(
    api: Api,
) -> None:
    api.sim.control.generate(contacts=1203, lists=4, campaigns=2, events=500)
    pages = api.pages("/contacts", status="all", limit=500, include_count="true")
    assert [len(each["contacts"]) for each in pages] == [500, 500, 203]
    assert {each["contacts_count"] for each in pages} == {1203}
    for page in pages:
        assert_shape(page, "Contacts")
    ids = [each["contact_id"] for page in pages for each in page["contacts"]]
    assert ids == [each["contact_id"] for each in api.sim.control.truth_contacts()]
    assert pages[0]["_links"]["next"]["href"].startswith("/v3/contacts?cursor=")
    assert pages[-1]["_links"] == {}


@pytest.mark.parametrize(
    ("what", "status", "counts"),
    [("page", "all", [50, 10]), ("account", "deleted", [60]), ("matching", "deleted", [1])],
)
def test_what_the_count_of_contacts_counts_can_be_set(
    api: Api, what: str, status: str, counts: list[int]
) -> None:
    for number in range(60):
        add(api, f"{number}@example.com")
    api.sim.control.delete_contact(next(iter(api.sim.control.truth_contacts()))["contact_id"])
    api.sim.control.settings(contacts_count=what)
    pages = api.pages("/contacts", status=status, limit=50, include_count="true")
    assert [each["contacts_count"] for each in pages] == counts


def test_the_default_page_has_50_rows(api: Api) -> None:
    api.sim.control.generate(contacts=60)
    assert len(api.ok("/contacts", status="all")["contacts"]) == 50


def test_rows_shift_when_contacts_leave_the_filter_while_paging(api: Api) -> None:
    ids = [add(api, f"c{n}@example.com") for n in range(6)]
    first = api.ok("/contacts", status="active", limit=3)
    api.sim.control.unsubscribe(ids[0])
    second = api.ok(first["_links"]["next"]["href"])
    assert [each["contact_id"] for each in second["contacts"]] == ids[4:]


def test_a_cursor_serves_its_own_path_alone_and_takes_no_company(api: Api) -> None:
    api.sim.control.generate(contacts=20, lists=20)
    href = api.ok("/contacts", limit=3)["_links"]["next"]["href"]
    assert api.get(href.replace("/contacts", "/contact_lists")).status_code == 400
    assert api.get(href + "&limit=5").status_code == 400
    assert api.get(href[:-2] + "xx").status_code == 400


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, ["a", "b", "n", "p", "t", "u"]),
        ("all", ["a", "b", "n", "p", "t", "u", "d"]),
        ("active", ["a", "b"]),
        ("deleted", ["d"]),
        ("not_set", ["n"]),
        ("pending_confirmation", ["p"]),
        ("temp_hold", ["t"]),
        ("unsubscribed", ["u"]),
        ("active,unsubscribed,deleted", ["a", "b", "u", "d"]),
    ],
)
def test_status_filters(api: Api, status: str | None, expected: list[str]) -> None:
    kinds = {
        "a": "explicit",
        "b": "implicit",
        "n": "not_set",
        "p": "pending_confirmation",
        "t": "temp_hold",
        "u": "unsubscribed",
        "d": "implicit",
    }
    for name, permission in kinds.items():
        email = {"address": f"{name}@example.com", "permission_to_send": permission}
        deleted = {"deleted_at": "2026-01-01"} if name == "d" else {}
        api.sim.control.load(contacts=[{"email_address": email, **deleted}])
    query = {} if status is None else {"status": status}
    assert [each[0] for each in emails(api, **query)] == expected


def test_emails_are_found_whatever_their_case_and_with_plus_encoded(api: Api) -> None:
    add(api, "Ann+News@Example.com")
    assert emails(api, email="ann+news@example.COM") == ["Ann+News@Example.com"]
    assert api.get("/v3/contacts?email=ann+news@example.com").json()["contacts"] == []


def test_lists_filter_means_any_of_up_to_25(api: Api) -> None:
    add(api, "one@example.com", list_memberships=[LIST])
    add(api, "two@example.com", list_memberships=[LIST, LIST_2])
    add(api, "none@example.com")
    assert emails(api, lists=LIST_2) == ["two@example.com"]
    assert emails(api, lists=f"{LIST},{LIST_2}") == ["one@example.com", "two@example.com"]
    assert api.get("/contacts", lists=",".join([LIST] * 26)).status_code == 400


def test_date_filters_are_exclusive_and_read_offsets(api: Api) -> None:
    add(api, "x@example.com", created_at="2026-01-01T00:00:00Z", updated_at="2026-02-01T12:00:00Z")
    assert emails(api, updated_after="2026-02-01T11:59:59.999Z") == ["x@example.com"]
    assert emails(api, updated_after="2026-02-01T12:00:00Z") == []
    assert emails(api, updated_before="2026-02-01T12:00:00Z") == []
    assert emails(api, updated_after="2026-02-01T12:30:00+01:00") == ["x@example.com"]
    assert emails(api, updated_after="2026-02-01T07:00:00-05:00") == []
    assert emails(api, created_after="2025-12-31", created_before="2026-01-02") == ["x@example.com"]


def test_updated_after_does_not_see_an_unsubscribe_but_optout_after_does(api: Api) -> None:
    api.sim.control.clock(now="2026-03-01T00:00:00Z", frozen=True)
    api = Api(api.sim)
    by_person = add(api, "person@example.com")
    by_put = add(api, "put@example.com", first_name="Pat")
    api.sim.control.clock(advance_s=3600)
    api.sim.control.unsubscribe(by_person)
    email = {"address": "put@example.com", "permission_to_send": "unsubscribed"}
    put(api, by_put, first_name="Pat", email_address=email)
    assert emails(api, status="all", updated_after="2026-03-01T00:30:00Z") == []
    both = ["person@example.com", "put@example.com"]
    assert emails(api, status="all", optout_after="2026-03-01T00:30:00Z") == both
    assert emails(api, status="all", optout_before="2026-03-01T00:30:00Z") == []


def test_an_unsubscribe_by_put_that_changes_more_moves_updated_at(api: Api) -> None:
    contact_id = add(api, "a@example.com", first_name="Ann", created_at="2026-01-01T00:00:00Z")
    email = {"address": "a@example.com", "permission_to_send": "unsubscribed"}
    put(api, contact_id, email_address=email)
    assert emails(api, updated_after="2026-01-02T00:00:00Z") == ["a@example.com"]


def test_sub_resources_come_only_when_included(api: Api) -> None:
    contact_id = add(
        api,
        "a@example.com",
        list_memberships=[LIST],
        phone_numbers=[{"phone_number": "5550100", "kind": "work"}],
        street_addresses=[{"kind": "home", "city": "Boston"}],
        notes=[{"content": "hello"}],
        taggings=[LIST_2],
        custom_fields=[{"custom_field_id": LIST, "value": "x"}],
    )
    names = {"phone_numbers", "street_addresses", "notes", "taggings", "custom_fields"}
    names |= {"list_memberships"}
    assert not names & api.ok(f"/contacts/{contact_id}").keys()
    assert not names & api.ok("/contacts")["contacts"][0].keys()
    whole = api.ok(f"/contacts/{contact_id}", include=",".join(names))
    assert names <= whole.keys()
    assert_shape(whole, "ContactResource")
    assert api.ok("/contacts", include="list_memberships")["contacts"][0]["list_memberships"] == [
        LIST
    ]


def test_sms_only_contacts_have_no_email_address(api: Api) -> None:
    contact_id = add(api, None, first_name="Sam", sms_channel={"sms_address": "5550100"})
    assert "email_address" not in api.ok(f"/contacts/{contact_id}")


def test_malformed_contact_ids_are_400(api: Api) -> None:
    assert api.get("/contacts/not-a-uuid").status_code == 400


def test_counts_leave_deleted_contacts_out(api: Api) -> None:
    add(api, "old@example.com", created_at="2020-01-01T00:00:00Z")
    api.sim.control.delete_contact(add(api, "gone@example.com"))
    unsubscribed(api, "u@example.com")
    email = {"address": "e@example.com", "permission_to_send": "explicit"}
    api.sim.control.load(contacts=[{"email_address": email}])
    body = api.ok("/contacts/counts", include="new_subscriber")
    assert_shape(body, "ContactsCounts")
    assert body["total"] == 3
    assert (body["explicit"], body["implicit"], body["unsubscribed"]) == (1, 1, 1)
    assert body["new_subscriber"] == 2
    assert "new_subscriber" not in api.ok("/contacts/counts")
