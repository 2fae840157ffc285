"""Campaigns: what each did, by our counts beside the vendor's, and whether they agree."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Literal

import psycopg
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, StreamingResponse

from constant_contact.api import vendor
from constant_contact.store.database import Database
from constant_contact.store.listing import Listing, listing
from constant_contact.web.campaigns.words import UNREPORTED
from constant_contact.web.frame import csv_file
from constant_contact.web.frame.pages import page
from constant_contact.web.frame.tables import PAGE_ROWS, TableFilter, Text, numbered
from constant_contact.web.frame.visit import Reading

router = APIRouter(prefix="/campaigns")
_COUNTS: Final = ("sends", "opens", "automatic", "clicks", "bounces", "opt_outs")
_COLUMNS: Final = (
    "campaign_id", "name", "kind", "sent_at", "status", "state", "unreported", *_COUNTS,
    "vendor_sends", "vendor_opens", "vendor_clicks", "vendor_bounces", "vendor_opt_outs",
    "open_rate", "click_rate",
)  # fmt: skip


class CampaignFilter(TableFilter):
    """Which campaigns are shown, and in which order."""

    columns: ClassVar = {
        "name": False, "sent_at": True, "sends": True, "opens": True, "open_rate": True,
        "clicks": True, "click_rate": True, "bounces": True, "opt_outs": True,
    }  # fmt: skip
    default: ClassVar = "-sent_at"
    ties: ClassVar = "campaign_id"

    search: Text = ""
    state: Literal["", "agree", "differ", "incomplete", "not compared", "not reported"] = ""


CampaignQuery = Annotated[CampaignFilter, Query()]


@router.get("")
def campaigns(visit: Reading, asked: CampaignQuery) -> HTMLResponse:
    """A page of campaigns, the last sent ones first unless another order is asked for."""
    with visit.crm.transaction() as connection:
        found = _listed(connection, asked, PAGE_ROWS, asked.skip)
    return page(
        visit.request,
        "campaigns",
        asked=asked,
        found=found,
        pager=numbered(asked, found),
        unreported=UNREPORTED,
    )


@router.get("/csv")
def campaigns_csv(visit: Reading, asked: CampaignQuery) -> StreamingResponse:
    """The same campaigns as a file, all pages of them."""
    return csv_file.answer(visit.account, "campaigns", _COLUMNS, _every(visit.crm, asked))


def _every(crm: Database, asked: CampaignFilter) -> Iterator[list[dict[str, Any]]]:
    with crm.transaction() as connection:
        found = _listed(connection, asked, csv_file.MOST_ROWS, 0)
    # A slow reader holds no connection.
    yield found.rows


def _listed(
    connection: psycopg.Connection[Any], asked: CampaignFilter, most: int, skip: int
) -> Listing:
    return listing(
        connection,
        "campaigns/shown_campaigns",
        {
            "ab_test_type_code": vendor.AB_TEST_TYPE_CODE,
            "search": asked.search,
            "state": asked.state,
            "campaign_id": "",
        },
        order=asked.order,
        most=most,
        skip=skip,
        summed=_COUNTS,
    )
