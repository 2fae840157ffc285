"""Linking CRM contacts to the mirror: the first time, and again with nothing to do."""

from constant_contact.sync.links import link_contacts
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


def link(gauge: Gauge, *, crm_url: str) -> Figures:
    """One run of the job."""
    with gauge:
        crm = crm_database(crm_url)
        report = link_contacts(crm)
        crm.close()
    return report.as_dict()


def run(stage: Stage) -> list[Result]:
    """Each size in a fresh database."""
    result = Result(
        "links",
        "CRM contacts linked by address",
        ("contacts", "first: s", "rows/s", "linked", "again: s", "growth", "growth again"),
    )
    before: tuple[float, float] | None = None
    for size in _SIZES:
        rounds = [_round(stage, size) for _ in range(stage.rounds if size <= _ROUNDS_UP_TO else 1)]
        first, again = (middle([each[n] for each in rounds], "seconds") for n in (0, 1))
        growth = (first / before[0], again / before[1]) if before else ("", "")
        linked = rounds[0][0]["linked"]
        result.rows.append((size, first, size / first, linked, again, *growth))
        if before:
            step = f"{size // 10:,} → {size:,}"
            result.at_most(f"first, growth {step}", first / before[0], _LINEAR, "x")
            result.at_most(f"again, growth {step}", again / before[1], _LINEAR, "x")
        before = first, again
    return [result]


def _round(stage: Stage, size: int) -> tuple[Figures, Figures]:
    with stage.database() as crm_url:
        make(crm_url, "contacts", size=size)
        settle(crm_url)
        first = measured("local.bench.links:link", crm_url=crm_url)
        # the next run is a night later
        settle(crm_url)
        again = measured("local.bench.links:link", crm_url=crm_url)
    stage.say(f"links {size:,}: {first['seconds']:.2f} s, again {again['seconds']:.2f} s")
    if again["linked"] or again["relinked"] or again["unlinked"]:
        raise AssertionError(f"the second run changed links: {again}")
    return first, again
