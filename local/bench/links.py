"""Linking CRM contacts to the mirror, beside one bare UPDATE … FROM of as many rows."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg

from constant_contact.store.database import Database
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.crm.write_back import write_back
from constant_contact.sync.engagement.interactions import project_interactions
from local.bench import server
from local.bench.account import crm_database
from local.bench.gauge import Gauge
from local.bench.made_up import make, settle
from local.bench.measure import Figures, measured, middle
from local.bench.result import Result
from local.bench.stage import Stage

_SIZES = (10_000, 100_000, 1_000_000)
# of the largest size once is enough: what disturbs for a moment does not show
_ROUNDS_UP_TO = 100_000
_LINEAR = 10.0
_MOST_TIMES_BARE = 2.5
_BARE = """
UPDATE bare_link AS link SET constant_contact_id = living.contact_id
FROM ctct_contact AS living
WHERE link.email_key = living.email_key AND living.deleted_at IS NULL
"""
_STEPS = ("first", "bare", "back", "project", "again")


def bare(gauge: Gauge, *, crm_url: str) -> Figures:
    """Link by one statement: rows, keys, indexes and statistics are there already."""

    def update() -> dict[str, Any]:
        with psycopg.connect(crm_url) as connection:
            return {"linked": connection.execute(_BARE).rowcount}

    return _figures(gauge, crm_url, update)


def link(gauge: Gauge, *, crm_url: str) -> Figures:
    """The job without what goes into the CRM's own table: look, links, consent, counts."""

    def work(crm: Database) -> dict[str, Any]:
        crm.seam = replace(crm.seam, write_back=None)
        return link_contacts(crm).as_dict()

    return _with_crm(gauge, crm_url, work)


def back(gauge: Gauge, *, crm_url: str) -> Figures:
    """The links, into the CRM's own table."""
    return _with_crm(gauge, crm_url, lambda crm: write_back(crm).as_dict())


def project(gauge: Gauge, *, crm_url: str) -> Figures:
    """Interactions by the new links, of a ledger without events."""
    return _with_crm(gauge, crm_url, lambda crm: project_interactions(crm).as_dict())


def run(stage: Stage) -> list[Result]:
    """Each size in a fresh database."""
    result = Result(
        "links",
        "CRM contacts linked by address, beside one bare UPDATE … FROM of as many rows",
        (
            "contacts", "linked", "first: s", "bare: s", "first / bare", "of CPU",
            "write-back: s", "project: s", "again: s",
        ),
    )  # fmt: skip
    before: dict[str, float] = {}
    for size in _SIZES:
        rounds = [_round(stage, size) for _ in range(stage.rounds if size <= _ROUNDS_UP_TO else 1)]
        seconds = {
            step: middle([each[step] for each in rounds], "seconds") for step in _STEPS
        }  # fmt: skip
        wall, cpu = (
            middle([{"of": each["first"][by] / each["bare"][by]} for each in rounds], "of")
            for by in ("seconds", "server_cpu_s")
        )
        linked = rounds[0]["first"]["linked"]
        result.rows.append(
            (
                size, linked, seconds["first"], seconds["bare"], wall, cpu,
                seconds["back"], seconds["project"], seconds["again"],
            )
        )  # fmt: skip
        result.at_most(f"first / bare at {size:,}", wall, _MOST_TIMES_BARE, "x")
        for step in ("first", "back", "again") if before else ():
            growth = seconds[step] / before[step]
            result.at_most(f"{step}, growth {size // 10:,} → {size:,}", growth, _LINEAR, "x")
        before = seconds
    result.notes.append(
        "First: the look at the CRM, the links, the comparison of both sides' consent, the "
        "counts. Bare: the links alone, in a copy of ctct_link with its rows, keys, indexes and "
        "statistics. Of CPU: the same ratio of the server's CPU seconds. Each in the same run."
    )
    return [result]


def _round(stage: Stage, size: int) -> dict[str, Figures]:
    with stage.database() as crm_url:
        make(crm_url, "contacts", size=size)
        make(crm_url, "bare_link")
        found: dict[str, Figures] = {}
        for step, work in zip(_STEPS, ("link", "bare", "back", "project", "link"), strict=True):
            # what runs next does so a while later
            settle(crm_url)
            found[step] = measured(f"local.bench.links:{work}", crm_url=crm_url)
    times = ", ".join(f"{step} {figures['seconds']:.2f} s" for step, figures in found.items())
    stage.say(f"links {size:,}: {times}")
    again = found["again"]
    if again["linked"] or again["relinked"] or again["unlinked"]:
        raise AssertionError(f"the second run changed links: {again}")
    if found["bare"]["linked"] != found["first"]["linked"]:
        raise AssertionError(f"not as many rows: {found['bare']}")
    return found


def _with_crm(gauge: Gauge, crm_url: str, work: Callable[[Database], dict[str, Any]]) -> Figures:
    crm = crm_database(crm_url)
    found = _figures(gauge, crm_url, lambda: work(crm))
    crm.close()
    return found


def _figures(gauge: Gauge, crm_url: str, work: Callable[[], dict[str, Any]]) -> Figures:
    before = server.cpu_s(crm_url)
    with gauge:
        found = work()
    return found | {"server_cpu_s": server.cpu_s(crm_url) - before}
