"""What the tests of contacts have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator_client import Api

LIST = "11111111-1111-1111-1111-111111111111"
LIST_2 = "22222222-2222-2222-2222-222222222222"


def add(api: Api, email: str | None, **more: Any) -> str:
    return api.sim.control.load(contacts=[{"email": email, **more}])["contacts"][0]


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
