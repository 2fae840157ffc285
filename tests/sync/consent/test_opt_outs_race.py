"""Everybody at once, the CRM, the contacts and two workers, against a model of what must be."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.errors import Retriable, WriteUncertain
from constant_contact.store.database import Database
from constant_contact.sync.consent.opt_outs import push_opt_outs
from simulator.server import Running
from tests.support import Rows, contact_id
from tests.sync.engagement import one_campaign

# CRM contact → the vendor's contact it is linked to: the last two share one.
LINKS = {"c1": 1, "c2": 2, "c3": 3, "c4": 3}
EDITS = 120
WORKERS = 2


@dataclass
class Model:
    """What is known of everybody's wish; the newest of the CRM, and any no of a contact's own.

    Attributes:
        flags: Do Not Email by CRM contact.
        said_no: The vendor's contacts that said no themselves, to the CRM or to the vendor.
        calls_when_told: For each no to the vendor: how many calls there were before it, and with
            those that may have come while it was said.
    """

    flags: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(LINKS, False))
    said_no: set[int] = field(default_factory=set)
    calls_when_told: list[tuple[int, int, int]] = field(default_factory=list)

    def may_be_mailed(self, number: int) -> bool:
        flagged = any(self.flags[person] for person, link in LINKS.items() if link == number)
        return not flagged and number not in self.said_no

    def told_too_late(self, calls: list[dict[str, Any]]) -> set[str]:
        """The vendor's contacts that opted out between our last look and our PUT.

        The contract has no condition on a PUT: this no is heard when its click is read.
        """
        late = set()
        for number, before, after in self.calls_when_told:
            of_contact = [
                (count, call["method"])
                for count, call in enumerate(calls, 1)
                if call["path"].endswith(contact_id(number))
            ]
            for (looked_at, _), (put_at, method) in pairwise(of_contact):
                if method == "PUT" and looked_at <= after and put_at > before:
                    late.add(contact_id(number))
        return late


def edit(
    dice: random.Random,
    model: Model,
    simulator: Running,
    set_do_not_email: Callable[..., None],
) -> None:
    """One thing that happens: mostly to the CRM's flag, sometimes at the vendor."""
    person = dice.choice(list(LINKS))
    number = LINKS[person]
    if dice.random() < 0.01:
        model.said_no.add(number)
        before = len(simulator.control.calls())
        simulator.control.unsubscribe(
            contact_id(number), reason="enough", campaign_activity_id=one_campaign.ACTIVITY
        )
        model.calls_when_told.append((number, before, len(simulator.control.calls())))
        return
    flag = not model.flags[person]
    by_contact = flag and dice.random() < 0.02
    if by_contact:
        model.said_no.add(number)
    model.flags[person] = flag
    set_do_not_email(person, flag, by_contact=by_contact)


def work(client: Client, crm: Database, over: threading.Event) -> None:
    """A worker as the DAG's runs are: again and again, whatever the last one met."""
    while not over.is_set():
        try:
            push_opt_outs(client, crm, breaker_contacts=1000)
        except (Retriable, WriteUncertain):
            continue


@pytest.mark.parametrize("seed", range(5))
def test_the_newest_word_counts_in_the_end_and_nobody_is_wronged_at_any_moment(
    simulator: Running,
    make_client: Callable[..., Client],
    crm: Database,
    add_crm_contact: Callable[..., None],
    set_do_not_email: Callable[..., None],
    sql_rows: Rows,
    seed: int,
) -> None:
    numbers = sorted(set(LINKS.values()))
    one_campaign.load(simulator, addresses=[f"p{number}@example.com" for number in numbers])
    for person, number in LINKS.items():
        add_crm_contact(person, f"p{number}@example.com", constant_contact_id=contact_id(number))
    for kind in ("reset_after", "reset_before", "html_503"):
        simulator.control.add_fault(kind, match={"method": "PUT"}, times=2, after=seed)
    dice, model, over = random.Random(seed), Model(), threading.Event()
    with ThreadPoolExecutor(WORKERS) as pool:
        working = [pool.submit(work, make_client(), crm, over) for _ in range(WORKERS)]
        try:
            for _ in range(EDITS):
                edit(dice, model, simulator, set_do_not_email)
        finally:
            over.set()
        for worker in working:
            worker.result()
    client = make_client()
    push_opt_outs(client, crm, breaker_contacts=1000)
    one_campaign.night(client, crm)
    push_opt_outs(client, crm, breaker_contacts=1000)
    too_late = model.told_too_late(simulator.control.calls())
    wronged = {each["contact_id"] for each in simulator.control.truth()["policy_violations"]}
    assert wronged <= too_late
    assert simulator.control.truth()["revivals"] == []
    left = sql_rows("SELECT count(*) AS n FROM crm_opt_out_change WHERE status = 'pending'")
    assert left == [{"n": 0}]
    for number in numbers:
        mailed = simulator.control.truth_contact(contact_id(number))["permission"] != "unsubscribed"
        assert mailed == model.may_be_mailed(number), number
