"""The check against a vendor that differs in one point, and two nights of the jobs against it.

`make mutations` writes docs/reference/mutations.md from what these tests see.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from constant_contact.sync.check.assumptions import Line, Result
from constant_contact.sync.check.trial_contact import TrialContact
from constant_contact.sync.check.vendor_assumptions import READS, WRITES
from constant_contact.sync.check.vendor_reads import read_vendor
from constant_contact.sync.check.vendor_writes import write_vendor
from local.reference.markdown import code, table
from simulator.mutations import MUTATIONS, Mutation
from tests.simulator import nights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constant_contact.api.client import Client
    from constant_contact.store.database import Database
    from simulator.server import Running
    from tests.support import Rows

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/mutations.md"
_IS_WRITTEN = os.environ.get("MUTATIONS") == "1"
_HEAD = (
    "<!-- Made by `make mutations`; edit what it is made from. -->\n\n"
    "# Where an assumption does not hold\n\n"
    "Each line is a simulated account that differs in one point, what the check says of it, and\n"
    "what two nights of all jobs came to. In none of them was a person mailed who had said no,\n"
    "linked to another's contact, or an event doubled; what is missing is counted in the report.\n"
    "[The assumptions](assumptions.md).\n\n"
)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
# What else cannot hold, by point.
ALSO: dict[str, set[str]] = {
    "token": {"own_list"},
    "scopes": {
        "campaigns_per_page", "campaign_statuses", "summaries_per_page", "summary_order",
        "summary_fields", "unknown_reports",
    },
    "privileges": {"own_list"},
    "lists_per_page": {"own_list"},
    "page_links": {
        "contacts_per_page", "contact_count", "list_memberships", "permissions", "times",
        "status_all", "deletion_dates", "deleted_by_id", "opt_out_fields", "optout_after",
        "opt_outs_unseen",
    },
    "updated_after": {"opt_outs_unseen"},
    "deletion_dates": {"removal"},
    # a job that is not known to have ended may bring the contact back
    "bulk_time": {"removal"},
    "job_states": {"removal"},
    "opt_out_fields": {"opt_out_source"},
}  # fmt: skip


def _name(mutation: Mutation) -> str:
    return f"{mutation.point}: {mutation.differs}"


@pytest.fixture(scope="module")
def rows_of() -> Iterator[dict[str, list[str]]]:
    """The table's rows, by the mutation's name; written where that is asked for."""
    rows: dict[str, list[str]] = {}
    yield rows
    if _IS_WRITTEN:
        heads = ["assumption", "the account", "the check", "two nights"]
        PAGE.write_text(_HEAD + table(heads, [rows[_name(each)] for each in MUTATIONS]))


def check(client: Client, crm: Database, sql_rows: Rows) -> list[Line]:
    sql_rows(
        "INSERT INTO crm_contact (contact_id, preferred_email)"
        " VALUES ('check', 'check@example.com')"
    )
    with crm.session() as session:
        contact = TrialContact(crm, session, "check")
        return [*read_vendor(client), *write_vendor(client, contact, waits_s=(0, 0, 0))]


def test_every_assumption_about_the_vendor_has_a_mutation() -> None:
    assert {each.point for each in MUTATIONS} == {each.name for each in (*READS, *WRITES)}
    assert len({_name(each) for each in MUTATIONS}) == len(MUTATIONS)


def test_the_documented_mutations_are_those_that_are_tried() -> None:
    rows = [line.split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    documented = [(row[0].strip("| `"), row[1]) for row in rows]
    assert documented == [(each.point, each.differs) for each in MUTATIONS], "run `make mutations`"


def test_a_plain_vendor_has_no_finding_and_the_nights_no_trouble(
    client: Client, crm: Database, simulator: Running, sql_rows: Rows
) -> None:
    control = simulator.control
    nights.stock(control)
    nights.begin_bulk_job(client)
    assert {
        line.assumption.name: line.seen for line in check(client, crm, sql_rows) if not _is_ok(line)
    } == {}
    before = control.truth()
    night = nights.play(client, crm, control, sql_rows)
    assert night.said() == "as ever"
    nights.assert_survived(control, sql_rows, night, before)


def _is_ok(line: Line) -> bool:
    return line.result is Result.OK


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=_name)
def test_the_check_names_what_differs_and_the_jobs_survive_it(
    client: Client, crm: Database, simulator: Running, sql_rows: Rows, mutation: Mutation,
    rows_of: dict[str, list[str]],
) -> None:  # fmt: skip
    control = simulator.control
    nights.stock(control)
    nights.begin_bulk_job(client)
    control.mutate(mutation.point, mutation.differs)
    lines = {line.assumption.name: line for line in check(client, crm, sql_rows)}
    found = {
        name for name, line in lines.items() if line.result in {Result.DIFFERS, Result.REFUSED}
    }
    assert mutation.point in found
    assert found - {mutation.point} <= ALSO.get(mutation.point, set())
    before = control.truth()
    night = nights.play(client, crm, control, sql_rows)
    nights.assert_survived(control, sql_rows, night, before)
    row = _row(mutation, lines[mutation.point], night)
    rows_of[_name(mutation)] = row
    if not _IS_WRITTEN:
        assert table([], [row]).splitlines()[-1] in PAGE.read_text(), "run `make mutations`"


_OFTEN = 1_000_000
_EVERYWHERE = {"path": "^/v3/"}
# What is out of order with all calls, or with every so many of them.
_STRANGE: dict[str, list[dict[str, Any]]] = {
    "fields and values that are new": [{"kind": "unknown_fields", "times": _OFTEN}],
    "nulls wherever they may be": [{"kind": "nulls", "times": _OFTEN}],
    "arrays instead of objects": [
        {"kind": "status", "times": _OFTEN, "params": {"status": 200, "body": []}}
    ],
    "now and then a 503": [{"kind": "html_503", "after": n} for n in range(0, 400, 7)],
    "now and then a lost answer": [{"kind": "reset_after", "after": n} for n in range(3, 400, 11)],
}


@pytest.mark.slow
@pytest.mark.parametrize("faults", _STRANGE.values(), ids=_STRANGE)
def test_the_check_and_the_jobs_survive_a_strange_vendor(
    client: Client, crm: Database, simulator: Running, sql_rows: Rows,
    faults: list[dict[str, Any]],
) -> None:  # fmt: skip
    control = simulator.control
    nights.stock(control)
    for fault in faults:
        control.add_fault(match=_EVERYWHERE, **fault)
    lines = [line.assumption.name for line in check(client, crm, sql_rows)]
    assert sorted(lines) == sorted(each.name for each in (*READS, *WRITES))
    before = control.truth()
    night = nights.play(client, crm, control, sql_rows)
    nights.assert_survived(control, sql_rows, night, before)


def _row(mutation: Mutation, line: Line, night: nights.Nights) -> list[Any]:
    seen = _ID.sub("…", line.seen)
    return [code(mutation.point), mutation.differs, f"{line.result}: {seen}", night.said()]
