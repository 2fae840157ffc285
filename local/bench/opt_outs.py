"""Opt-outs: how much of the budget's speed a stack of changes gets."""

from typing import Any

import psycopg

from constant_contact.sync.consent.opt_outs import push_opt_outs
from local.bench.account import connected
from local.bench.gauge import Gauge
from local.bench.made_up import make, settle
from local.bench.measure import Figures, measured
from local.bench.result import Result
from local.bench.stage import Stage

_CONTACTS, _CHANGES = 3_000, 1_000
_CALLS_A_CHANGE = 2
_RATE = 40
_MOST_TIMES_FLOOR = 1.12


def push(gauge: Gauge, *, crm_url: str, account: dict[str, Any]) -> Figures:
    """The job, its circuit breaker out of the way."""
    with gauge, connected(crm_url, **account, lane="opt_outs") as (client, crm):
        return push_opt_outs(client, crm, breaker_contacts=_CHANGES).as_dict()


def run(stage: Stage) -> list[Result]:
    """At a rate above the plans', so that it takes a minute and not ten."""
    floor_s = _CHANGES * _CALLS_A_CHANGE / _RATE
    result = Result(
        "opt_outs",
        f"{_CHANGES:,} changes of Do Not Email at {_RATE} calls a second",
        ("changes", "calls", "seconds", "at the rate", "busiest second", "throttled", "CPU s"),
    )
    with stage.vendor(contacts=_CONTACTS) as vendor, stage.database() as crm_url:
        measured("local.bench.contacts:mirror", crm_url=crm_url, account=vendor.account())
        make(crm_url, "linked_contacts")
        settle(crm_url)
        _flag(crm_url)
        stage.say(f"opt-outs: {_CHANGES:,} changes, about {floor_s:.0f} s")
        vendor.control.clear_calls()
        vendor.control.limits(calls_per_second=_RATE)
        account = vendor.account(calls_per_second=_RATE)
        figures = measured("local.bench.opt_outs:push", crm_url=crm_url, account=account)
        summary = vendor.control.calls_summary()
    result.rows.append(
        (
            figures["unsubscribed"],
            summary["api_calls"],
            figures["seconds"],
            floor_s,
            summary["max_calls_in_one_second"],
            summary["throttled_count"],
            figures["cpu_s"],
        )
    )
    result.at_most("time / calls at the rate", figures["seconds"] / floor_s, _MOST_TIMES_FLOOR)
    result.at_most("throttled calls", summary["throttled_count"], 0)
    return [result]


def _flag(crm_url: str) -> None:
    """The CRM's trigger fills the outbox."""
    with psycopg.connect(crm_url) as connection:
        connection.execute(
            "UPDATE crm_contact SET do_not_email = TRUE WHERE contact_id IN ("
            " SELECT crm.contact_id FROM crm_contact AS crm"
            " INNER JOIN ctct_contact AS mirrored"
            " ON crm.constant_contact_id = mirrored.contact_id"
            " WHERE mirrored.permission_to_send <> 'unsubscribed'"
            " AND mirrored.email_address IS NOT NULL"
            " ORDER BY crm.contact_id LIMIT %s)",
            [_CHANGES],
        )
