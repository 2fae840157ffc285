"""The key of an address in Python: what SQL's is held against, made from other data."""

import unicodedata

# What may be left out when text is shown, beside controls, format characters and white space.
_IGNORABLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    + "".join(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
)
_UNSEEN_CATEGORIES = ("Cc", "Cf", "Zs", "Zl", "Zp")
_MOST_LABEL_BYTES = 63


def is_unseen(letter: str) -> bool:
    return letter in _IGNORABLE or unicodedata.category(letter) in _UNSEEN_CATEGORIES


def expected_key(address: str) -> str | None:
    """The key that an address must have; None for a blank one."""
    first, last = 0, len(address)
    while first < last and is_unseen(address[first]):
        first += 1
    while first < last and is_unseen(address[last - 1]):
        last -= 1
    composed = unicodedata.normalize("NFC", address[first:last])
    folded = unicodedata.normalize("NFC", "".join(map(_small, composed)))
    mailbox, at, domain = folded.rpartition("@")
    host = _host(domain) if at else None
    return (folded if host is None else mailbox + at + host) or None


def _small(letter: str) -> str:
    small = letter.lower()
    return small if len(small) == 1 else small[0]


def _host(domain: str) -> str | None:
    """The domain in ASCII; None where it is no host's name."""
    if domain.isascii():
        return domain
    if any(is_unseen(letter) and letter not in "\u200c\u200d" for letter in domain):
        return None
    for stop in "\u3002\uff0e\uff61":
        domain = domain.replace(stop, ".")
    labels = [
        label if label.isascii() else f"xn--{label.encode('punycode').decode()}"
        for label in domain.split(".")
    ]
    return ".".join(labels) if all(0 < len(each) <= _MOST_LABEL_BYTES for each in labels) else None
