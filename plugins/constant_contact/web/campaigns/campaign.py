"""One campaign: its counts on both sides, engagement over time, links, and how far it is read."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from constant_contact.api import vendor
from constant_contact.redact import redact
from constant_contact.store import database
from constant_contact.sync.upkeep import findings
from constant_contact.web.campaigns.words import EVENTS, UNREPORTED
from constant_contact.web.frame.charts import Chart
from constant_contact.web.frame.pages import or_404, page
from constant_contact.web.frame.visit import Reading, Visit

router = APIRouter(prefix="/campaigns")
_MOST_LINKS: Final = 50
# Hardly anybody opens a mail that is older.
_DAYS: Final = 30
_DAY_LABELS: Final = 5
# Where the chart counts what came before the sending.
_EARLIER: Final = -1
# Of the sends of the day with the most: a day with fewer is not the sending's.
_LEAST_SHARE: Final = 0.1


@router.get("/{campaign_id}")
def campaign(visit: Reading, campaign_id: str) -> HTMLResponse:
    """The page of one campaign."""
    known = known_campaign(visit, campaign_id)
    one = {"campaign_id": campaign_id}
    with visit.crm.transaction() as connection:
        counts = database.rows(connection, "campaigns/counts_of_campaign", one)
        days = database.rows(connection, "campaigns/days_of_campaign", one)
        streams = database.rows(connection, "campaigns/streams_of_campaign", one)
        clicks = [row["stream_id"] for row in streams if row["activity_type"] == "click"]
        links = database.rows(
            connection, "campaigns/links_of_streams", {"stream_ids": clicks, "most": _MOST_LINKS}
        )
    return page(
        visit.request,
        "campaign",
        campaign=known,
        unreported=UNREPORTED,
        events=EVENTS,
        counts=[_with_state(row) for row in _in_order(counts)],
        chart=_chart(days, known["sent_at"]),
        links=[row | {"link": redact(row["link"])} for row in links],
        most_links=_MOST_LINKS,
        streams=streams,
    )


def known_campaign(visit: Visit, campaign_id: str) -> dict[str, Any]:
    """A campaign as the list of campaigns has it.

    Raises:
        HTTPException: 404; there is none.
    """
    asked = {
        "ab_test_type_code": vendor.AB_TEST_TYPE_CODE,
        "search": "",
        "state": "",
        "campaign_id": campaign_id,
    }
    return or_404(
        visit.crm.row("campaigns/shown_campaigns", asked),
        f"No campaign {campaign_id} is known here: the next run of activities reads new ones.",
    )


def _in_order(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    order = list(EVENTS)
    return sorted(rows, key=lambda row: order.index(row["activity_type"]))


def _with_state(row: dict[str, Any]) -> dict[str, Any]:
    """A count with `state`, as of campaigns/shown_campaigns, and `why` in words."""
    if row["noun"]:
        why, what_to_do = findings.reason(row)
        return row | {"state": "differ", "why": f"{why[0].upper()}{why[1:]}: {what_to_do}."}
    if row["our_count"] is None:
        return row | {"state": "not compared", "why": "The next run of activities compares it."}
    if row["our_count"] < row["vendor_count"]:
        return row | {
            "state": "incomplete",
            "why": "The newest events are on their way, or the reports are not read back to the "
            "beginning.",
        }
    lags = row["our_count"] > row["vendor_count"]
    why = "Constant Contact's summary lags behind its reports, which have more." if lags else ""
    return row | {"state": "agree", "why": why}


def _chart(days: Sequence[dict[str, Any]], sent_at: datetime | None) -> Chart:
    """What followed the sending, by day: the sends themselves would leave no height for it."""
    kinds = [kind for kind in EVENTS if kind != "send"]
    counts: dict[tuple[int, str], int] = {}
    begin = _first_day(days, sent_at)
    for row in days:
        since = min(max((row["day_utc"] - begin).days, _EARLIER), _DAYS)
        key = (since, row["activity_type"])
        counts[key] = counts.get(key, 0) + row["events"]
    used = {since for since, _ in counts}
    is_early, is_long = _EARLIER in used, _DAYS in used
    shown = range(-is_early, _DAYS + is_long) if days else range(0)
    names = {_EARLIER: "earlier", _DAYS: "later"}
    return Chart(
        title=f"Events of the first {_DAYS} days by day and type",
        across="day (UTC)",
        labels=[names.get(n) or f"{begin + timedelta(days=n):%d %b}" for n in shown],
        series={EVENTS[kind].lower(): [counts.get((n, kind), 0) for n in shown] for kind in kinds},
        label_every=_DAY_LABELS,
    )


def _first_day(days: Sequence[dict[str, Any]], sent_at: datetime | None) -> date:
    """The day of the sending, the first one if it was sent again: `sent_at` is the last one's.

    A few sends before it are proofs. Without any stored, it is the last sending's day, or else the
    first that has events.
    """
    sends = {row["day_utc"]: row["events"] for row in days if row["activity_type"] == "send"}
    least = max(sends.values(), default=0) * _LEAST_SHARE
    sent: list[date] = sorted(day for day, events in sends.items() if events >= least)
    if sent:
        return sent[0]
    if sent_at is not None:
        return sent_at.astimezone(UTC).date()
    first: date = min((row["day_utc"] for row in days), default=date.min)
    return first
