"""Replacing an outdated application: the new one is entered, authorized and tested beside it.

The jobs use the old key, secret and tokens until the new ones have answered a real call; then key,
secret and tokens change in one transaction of Airflow's database.
"""

import json
from dataclasses import replace
from typing import Annotated, Any, Final

from airflow.models.connection import Connection
from airflow.utils.session import create_session
from fastapi import APIRouter, Form, status
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select

from constant_contact.accounts import Account
from constant_contact.api.authorization import Authorization
from constant_contact.api.settings import ApiSettings
from constant_contact.api.token_pair import TokenPair
from constant_contact.api.tokens import credentials_digest
from constant_contact.errors import ConstantContactError, SettingError
from constant_contact.hooks.constant_contact import ConstantContactHook, tokens_key
from constant_contact.redact import hide
from constant_contact.store.tokens import token_lock
from constant_contact.web.connection.applications import CURRENT, NEXT, NextApplication, hook_of
from constant_contact.web.connection.connection import ask_account, require_same_account
from constant_contact.web.connection.redirect import redirect_for
from constant_contact.web.connection.sources import source_of
from constant_contact.web.frame import stored
from constant_contact.web.frame.pages import go_to, page
from constant_contact.web.frame.visit import Editing, Visit

_PATH: Final = "/connection/credentials"
router = APIRouter(prefix=_PATH)
_SHOWN_CHARS: Final = 4


@router.get("")
def credentials(visit: Editing) -> HTMLResponse:
    """The page: the step that comes next."""
    return _shown(visit)


@router.post("")
def enter(
    visit: Editing, api_key: Annotated[str, Form()] = "", client_secret: Annotated[str, Form()] = ""
) -> Response:
    """Step 1: keep key and secret, if Constant Contact takes them for a pair."""
    following = NextApplication(
        api_key.strip(),
        client_secret.strip(),
        redirect_for(visit.request, "").url,
        visit.user.get_name(),
    )
    hide(following.client_secret)
    try:
        _check(visit.account, following)
    except ConstantContactError as error:
        return _shown(visit, str(error))
    return go_to(visit.request, _PATH)


@router.post("/take-over")
def take_over(visit: Editing) -> Response:
    """The last step: a real call by the new application, and if it answers, the old one goes."""
    try:
        _require_writable(visit.account)
        old = hook_of(visit.account, CURRENT).settings
        with create_session(scoped=False) as session:
            tested = NextApplication.load(session, visit.account)
        hook = hook_of(visit.account, NEXT)
        answered = ask_account(hook)
        require_same_account(answered, visit.account.constant_contact_conn_id)
        _switch(visit.account, hook, old, tested)
    except ConstantContactError as error:
        return _shown(visit, str(error))
    return page(
        visit.request,
        "credentials_replaced",
        answered=answered,
        old_key=_end_of(old.api_key),
        new_key=_end_of(hook.settings.api_key),
    )


@router.post("/cancel")
def cancel(visit: Editing) -> Response:
    """Forget the new application; nothing was changed by it."""
    with create_session(scoped=False) as session:
        NextApplication.forget(session, visit.account)
    return go_to(visit.request, _PATH)


def _check(account: Account, following: NextApplication) -> None:
    """Keep key and secret if they may be used.

    Raises:
        ConstantContactError: Why not.
    """
    _require_writable(account)
    settings = hook_of(account, CURRENT).settings
    if not following.api_key or not following.client_secret:
        raise SettingError("API key and Client secret", "must both be given; nothing was changed")
    if following.api_key == settings.api_key:
        raise SettingError(
            "API key",
            "is the one in use; for a new secret of the same application, put it into the "
            "connection's field Client secret: the authorization stays good",
        )
    Authorization(following.settings(settings), lambda call: None).check_client()
    with create_session(scoped=False) as session:
        waiting = NextApplication.load(session, account, lock=True)
        if waiting is not None and waiting.tokens:
            raise SettingError(
                f"connection {account.constant_contact_conn_id}",
                f"another application, entered by {waiting.begun_by}, is authorized already: take "
                "it over, or cancel it first",
            )
        following.save(session, account)


def _require_writable(account: Account) -> None:
    conn_id = account.constant_contact_conn_id
    source = source_of(conn_id)
    if source is None or not source.is_writable:
        where = source.name if source else "nowhere"
        raise SettingError(
            f"connection {conn_id}", f"is in {where}, which no page can write; change it there"
        )


def _switch(
    account: Account, hook: ConstantContactHook, old: ApiSettings, tested: NextApplication | None
) -> None:
    """Put key, secret and tokens of the next application where the jobs read them.

    Under the lock of refreshes: one that is under way would store the old tokens over the new. The
    next application is to be the one that was `tested`.

    Raises:
        SettingError: Somebody changed the connection or the next application meanwhile.
    """
    conn_id = account.constant_contact_conn_id
    with token_lock(hook.crm, conn_id), create_session(scoped=False) as session:
        following = NextApplication.load(session, account, lock=True)
        row = session.scalar(
            select(Connection).where(Connection.conn_id == conn_id).with_for_update()
        )
        is_tested = following is not None and tested is not None and following.is_grant_of(tested)
        if following is None or row is None or not is_tested:
            raise SettingError(f"connection {conn_id}", "was changed meanwhile; begin again")
        pair = TokenPair.from_json(following.tokens)
        row.login = following.api_key
        row.set_password(following.client_secret)
        # The old application's seed would win over the new tokens.
        extra = row.extra_dejson | {"refresh_token": "", "redirect_url": following.redirect_url}
        row.set_extra(json.dumps(extra))
        stored.write(
            session,
            account,
            tokens_key(conn_id),
            replace(pair, replaces=credentials_digest(old)).to_json(),
            f"Tokens of connection {conn_id}; kept by constant_contact",
        )
        NextApplication.forget(session, account)


def _shown(visit: Visit, problem: str = "") -> HTMLResponse:
    account = visit.account
    conn_id = account.constant_contact_conn_id
    values: dict[str, Any] = {"old_key": "", "following": None}
    try:
        values["old_key"] = _end_of(hook_of(account, CURRENT).settings.api_key)
        with create_session(scoped=False) as session:
            values["following"] = NextApplication.load(session, account)
    except ConstantContactError as error:
        problem = problem or str(error)
    following = values["following"]
    return page(
        visit.request,
        "credentials",
        status=status.HTTP_409_CONFLICT if problem else status.HTTP_200_OK,
        conn_id=conn_id,
        source=source_of(conn_id),
        redirect=redirect_for(visit.request, ""),
        problem=problem,
        new_key=_end_of(following.api_key) if following else "",
        **values,
    )


def _end_of(api_key: str) -> str:
    """Enough of a key to tell two apart."""
    return f"…{api_key[-_SHOWN_CHARS:]}"
