"""Limits of pages, and cursors.

A cursor holds the query it was made for and a position. Rows that come or go before that position
while a client pages shift the rest, as they do at the vendor.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """Which rows were asked for."""

    offset: int
    limit: int


def encode(path: str, query: list[tuple[str, str]], offset: int, nonce: int = 0) -> str:
    """A cursor; the nonce only makes it look different."""
    text = json.dumps([path, query, offset, nonce], separators=(",", ":"))
    return base64.urlsafe_b64encode(_mark(text) + text.encode()).decode().rstrip("=")


def decode(cursor: str, path: str) -> tuple[list[tuple[str, str]], int]:
    """The query and the position.

    Raises:
        ValueError: not a cursor of ours, or one of another path.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        text = raw[8:].decode()
        if raw[:8] != _mark(text):
            raise ValueError("altered")
        made_for, query, offset, _ = json.loads(text)
    except (binascii.Error, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(str(error)) from error
    if made_for != path:
        raise ValueError("made for another path")
    return [(name, value) for name, value in query], offset


def _mark(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8, key=b"simulator").digest()
