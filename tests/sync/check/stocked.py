"""An account on which every assumption can be tried."""

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from constant_contact.sync.check.assumptions import Assumption, Line, Result
from simulator.control import Control
from tests.support import contact_id, vendor_contact
from tests.sync.memberships.requests import list_id

SEED = 4


def stock(control: Control) -> None:
    """Contacts of every kind, campaigns with events of every kind, and a bulk job."""
    control.generate(
        seed=SEED, contacts=620, lists=3, campaigns=6, events=3000, recent_campaigns=2,
        deleted_share=0.02,
    )  # fmt: skip
    control.load(
        lists=[{"list_id": list_id(1), "name": "Of the bulk job"}],
        contacts=[vendor_contact(1, "bulk@example.com")],
    )


def said_in(*modules: ModuleType) -> list[str]:
    """The names of all assumptions that modules have."""
    return [
        each.name
        for module in modules
        for each in vars(module).values()
        if isinstance(each, Assumption)
    ]


def begin_bulk_job(client: Any) -> None:
    body = {"source": {"contact_ids": [contact_id(1)]}, "list_ids": [list_id(1)]}
    client.post("/activities/add_list_memberships", body)


def results(lines: Iterable[Line]) -> dict[str, Result]:
    return {line.assumption.name: line.result for line in lines}


def found(lines: Iterable[Line]) -> dict[str, Result]:
    """What is not as it should be."""
    ok = {Result.OK, Result.NOT_TRIED}
    return {name: result for name, result in results(lines).items() if result not in ok}
