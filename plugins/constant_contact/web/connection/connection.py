"""The connection: who authorized it, how long that lasts, and whether Constant Contact answers."""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg
from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from constant_contact.accounts import Account
from constant_contact.api import vendor
from constant_contact.api.authorization import missing_scopes
from constant_contact.api.token_pair import TokenPair, claims
from constant_contact.errors import ConstantContactError, SettingError
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.web.connection.applications import CURRENT, hook_of
from constant_contact.web.connection.redirect import redirect_for
from constant_contact.web.connection.sources import source_of
from constant_contact.web.frame.access import may_edit_connection as may_edit
from constant_contact.web.frame.accounts import several_accounts
from constant_contact.web.frame.crm import page_hook
from constant_contact.web.frame.pages import page
from constant_contact.web.frame.visit import Editing, Reading, Visit

router = APIRouter()
_JUST_NOW: Final = timedelta(minutes=2)
# getAccountById: its scope is optional.
_ACCOUNT_SCOPE: Final = "account_read"
# A person waits, and meanwhile the session that holds the lock of the tokens is idle.
_OTHERS_WITHIN_S: Final = 10.0


@dataclass(frozen=True)
class Grant:
    """What the stored tokens say of the grant, without themselves.

    Attributes:
        user: The user at Constant Contact, by the access token's own word; "" if it says nothing.
        days_left: Until the refresh token dies if nothing uses it.
    """

    user: str
    scopes: tuple[str, ...]
    missing: list[str]
    authorized_by: str
    authorized_at_utc: datetime | None
    refreshed_at_utc: datetime
    expires_at_utc: datetime
    dies_at_utc: datetime
    days_left: int
    is_new: bool

    @classmethod
    def from_pair(cls, pair: TokenPair) -> "Grant":
        """What a pair says."""
        said = claims(pair.access_token)
        now = datetime.now(UTC)
        dies_at = pair.obtained_at_utc + timedelta(days=vendor.REFRESH_IDLE_DAYS)
        authorized_at = pair.authorized_at_utc
        return cls(
            user=str(said.get("sub") or said.get("uid") or ""),
            scopes=pair.scopes,
            missing=missing_scopes(pair.scopes) if pair.scopes else [],
            authorized_by=pair.authorized_by,
            authorized_at_utc=authorized_at,
            refreshed_at_utc=pair.obtained_at_utc,
            expires_at_utc=pair.expires_at_utc,
            dies_at_utc=dies_at,
            days_left=max(0, (dies_at - now).days),
            is_new=authorized_at is not None and now - authorized_at < _JUST_NOW,
        )


@dataclass(frozen=True)
class Answered:
    """What Constant Contact answered.

    Attributes:
        organization: The account's name; "" without the scope for it.
        lists: How many lists the account has.
        mirrored: How many lists the mirror has.
        known: How many of the mirror's lists are the account's.
        theirs: The connection of another account, whose mirror has these lists where ours has none
            yet; "" if there is none.
    """

    organization: str
    lists: int
    mirrored: int
    known: int
    theirs: str

    @property
    def is_other_account(self) -> bool:
        """Whether it is the account of another mirror, as far as lists tell."""
        return bool(self.theirs) or (self.mirrored > 0 and self.known == 0)


def ask_account(hook: ConstantContactHook, granted: TokenPair | None = None) -> Answered:
    """Make real calls, one or two, and compare the account with the mirror.

    With those of the other accounts, where its own holds no list yet. By `granted`, if it is given,
    in place of the stored tokens.

    Raises:
        ConstantContactError: What stands in the way, and what to do.
    """
    with hook.client(granted) as client:
        params = {"limit": vendor.LISTS_PER_PAGE, "status": "all"}
        ids = [
            str(each["list_id"])
            for listed in client.pages("/contact_lists", params)
            for each in listed.rows("lists")
        ]
        pair = granted or hook.stored_tokens()
        may_ask = pair is not None and _ACCOUNT_SCOPE in pair.scopes
        account = client.get("/account/summary") if may_ask else {}
    counts = _counts(hook, ids)
    theirs = "" if counts["mirrored"] else _whose(ids, Account.of_crm(hook.crm_conn_id))
    organization = str(account.get("organization_name") or "")
    return Answered(organization, len(ids), counts["mirrored"], counts["known"], theirs)


def _counts(hook: ConstantContactHook, list_ids: list[str]) -> dict[str, Any]:
    """How many lists an account's mirror has, and how many of these."""
    return hook.crm.row("lists/known", {"list_ids": list_ids}) or {}


def _whose(list_ids: list[str], account: Account) -> str:
    """The connection of another account whose mirror has one of these lists; "" if none has.

    One that cannot be asked is passed over: it must not keep this one from being authorized.
    """
    until = time.monotonic() + _OTHERS_WITHIN_S
    for other in several_accounts():
        if other == account or time.monotonic() > until:
            continue
        with suppress(ConstantContactError, psycopg.Error):
            if _counts(page_hook(other), list_ids)["live"]:
                return other.constant_contact_conn_id
    return ""


def require_same_account(answered: Answered, conn_id: str) -> None:
    """Refuse an account whose ids the CRM's mirror does not know: its opt-outs would be lost.

    And one that another account's mirror knows, where this one's knows none yet.

    Raises:
        SettingError: It is another account.
    """
    if answered.theirs:
        raise SettingError(
            f"connection {conn_id}",
            f"the account that was authorized is that of connection {answered.theirs}, whose "
            "mirror has its lists. Log out at Constant Contact, and authorize as a user of the "
            "account that this connection is for (docs/tokens.md); nothing was changed",
        )
    if answered.is_other_account:
        raise SettingError(
            f"connection {conn_id}",
            f"none of the {answered.mirrored} lists of the mirror is in the account that was "
            "authorized: it is another account. Authorize as a user of the same account "
            "(docs/tokens.md); nothing was changed",
        )


@router.get("/connection")
def connection(visit: Reading) -> HTMLResponse:
    """The page; asks Constant Contact nothing."""
    return _shown(visit)


@router.post("/connection/test")
def test(visit: Editing) -> HTMLResponse:
    """The page, with what Constant Contact answers now."""
    try:
        return _shown(visit, answered=ask_account(hook_of(visit.account, CURRENT)))
    except ConstantContactError as error:
        return _shown(visit, problem=str(error))


def _shown(visit: Visit, answered: Answered | None = None, problem: str = "") -> HTMLResponse:
    conn_id = visit.account.constant_contact_conn_id
    settings = grant = redirect = None
    wrong = ""
    try:
        settings = visit.hook.settings
        redirect = redirect_for(visit.request, settings.redirect_url)
        pair = visit.hook.stored_tokens()
        grant = Grant.from_pair(pair) if pair else None
    except ConstantContactError as error:
        wrong = str(error)
    return page(
        visit.request,
        "connection",
        conn_id=conn_id,
        source=source_of(conn_id),
        settings=settings,
        redirect=redirect,
        grant=grant,
        wrong=wrong,
        unasked=missing_scopes(settings.scopes) if settings else [],
        may_edit=may_edit(visit.user, conn_id),
        answered=answered,
        problem=problem,
        has_others=bool(several_accounts()),
    )
