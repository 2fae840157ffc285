"""Page links: where the next page of a listing is, and whether the listing still gets anywhere.

Proxies and gateways between the client and the vendor rewrite links. Only a link's query is used;
the rest of it must be the listing's own, or the link is refused before anything is called.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from constant_contact.api import replies
from constant_contact.api.exchange import shown
from constant_contact.errors import ContractBroken, DeadCursor

# Rows that come or go while pages are read can make one the same as the one before, and a page
# may be empty and lead on; so many one after the other are a listing that never ends.
MOST_WITHOUT_NEW_ROWS: Final = 10
_NEXT_STEP: Final = (
    "nothing of it counts as read whole. Look at the proxies and gateways between here and "
    "Constant Contact, then run the check (DAG constant_contact_check)"
)


class PageLinks:
    """The links of one listing, followed from its first page.

    Args:
        base_url: Of the API, as the connection has it; a path in it is a proxy's.
        listing_url: The listing's, without a query.
    """

    def __init__(self, base_url: str, listing_url: str) -> None:
        self._base = urlsplit(base_url)
        self._listing_url = listing_url
        self._first: set[tuple[str, str]] = set()
        self._urls: set[str] = set()
        self._pages: set[int] = set()
        self._without_new_rows = 0

    def of_cursor(self, href: str) -> str:
        """The URL of a page that an earlier run was led to.

        Raises:
            DeadCursor: It is none of this listing's: the listing must start again.
        """
        try:
            return self._url(href, f"{self._base.geturl()}/")
        except ContractBroken as error:
            raise DeadCursor(str(error), status=200) from None

    def next_url(self, url: str, payload: Mapping[str, Any]) -> str | None:
        """Return the URL of the page after the one at `url`; None after the last one.

        Raises:
            ContractBroken: The link cannot be followed, or only such pages came as before.
        """
        self._first = self._first or _query(url)
        self._urls.add(url)
        href = self._href(url, payload)
        if href is None:
            return None
        self._count(url, payload)
        return self._url(href, url)

    def refuse_read(self, next_url: str) -> None:
        """Raise `DeadCursor` if a link leads to a page that was read already."""
        # A link that lost its cursor leads to the first page.
        if next_url in self._urls or _query(next_url) <= self._first:
            raise DeadCursor(
                f"GET {shown(next_url)}: the page links to a page that was read already", status=200
            )

    def _count(self, url: str, payload: Mapping[str, Any]) -> None:
        rows = replies.row_list(payload)
        page = hash(repr(rows))
        is_new = bool(rows) and page not in self._pages
        self._pages.add(page)
        self._without_new_rows = 0 if is_new else self._without_new_rows + 1
        if self._without_new_rows >= MOST_WITHOUT_NEW_ROWS:
            raise ContractBroken(
                f"GET {shown(url)}: {MOST_WITHOUT_NEW_ROWS} pages, one after the other, were empty "
                f"or the same as before, and link to a further one; {_NEXT_STEP}"
            )

    def _href(self, url: str, payload: Mapping[str, Any]) -> str | None:
        """`_links.next.href` in any case; absent, null and empty all mean the last page."""
        links = _member(payload, "_links")
        link = _member(links, "next") if isinstance(links, dict) else links
        href = _member(link, "href") if isinstance(link, dict) else link
        if not href:
            return None
        if not isinstance(href, str):
            # Taken for the last page, it would leave out all that follow.
            raise ContractBroken(
                f"GET {shown(url)}: its page link is no text but {type(href).__name__}; "
                f"{_NEXT_STEP}"
            )
        return href.strip()

    def _url(self, href: str, page_url: str) -> str:
        """The URL that a link leads to: the listing's, with the link's query.

        What ends TLS before the vendor's own servers may leave them writing http, or a port.

        Args:
            href: As the vendor gave it, or as an earlier page's `next_href`.
            page_url: Of the page that has it; what is neither host nor path is relative to that.
        """
        # Escaped for HTML once a page, it would grow with each page and lose its cursor.
        while "&amp;" in href:
            href = href.replace("&amp;", "&")
        # The vendor knows nothing of the path that a proxy in between puts before its own.
        proxied = self._base.path
        if href.startswith("/") and not href.startswith(("//", f"{proxied}/")):
            href = proxied + href
        try:
            leads_to = urlsplit(urljoin(page_url, href))
            host = leads_to.hostname
        except ValueError:
            raise ContractBroken(
                f"GET {shown(page_url)}: its page link is no URL; {_NEXT_STEP}"
            ) from None
        if host != self._base.hostname:
            raise ContractBroken(
                f"GET {shown(page_url)}: its page link leads to another host ({host}); it was not "
                f"followed, since the access token would go there; {_NEXT_STEP}"
            )
        if _plain(leads_to.path) != _plain(urlsplit(self._listing_url).path):
            raise ContractBroken(
                f"GET {shown(page_url)}: its page link leads to another listing "
                f"({shown(leads_to.path)}); it was not followed; {_NEXT_STEP}"
            )
        return f"{self._listing_url}?{leads_to.query}"


def _member(node: Mapping[str, Any], name: str) -> Any:
    return next((value for key, value in node.items() if key.lower() == name), None)


def _plain(path: str) -> str:
    return unquote(path).rstrip("/").casefold()


def _query(url: str) -> set[tuple[str, str]]:
    return set(parse_qsl(urlsplit(url).query, keep_blank_values=True))
