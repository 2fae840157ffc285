"""Identifiers that look random and are the same in every run of one seed."""

import hashlib
import re

UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def make_id(seed: int, kind: str, number: int) -> str:
    """The id of this number of this kind."""
    digest = hashlib.blake2b(f"{seed}/{kind}/{number}".encode(), digest_size=16).hexdigest()
    return dashed(digest)


def dashed(hex32: str) -> str:
    """32 hex digits in the usual 8-4-4-4-12 groups."""
    return f"{hex32[:8]}-{hex32[8:12]}-{hex32[12:16]}-{hex32[16:20]}-{hex32[20:]}"


def is_uuid(text: object) -> bool:
    """Whether it is a UUID in text."""
    return isinstance(text, str) and UUID.fullmatch(text) is not None


def uuid_bytes(text: str) -> bytes:
    """The 16 bytes of a UUID in text."""
    if not is_uuid(text):
        raise ValueError(f"not a UUID: {text!r}")
    return bytes.fromhex(text.replace("-", ""))
