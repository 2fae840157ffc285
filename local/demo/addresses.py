"""Addresses, well made at the vendor and as people type them into a CRM."""

import random
from collections.abc import Callable

# RFC 2606: reserved, so no mail reaches anyone.
DOMAINS = ("example.com", "example.org", "example.net")
_ACCENTS = str.maketrans("aeiou", "áéíóú")


def address_of(shape: str, given: str, family: str, number: int) -> str | None:
    """The address of the `number`-th person; no other person has it.

    Args:
        shape: ``plain``, ``plus``, ``accented``, ``long`` (51 to 80 characters), or ``none``.
        given: Stem of the given name.
        family: Stem of the family name.
        number: Tells people of one name apart.
    """
    family = family.replace("'", "")
    domain = DOMAINS[number % len(DOMAINS)]
    plain = f"{given}.{family}{number}"
    match shape:
        case "none":
            return None
        case "plus":
            return f"{plain}+news@{domain}"
        case "accented":
            return f"{plain.translate(_ACCENTS)}@{domain}"
        case "long":
            # 64 characters are the most that a mailbox may have.
            mailbox = f"{plain}.department-of-long-names-and-longer-addresses"[:64]
            return f"{mailbox}@{domain}"
        case _:
            return f"{plain}@{domain}"


def _other_case(address: str, dice: random.Random) -> str:
    return dice.choice((str.title, str.upper, str.swapcase))(address)


def _blanks_around(address: str, dice: random.Random) -> str:
    before, after = dice.choice(
        ((" ", ""), ("", " "), ("\t", "  "), ("", "\r\n"), ("\u00a0", ""), ("", "\u200b"))
    )
    return f"{before}{address}{after}"


def _typo(address: str, dice: random.Random) -> str:
    """Return a well-formed address that no contact has: its mailbox has a letter too many."""
    at = dice.randrange(1, 4)
    return f"{address[:at]}q{address[at:]}"


def _malformed(address: str, dice: random.Random) -> str:
    mailbox, _, domain = address.partition("@")
    return dice.choice(
        (
            f"{mailbox}.{domain}",
            f"{mailbox}@",
            f"@{domain}",
            f"{mailbox}@@{domain}",
            f"{mailbox} @{domain}",
            f"{mailbox} at {domain}",
            "n/a",
            "-",
        )
    )


SPELLINGS: dict[str, Callable[[str | None, random.Random], str | None]] = {
    "same": lambda address, _: address,
    "other case": lambda address, dice: _other_case(address or "", dice),
    "upper case": lambda address, _: (address or "").upper(),
    "blanks around": lambda address, dice: _blanks_around(address or "", dice),
    "typo": lambda address, dice: _typo(address or "", dice),
    "malformed": lambda address, dice: _malformed(address or "", dice),
    "blank": lambda _, dice: dice.choice(("", " ", "   ", "\t")),
    "none": lambda *_: None,
}
