"""The account as the reading probes see it: what one has found, another goes on with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from constant_contact.api.client import Client, Page
from constant_contact.api.records import SummaryRecord
from constant_contact.errors import BadRequest
from constant_contact.sync.check.assumptions import Assumption, Line, Result
from constant_contact.sync.check.probes import judge, name_failure

Row = dict[str, Any]


class FirstPage(NamedTuple):
    """The first page of a listing, and what it says of the page's size.

    Attributes:
        limit: The rows that the listing takes to be asked for; None: not as many as the jobs do.
    """

    page: Page
    rows: list[Row]
    size: Line
    limit: int | None


@dataclass
class Account:
    """One account, and what the probes have found on it.

    Attributes:
        contacts: The first page of all contacts.
        contact_limit: The rows that a page of contacts may be asked for; None: by default.
        link: A link to a page of contacts that was followed.
        campaigns: The first page of campaigns; likewise `summaries`, `campaign_limit`.
        summary: Of the campaign whose reports are looked at.
        activity_ids: Of that campaign, those that may have reports.
        stats: Of the first of them.
    """

    client: Client
    contacts: list[Row] = field(default_factory=list)
    contact_limit: int | None = None
    link: str | None = None
    campaigns: list[Row] = field(default_factory=list)
    campaign_limit: int | None = None
    summaries: list[SummaryRecord] = field(default_factory=list)
    summary: SummaryRecord | None = None
    activity_ids: list[str] = field(default_factory=list)
    stats: Row = field(default_factory=dict)

    def page(self, path: str, params: Mapping[str, Any] | None = None) -> Page:
        """The first page of a listing: one call."""
        return next(self.client.pages(path, params))

    def largest_page(
        self, path: str, params: Mapping[str, Any], key: str, limit: int, size: Assumption
    ) -> FirstPage:
        """The first page with as many rows as the jobs ask for: one call, or two."""
        try:
            page = self.page(path, {**params, "limit": limit})
        except BadRequest as error:
            refused = Line(size, Result.REFUSED, name_failure(self.client, error))
            page = self.page(path, params)
            return FirstPage(page, rows_of(page, key), refused, None)
        rows = rows_of(page, key)
        return FirstPage(page, rows, _judge_size(size, len(rows), limit, page), limit)


def rows_of(page: Page, key: str) -> list[Row]:
    """The rows that are objects."""
    return [row for row in page.rows(key) if isinstance(row, dict)]


def _judge_size(size: Assumption, rows: int, limit: int, page: Page) -> Line:
    if rows > limit:
        return judge(size, f"{rows} rows came, {limit} were asked for", "")
    if page.next_href and rows < limit:
        return judge(size, f"a page of {rows} rows leads on, {limit} were asked for", "")
    whole = "a full page" if page.next_href else "all there are"
    return judge(size, None, f"limit={limit} is taken: {rows} rows, {whole}")
