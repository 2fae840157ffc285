"""One call as a route sees it, and its reply."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import orjson

from simulator.clock import parse_instant
from simulator.errors import bad_query, refused
from simulator.paging import Page, decode, encode

if TYPE_CHECKING:
    from simulator.world import World


@dataclass
class Reply:
    """What goes back to the caller."""

    status: int
    body: Any = None
    #: Sent as it is instead of `body`.
    raw: bytes | None = None
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def payload(self) -> bytes:
        """The body as bytes."""
        if self.raw is not None:
            return self.raw
        return b"" if self.status == 204 else orjson.dumps(self.body)


@dataclass
class Call:
    """A request under ``/v3``, with readers for its query and body that refuse with 400."""

    world: World
    method: str
    path: str
    path_args: dict[str, str]
    query: list[tuple[str, str]]
    raw_body: bytes = b""
    content_type: str = ""
    #: Reports answer errors as a single object.
    single_errors: bool = False
    #: Rows by which a fault shifts the page.
    shift: int = 0
    #: Set while reading the query; next links are made of it.
    _effective: list[tuple[str, str]] = field(default_factory=list)
    _offset: int = 0

    def read_query(self, allowed: set[str]) -> None:
        """Unfold a cursor, then refuse names that the contract does not have."""
        cursors = [value for name, value in self.query if name == "cursor"]
        if cursors:
            if len(self.query) > 1:
                raise self.bad("a cursor holds its query: no other parameter may come with it")
            try:
                self._effective, self._offset = decode(cursors[0], self.path)
            except ValueError as error:
                raise self.bad(f"cursor is invalid: {error}") from error
            if self.world.settings.links_used_once:
                if cursors[0] in self.world.used_cursors:
                    raise self.bad("cursor is invalid: it was used before")
                self.world.used_cursors.add(cursors[0])
        else:
            ignored = self.world.settings.ignored_parameters
            self._effective = [each for each in self.query if each[0] not in ignored]
        for name, _ in self._effective:
            if name not in allowed:
                raise self.bad(f"unknown query parameter: {name}")

    def bad(self, message: str) -> Exception:
        """A 400 in the form this path answers errors in."""
        return bad_query(message, single=self.single_errors)

    def values(self, name: str) -> list[str]:
        """All values of a parameter that may be repeated."""
        return [value for key, value in self._effective if key == name]

    def value(self, name: str) -> str | None:
        """The value of a parameter; None when it is not there."""
        found = self.values(name)
        if len(found) > 1:
            raise self.bad(f"{name} is given more than once")
        return found[0] if found else None

    def choices(self, name: str, allowed: set[str]) -> list[str]:
        """A comma-separated value; each part must be one of `allowed`."""
        text = self.value(name)
        if text is None:
            return []
        parts = text.split(",")
        for part in parts:
            if part not in allowed:
                raise self.bad(f"{name} is invalid: {part!r}")
        return parts

    def flag(self, name: str, default: bool) -> bool:
        """A parameter that is true or false."""
        text = self.value(name)
        if text is None:
            return default
        if text not in ("true", "false"):
            raise self.bad(f"{name} must be true or false")
        return text == "true"

    def instant(self, name: str) -> int | None:
        """A parameter that is a date, in milliseconds."""
        text = self.value(name)
        if text is None:
            return None
        try:
            return parse_instant(text)
        except ValueError as error:
            raise self.bad(f"{name} must be an ISO-8601 date") from error

    def page(self, default: int, most: int) -> Page:
        """Which rows are asked for.

        Raises:
            ApiError: 400, `limit` is not a whole number from 1 to `most`.
        """
        text = self.value("limit")
        limit = default
        if text is not None:
            if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
                raise self.bad(f"limit must be from 1 to {most}")
            limit = int(text)
        return Page(max(0, self._offset + self.shift), limit)

    def link_to(self, offset: int, nonce: int = 0) -> str:
        """A next link to a position of this query."""
        cursor = encode(self.path, self._effective, offset, nonce)
        return f"{quote(self.path)}?{urlencode({'cursor': cursor})}"

    def links(self, page: Page, total: int, *, required: bool = False) -> dict[str, Any]:
        """The ``_links`` part of a page's body.

        `required`: the contract requires ``_links`` here, even on the last page.
        """
        after = page.offset + page.limit
        if after < total:
            return {"_links": {"next": {"href": self.link_to(after)}}}
        style = self.world.settings.next_null_style
        if style == "null":
            return {"_links": {"next": None}}
        if style == "href_null":
            return {"_links": {"next": {"href": None}}}
        if style == "no_links" and not required:
            return {}
        return {"_links": {}}

    def json_object(self) -> dict[str, Any]:
        """The body."""
        try:
            body = orjson.loads(self.raw_body)
        except orjson.JSONDecodeError as error:
            raise refused(400, "json.syntax.error", f"The JSON is malformed: {error}") from error
        if not isinstance(body, dict):
            raise refused(400, "json.schema.error", "The body must be a JSON object")
        return body
