"""Linking CRM contacts to the mirror, beside one bare UPDATE … FROM of as many rows."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psutil  # type: ignore[import-untyped]
import psycopg

from constant_contact.sync.contacts.links import link_contacts
from local.bench.account import crm_database
from local.bench.gauge import Gauge
from local.bench.made_up import make, settle
from local.bench.measure import Figures, measured, middle, middle_ratio
from local.bench.result import Result
from local.bench.stage import Stage

_SIZES = (10_000, 100_000)
_LINEAR = 10.0
_MOST_TIMES_BARE = 2.5
_BARE = """
UPDATE bare_link AS link SET constant_contact_id = living.contact_id
FROM ctct_contact AS living
WHERE link.email_key = living.email_key AND living.deleted_at IS NULL
"""


def bare(gauge: Gauge, *, crm_url: str) -> Figures:
    """Link by one statement: rows, keys, indexes and statistics are there already."""

    def update() -> dict[str, Any]:
        with psycopg.connect(crm_url) as connection:
            return {"linked": connection.execute(_BARE).rowcount}

    return _figures(gauge, crm_url, update)


def link(gauge: Gauge, *, crm_url: str) -> Figures:
    """The job without what goes into the CRM's own table: look, links, consent, counts."""
    crm = crm_database(crm_url)
    crm.seam = replace(crm.seam, write_back=None)
    found = _figures(gauge, crm_url, lambda: link_contacts(crm).as_dict())
    crm.close()
    return found


def run(stage: Stage) -> list[Result]:
    """Each round in a fresh database."""
    result = Result(
        "links",
        f"CRM contacts linked by address, median of {stage.rounds}",
        ("contacts", "linked", "ours: s", "bare: s", "ours / bare", "of CPU"),
    )
    before: float | None = None
    for size in _SIZES:
        rounds = [_round(stage, size) for _ in range(stage.rounds)]
        ours, bares = [each[0] for each in rounds], [each[1] for each in rounds]
        seconds = middle(ours, "seconds")
        ratio = middle_ratio(ours, bares, "seconds")
        cpu = middle_ratio(ours, bares, "server_cpu_s")
        linked = ours[0]["linked"]
        result.rows.append((size, linked, seconds, middle(bares, "seconds"), ratio, cpu))
        result.at_most(f"ours / bare at {size:,}", ratio, _MOST_TIMES_BARE, "x")
        if before:
            growth = seconds / before
            result.at_most(f"ours, growth {size // 10:,} → {size:,}", growth, _LINEAR, "x")
        before = seconds
    result.notes.append(
        "Ours: the look at the CRM, the links, the comparison of both sides' consent, the "
        "counts. Bare: the links alone, in a copy of ctct_link with its rows, keys, indexes and "
        "statistics. Of CPU: the same ratio of the server's CPU seconds. Each in the same run."
    )
    return [result]


def _round(stage: Stage, size: int) -> tuple[Figures, Figures]:
    with stage.database() as crm_url:
        make(crm_url, "contacts", size=size)
        make(crm_url, "bare_link")
        settle(crm_url)
        ours = measured("local.bench.links:link", crm_url=crm_url)
        settle(crm_url)
        bare_one = measured("local.bench.links:bare", crm_url=crm_url)
    stage.say(f"links {size:,}: {ours['seconds']:.2f} s, bare {bare_one['seconds']:.2f} s")
    if bare_one["linked"] != ours["linked"]:
        raise AssertionError(f"not as many rows: {bare_one}")
    return ours, bare_one


def _figures(gauge: Gauge, crm_url: str, work: Callable[[], dict[str, Any]]) -> Figures:
    before = _server_cpu_s(crm_url)
    with gauge:
        found = work()
    return found | {"server_cpu_s": _server_cpu_s(crm_url) - before}


def _server_cpu_s(crm_url: str) -> float:
    """CPU seconds of the server since its start, which a busy machine changes less than time."""
    with psycopg.connect(crm_url) as connection:
        row = connection.execute(
            "SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)::integer"
        ).fetchone()
        server = psutil.Process(row[0] if row else 0)
        while (total := _total(server)) is None:
            pass
    return total


def _total(server: psutil.Process) -> float | None:
    """None if a session began or ended meanwhile: it may be counted twice, or not at all."""
    sessions = server.children()
    try:
        spent = sum(sum(session.cpu_times()[:2]) for session in sessions)
    except psutil.NoSuchProcess:
        return None
    # its own, and of the sessions that ended
    spent += sum(server.cpu_times()[:4])
    return float(spent) if server.children() == sessions else None
