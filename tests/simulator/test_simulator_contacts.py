from __future__ import annotations

from typing import Any

import pytest
from simulator_client import Api, assert_shape

LIST = "11111111-1111-1111-1111-111111111111"
LIST_2 = "22222222-2222-2222-2222-222222222222"


def add(api: Api, email: str | None, **more: Any) -> str:
    return api.sim.control.load(contacts=[{"email": email, **more}])["contacts"][0]


@pytest.fixture(autouse=True)
def lists(api: Api) -> None:
    api.sim.control.load(
        lists=[{"list_id": LIST, "name": "One"}, {"list_id": LIST_2, "name": "Two"}]
    )


def emails(api: Api, **query: Any) -> list[str]:
    found = [each for page in api.pages("/contacts", **query) for each in page["contacts"]]
    return [each["email_address"]["address"] for each in found]


def truth(api: Api, contact_id: str) -> dict[str, Any]:
    return api.sim.control.truth_contact(contact_id)


def put(api: Api, contact_id: str, **body: Any) -> dict[str, Any]:
    answer = api.put(f"/contacts/{contact_id}", {"update_source": "Account", **body})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def unsubscribed(api: Api, email: str, source: str = "Contact") -> str:
    contact_id = add(api, email, list_memberships=[LIST])
    api.sim.control.unsubscribe(contact_id, source=source, reason="enough")
    return contact_id


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


def test_put_nulls_omitted_scalars_and_keeps_omitted_sub_resources(api: Api) -> None:
    contact_id = add(
        api,
        "a@example.com",
        first_name="Ann",
        last_name="Lee",
        job_title="Boss",
        company_name="Acme",
        anniversary="2020-01-01",
        birthday_month=2,
        birthday_day=3,
        list_memberships=[LIST],
        phone_numbers=[{"phone_number": "5550100", "kind": "work"}],
    )
    body = put(api, contact_id, first_name="Anne")
    assert_shape(body, "ContactResource")
    assert body["first_name"] == "Anne"
    gone = {"last_name", "job_title", "company_name", "anniversary", "birthday_month"}
    assert not gone & body.keys()
    assert body["list_memberships"] == [LIST]
    assert body["phone_numbers"][0]["phone_number"] == "5550100"
    assert body["email_address"]["address"] == "a@example.com"
    assert put(api, contact_id, phone_numbers=[])["phone_numbers"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"first_name": "x"},
        {"update_source": "Robot"},
        {"update_source": "Account", "first_name": "x" * 51},
        {"update_source": "Account", "email_address": {"address": "no-at-sign"}},
        {"update_source": "Account", "email_address": {"permission_to_send": "implicit"}},
        {"update_source": "Account", "email_address": {"address": "a" * 70 + "@example.com"}},
        {
            "update_source": "Account",
            "email_address": {
                "address": "a@example.com",
                "permission_to_send": "unsubscribed",
                "opt_out_reason": "x" * 256,
            },
        },
        {"update_source": "Account", "list_memberships": ["00000000-0000-0000-0000-000000000000"]},
        {"update_source": "Account", "list_memberships": [LIST] * 51},
        {"update_source": "Account", "birthday_month": 3},
        {"update_source": "Account", "shoe_size": 43},
        {"update_source": "Account", "phone_numbers": [{"kind": "home"}] * 4},
    ],
)
def test_put_refuses_what_the_contract_does(api: Api, body: dict[str, Any]) -> None:
    contact_id = add(api, "a@example.com", first_name="Ann")
    answer = api.put(f"/contacts/{contact_id}", body)
    assert answer.status_code == 400, answer.text
    assert answer.json()[0]["error_key"] == "contacts.api.validation.error"
    assert truth(api, contact_id)["first_name"] == "Ann"


@pytest.mark.parametrize("source", ["Contact", "Account"])
def test_unsubscribing_by_put_records_who_when_and_why_and_empties_the_lists(
    api: Api, source: str
) -> None:
    contact_id = add(api, "a@example.com", list_memberships=[LIST])
    email = {
        "address": "a@example.com",
        "permission_to_send": "unsubscribed",
        "opt_out_reason": "x" * 255,
    }
    body = put(api, contact_id, update_source=source, email_address=email)
    assert body["email_address"]["opt_out_source"] == source
    assert body["email_address"]["opt_out_reason"] == "x" * 255
    assert body["email_address"]["opt_out_date"]
    assert body["list_memberships"] == []
    assert api.sim.control.truth()["unsubscribes"][source] == 1


def test_unsubscribing_again_changes_nothing_but_the_contacts_own_wish_wins(api: Api) -> None:
    contact_id = unsubscribed(api, "a@example.com", "Account")
    before = truth(api, contact_id)
    email = {"address": "a@example.com", "permission_to_send": "unsubscribed"}
    put(api, contact_id, email_address=email)
    after = truth(api, contact_id)
    assert {k: v for k, v in after.items() if k != "updated_at"} == {
        k: v for k, v in before.items() if k != "updated_at"
    }
    put(api, contact_id, update_source="Contact", email_address=email)
    assert truth(api, contact_id)["opt_out_source"] == "Contact"
    put(api, contact_id, update_source="Account", email_address=email)
    assert truth(api, contact_id)["opt_out_source"] == "Contact"


def test_an_opt_in_by_the_account_of_who_opted_out_is_let_through_and_put_down(api: Api) -> None:
    contact_id = unsubscribed(api, "a@example.com", "Contact")
    email = {"address": "a@example.com", "permission_to_send": "implicit"}
    put(api, contact_id, email_address=email)
    (violation,) = api.sim.control.truth()["policy_violations"]
    assert violation["contact_id"] == contact_id
    assert truth(api, contact_id)["permission"] == "implicit"


@pytest.mark.parametrize(
    ("opt_out", "opt_in"), [("Account", "Account"), ("Contact", "Contact"), ("Account", "Contact")]
)
def test_other_opt_ins_are_no_violation(api: Api, opt_out: str, opt_in: str) -> None:
    contact_id = unsubscribed(api, "a@example.com", opt_out)
    email = {"address": "a@example.com", "permission_to_send": "implicit"}
    body = put(api, contact_id, update_source=opt_in, email_address=email)
    assert "opt_out_date" not in body["email_address"]
    assert api.sim.control.truth()["policy_violations"] == []


def test_an_unsubscribed_contact_cannot_be_put_on_a_list(api: Api) -> None:
    contact_id = unsubscribed(api, "a@example.com")
    assert put(api, contact_id, list_memberships=[LIST])["list_memberships"] == []


def test_an_address_in_use_is_409_and_names_its_holder(api: Api) -> None:
    holder, other = add(api, "a@example.com"), add(api, "b@example.com")
    body = {"update_source": "Account", "email_address": {"address": "A@Example.com"}}
    answer = api.put(f"/contacts/{other}", body)
    assert answer.status_code == 409
    assert answer.json() == [
        {
            "error_key": "contacts.api.conflict",
            "error_message": f"Email already exists for contact {holder}",
        }
    ]
    assert api.put(f"/contacts/{holder}", body).status_code == 200


def test_a_put_revives_a_deleted_contact_when_the_account_asks(api: Api) -> None:
    contact_id = add(api, "a@example.com", list_memberships=[LIST])
    assert api.call("DELETE", f"/v3/contacts/{contact_id}").status_code == 204
    gone = api.ok(f"/contacts/{contact_id}", include="list_memberships")
    assert len(gone["deleted_at"]) == 10
    assert gone["email_address"]["opt_out_source"] == "Account"
    assert gone["list_memberships"] == []
    assert api.put(f"/contacts/{contact_id}", {"update_source": "Contact"}).status_code == 400
    body = put(api, contact_id, first_name="Back")
    assert "deleted_at" not in body
    assert body["email_address"]["permission_to_send"] == "implicit"
    assert [each["contact_id"] for each in api.sim.control.truth()["revivals"]] == [contact_id]


def test_a_purged_contact_is_404_and_its_address_free(api: Api) -> None:
    contact_id = add(api, "a@example.com")
    api.sim.control.purge_contact(contact_id)
    assert api.get(f"/contacts/{contact_id}").status_code == 404
    assert api.put(f"/contacts/{contact_id}", {"update_source": "Account"}).status_code == 404
    assert emails(api, status="all") == []
    assert add(api, "a@example.com") != contact_id


def test_malformed_contact_ids_are_400(api: Api) -> None:
    assert api.get("/contacts/not-a-uuid").status_code == 400


def test_post_creates_implicit_contacts_on_lists(api: Api) -> None:
    body = {
        "create_source": "Account",
        "first_name": "Ann",
        "email_address": {"address": "a" * 68 + "@example.com"},
        "list_memberships": [LIST],
    }
    answer = api.post("/contacts", body)
    assert answer.status_code == 201
    made = answer.json()
    assert_shape(made, "ContactResource")
    assert made["email_address"]["permission_to_send"] == "implicit"
    assert made["email_address"]["opt_in_source"] == "Account"
    assert made["list_memberships"] == [LIST]


def test_post_can_create_unsubscribed_contacts(api: Api) -> None:
    email = {"address": "a@example.com", "permission_to_send": "unsubscribed"}
    body = {"create_source": "Account", "email_address": email, "list_memberships": [LIST]}
    made = api.post("/contacts", body).json()
    assert made["email_address"]["opt_out_source"] == "Account"
    assert made["list_memberships"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"email_address": {"address": "x@example.com"}},
        {"create_source": "Account"},
        {"create_source": "Account", "email_address": {"address": "a" * 69 + "@example.com"}},
        {
            "create_source": "Account",
            "email_address": {"address": "x@example.com", "permission_to_send": "maybe"},
        },
        {
            "create_source": "Account",
            "email_address": {"address": "x@example.com", "opt_out_reason": "no"},
        },
    ],
)
def test_post_refuses_what_the_contract_does(api: Api, body: dict[str, Any]) -> None:
    assert api.post("/contacts", body).status_code == 400
    assert emails(api, status="all") == []


@pytest.mark.parametrize("deleted", [False, True])
def test_posting_an_existing_address_is_409_even_when_its_contact_is_deleted(
    api: Api, deleted: bool
) -> None:
    contact_id = add(api, "a@example.com")
    if deleted:
        api.sim.control.delete_contact(contact_id)
    body = {"create_source": "Account", "email_address": {"address": "A@EXAMPLE.com"}}
    answer = api.post("/contacts", body)
    assert answer.status_code == 409
    assert answer.json()[0]["error_message"] == f"Email already exists for contact {contact_id}"


def test_the_resubscribe_mail_goes_out_once_ever_and_changes_nothing_itself(api: Api) -> None:
    contact_id = unsubscribed(api, "a@example.com")
    path, body = f"/contacts/resubscribe/{contact_id}", {"list_ids": [LIST_2]}
    assert api.put(path, {"list_ids": []}).status_code == 400
    assert api.put(path, body).status_code == 200
    assert truth(api, contact_id)["permission"] == "unsubscribed"
    assert api.put(path, body).status_code == 409
    assert api.sim.control.truth()["resubscribe_emails_sent"] == 1
    api.sim.control.resubscribe(contact_id)
    after = truth(api, contact_id)
    assert (after["permission"], after["lists"]) == ("explicit", [LIST_2])
    api.sim.control.unsubscribe(contact_id)
    assert api.put(path, body).status_code == 409


def test_a_subscribed_contact_gets_no_resubscribe_mail(api: Api) -> None:
    contact_id = add(api, "a@example.com")
    answer = api.put(f"/contacts/resubscribe/{contact_id}", {"list_ids": [LIST]})
    assert answer.status_code == 400


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
