"""Probes of the calls themselves: who may make them, what comes with a reply, where links lead."""

from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from constant_contact.errors import (
    AuthorizationRequired,
    Forbidden,
    RefreshUncertain,
    Rejected,
    SettingError,
)
from constant_contact.redact import redact
from constant_contact.sync.check import contact_assumptions as says
from constant_contact.sync.check.account import Account
from constant_contact.sync.check.assumptions import Line, Result
from constant_contact.sync.check.probes import NotTried, judge, name_failure, probe

NEEDED_PRIVILEGES: Final = frozenset(
    {
        "contacts:read",
        "contacts:write",
        "contacts:lists:read",
        "campaign:read",
        "ui:campaign:metrics",
    }
)
_LIMIT_HEADERS: Final = ("ratelimit", "rate-limit", "quota", "retry-after")
_CLOCKS_AGREE: Final = timedelta(minutes=1)


@probe(1, says.TOKEN, says.PRIVILEGES, says.CALL_LIMITS, says.CLOCKS)
def _access(account: Account) -> Iterator[Line]:
    granted = account.client.privileges()
    call, headers = account.client.last_call, account.client.last_headers
    yield judge(says.TOKEN, None, "accepted")
    missing = sorted(NEEDED_PRIVILEGES.difference(granted))
    lacks = f"the user lacks {', '.join(missing)}" if missing else None
    yield judge(says.PRIVILEGES, lacks, f"{len(granted)}, with all that is needed")
    hints = sorted(
        f"{name}: {value}"
        for name, value in headers.items()
        if any(part in name.lower() for part in _LIMIT_HEADERS)
    )
    yield judge(
        says.CALL_LIMITS,
        f"headers tell of a limit: {redact('; '.join(hints), 200)}" if hints else None,
        "no header tells",
    )
    date = headers.get("Date")
    if date is None or call is None:
        yield Line(says.CLOCKS, Result.NOT_TRIED, "replies have no Date")
        return
    behind = call.called_at - parsedate_to_datetime(date)
    minutes = abs(behind) / _CLOCKS_AGREE
    seen = f"the vendor's clock is {minutes:.0f} minutes {_side(behind)} this one"
    yield judge(says.CLOCKS, seen if abs(behind) > _CLOCKS_AGREE else None, seen)


def _side(behind: timedelta) -> str:
    return "behind" if behind > timedelta() else "ahead of"


@probe(2, says.SCOPES)
def _scopes(account: Account) -> Iterator[Line]:
    lacking = []
    for scope, path in (("contact_data", "/contact_lists"), ("campaign_data", "/emails")):
        try:
            account.page(path, {"limit": 1})
        except Forbidden as error:
            lacking.append(f"no {scope}: {name_failure(account.client, error)}")
    yield judge(says.SCOPES, "; ".join(lacking) or None, "contact_data, campaign_data")


@probe(2, says.PAGE_LINKS)
def _links(account: Account) -> Iterator[Line]:
    pages = account.client.pages("/contacts", {"status": "all", "limit": 1})
    first = next(pages)
    if first.next_href is None:
        raise NotTried("the account has fewer than two contacts: add one")
    second = next(pages)
    account.link = first.next_href
    again = first.payload.get("contacts") == second.payload.get("contacts")
    yield judge(
        says.PAGE_LINKS, "the next page has the same rows" if again else None, "of the same host"
    )


@probe(1, says.LINK_LIFE)
def _link_again(account: Account) -> Iterator[Line]:
    if account.link is None:
        raise NotTried("no page link was followed: it takes two contacts")
    try:
        next(account.client.pages("/contacts", cursor=account.link))
    except Rejected as error:
        yield judge(says.LINK_LIFE, name_failure(account.client, error), "")
    else:
        yield judge(says.LINK_LIFE, None, "followed twice")


@probe(0, says.CREDENTIALS)
def _renew(account: Account) -> Iterator[Line]:
    try:
        account.client.renew_token()
    except RefreshUncertain as error:
        yield Line(
            says.CREDENTIALS, Result.REFUSED, "the token endpoint gave no answer", str(error)
        )
    except (AuthorizationRequired, SettingError) as error:
        yield Line(says.CREDENTIALS, Result.REFUSED, "the token endpoint refuses them", str(error))
    else:
        yield judge(says.CREDENTIALS, None, "a new access token was given for them")


ACCESS_PROBES: Final = (_access, _scopes, _links)
#: Last: a link is older then, and a refused refresh ends nothing that is read.
LAST_PROBES: Final = (_link_again, _renew)
