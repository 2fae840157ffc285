from __future__ import annotations

from typing import Any

import pytest
from simulator_client import Api, assert_shape
from simulator_contacts import LIST, LIST_2, add, emails, put, truth, unsubscribed

pytestmark = pytest.mark.usefixtures("lists")


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


def test_a_contact_that_its_owner_restores_is_as_before_and_no_revival(api: Api) -> None:
    contact_id = add(api, "a@example.com", list_memberships=[LIST])
    before = api.ok(f"/contacts/{contact_id}")
    api.sim.control.delete_contact(contact_id)
    api.sim.control.restore_contact(contact_id)
    after = api.ok(f"/contacts/{contact_id}", include="list_memberships")
    assert after.pop("list_memberships") == []
    assert after["email_address"]["permission_to_send"] == "implicit"
    assert after["updated_at"] == before["updated_at"]
    assert "deleted_at" not in after
    assert api.sim.control.truth()["revivals"] == []


def test_a_purged_contact_is_404_and_its_address_free(api: Api) -> None:
    contact_id = add(api, "a@example.com")
    api.sim.control.purge_contact(contact_id)
    assert api.get(f"/contacts/{contact_id}").status_code == 404
    assert api.put(f"/contacts/{contact_id}", {"update_source": "Account"}).status_code == 404
    assert emails(api, status="all") == []
    assert add(api, "a@example.com") != contact_id


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
