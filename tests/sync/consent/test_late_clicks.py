"""A contact that opts out in a mail at the moment at which we opt it in again."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.consent.opt_outs import push_opt_outs
from simulator.server import Running
from tests.support import contact_id
from tests.sync.engagement import one_campaign

ANN = contact_id(1)


@pytest.fixture
def overtaken(
    simulator: Running,
    make_client: Callable[..., Client],
    crm: Database,
    add_crm_contact: Callable[..., None],
    set_do_not_email: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> Client:
    """Ann was opted in by a PUT that came after her click, which it could not see."""
    one_campaign.load(simulator)
    add_crm_contact("c1", "ann@example.com", constant_contact_id=ANN)
    client = make_client()
    set_do_not_email("c1", True)
    push_opt_outs(client, crm)
    set_do_not_email("c1", False)
    put = client.put

    def put_after_a_click(path: str, body: Callable[[], Mapping[str, Any]]) -> Any:
        def clicked() -> Mapping[str, Any]:
            sent = body()
            simulator.control.unsubscribe(
                ANN, campaign_activity_id=one_campaign.ACTIVITY, reason="enough"
            )
            return sent

        return put(path, clicked)

    monkeypatch.setattr(client, "put", put_after_a_click)
    push_opt_outs(client, crm)
    assert simulator.control.truth_contact(ANN)["permission"] == "implicit"
    return make_client()


def test_it_is_unsubscribed_once_its_click_is_read(
    simulator: Running, overtaken: Client, crm: Database
) -> None:
    one_campaign.night(overtaken, crm)
    assert push_opt_outs(overtaken, crm).unsubscribed == 1
    now = simulator.control.truth_contact(ANN)
    assert (now["permission"], now["opt_out_source"]) == ("unsubscribed", "Contact")
    assert push_opt_outs(overtaken, crm).found == 0


def test_it_stays_opted_in_if_it_opted_in_itself_after_its_click(
    simulator: Running, overtaken: Client, crm: Database
) -> None:
    simulator.control.resubscribe(ANN)
    one_campaign.night(overtaken, crm)
    assert push_opt_outs(overtaken, crm).found == 0
    assert simulator.control.truth_contact(ANN)["permission"] == "explicit"
