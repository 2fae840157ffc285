"""The authorization by a person: to Constant Contact's consent page and back.

The authorization-code flow with PKCE. What it needs again on the way back is in an encrypted
Variable until then, so any api-server can take up where another began. Only the user who began can
finish, in the same browser, within a quarter of an hour, and once: a code that is sent twice may
cost the tokens that it brought (RFC 6749, 4.1.2). All accounts come back to one address, which is
registered at the vendor: whose authorization it is, the signed state tells.
"""

import hashlib
import hmac
import json
import logging
import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from urllib.parse import urlsplit

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.configuration import conf
from airflow.utils.session import create_session
from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response, status
from fastapi.responses import HTMLResponse, RedirectResponse
from itsdangerous import BadSignature, URLSafeTimedSerializer

from constant_contact.accounts import Account
from constant_contact.api.authorization import Authorization
from constant_contact.errors import ConstantContactError
from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.redact import redact
from constant_contact.web.connection.applications import CURRENT, NEXT, Application, hook_of
from constant_contact.web.connection.connection import ask_account, require_same_account
from constant_contact.web.connection.redirect import CALLBACK_PATH, redirect_for
from constant_contact.web.frame import stored
from constant_contact.web.frame.access import CurrentUser, require_edit_connection
from constant_contact.web.frame.accounts import account_named, turn_to
from constant_contact.web.frame.pages import go_to, page
from constant_contact.web.frame.visit import Editing, Visit

router = APIRouter()
way_back = APIRouter()
_log = logging.getLogger("constant_contact.web")
# The vendor's log-in and consent; its code lives 5 minutes of that.
_VALID_S = 15 * 60
_SAID_CHARS: Final = 300


@dataclass(frozen=True)
class Begun:
    """An authorization under way."""

    state_digest: str
    verifier: str = field(repr=False)
    user_id: str
    browser_digest: str
    application: Application


@router.post("/connection/authorize")
def begin(visit: Editing, application: Annotated[Application, Form()] = CURRENT) -> HTMLResponse:
    """The page that leads to the vendor's; a link, since our frame may not go there itself."""
    request, account = visit.request, visit.account
    settings = hook_of(account, application).settings
    redirect = redirect_for(request, settings.redirect_url)
    if redirect.problem:
        raise HTTPException(status.HTTP_409_CONFLICT, redirect.problem)
    settings = replace(settings, redirect_url=redirect.url)
    state, browser = _new_state(account), secrets.token_urlsafe(32)
    url, _, verifier = Authorization(settings, lambda call: None).url(state)
    begun = Begun(_digest(state), verifier, str(visit.user.get_id()), _digest(browser), application)
    with create_session(scoped=False) as session:
        kept = json.dumps(asdict(begun))
        stored.write(session, account, _key(account), kept, "An authorization under way")
    answer = page(request, "authorize", url=url, settings=settings, application=application)
    answer.set_cookie(
        _cookie(account),
        browser,
        max_age=_VALID_S,
        path=_cookie_path(request),
        httponly=True,
        # "lax" comes along when the vendor's page leads back, as Airflow's own cookie does.
        samesite="lax",
        # Behind a proxy with TLS the request itself came without.
        secure="https" in (request.url.scheme, urlsplit(redirect.url).scheme)
        or bool(conf.get("api", "ssl_cert", fallback="")),
    )
    return answer


def _visit_of_state(
    request: Request, user: CurrentUser, session: SessionDep, state: str = ""
) -> Visit:
    """A visit to the account whose authorization comes back.

    Raises:
        HTTPException: The state is forged or old; 403, the user may not change this connection.
    """
    account, made_at = _signed_in(state)
    # First of all: what is refused from here on shows on a page of this account's too.
    turn_to(request, account)
    require_edit_connection(user, account)
    if datetime.now(UTC) - made_at > timedelta(seconds=_VALID_S):
        raise _strange("it took longer than a quarter of an hour")
    return Visit(request, user, account, session)


@way_back.get(CALLBACK_PATH)
def callback(
    visit: Annotated[Visit, Depends(_visit_of_state)],
    *,
    code: str = "",
    state: str = "",
    error: str = "",
    error_description: str = "",
) -> Response:
    """Where the vendor's page leads back to; goes on without code and state in the address."""
    cookie = _cookie(visit.account)
    begun = _finished(visit, state, visit.request.cookies.get(cookie, ""))
    answer = _authorized(visit, begun, code, f"{error} {error_description}")
    answer.delete_cookie(cookie, path=_cookie_path(visit.request))
    return answer


def _authorized(
    visit: Visit, begun: Begun, code: str, said: str
) -> HTMLResponse | RedirectResponse:
    """Redeem the code, or show why there is none."""
    conn_id, application = visit.account.constant_contact_conn_id, begun.application
    if not code:
        why = redact(said.strip(), _SAID_CHARS) or "neither a code nor an error came"
        return _refused(visit, application, f"Constant Contact did not give access: {why}")
    try:
        _redeem(visit, begun, code)
    except ConstantContactError as failure:
        _log.warning("connection %s was not authorized: %s", conn_id, failure)
        return _refused(visit, application, str(failure))
    _log.info("connection %s (%s application) was authorized", conn_id, application)
    path = "/connection/credentials" if application == NEXT else "/connection"
    return go_to(visit.request, path)


def _redeem(visit: Visit, begun: Begun, code: str) -> None:
    """Store the tokens that a code brings.

    Raises:
        ConstantContactError: They are not stored.
    """
    conn_id = visit.account.constant_contact_conn_id
    hook = hook_of(visit.account, begun.application)
    before = _authorized_at(hook)
    url = redirect_for(visit.request, hook.settings.redirect_url).url
    hook.settings = replace(hook.settings, redirect_url=url)
    try:
        hook.authorize(
            code,
            begun.verifier,
            visit.user.get_name(),
            check=lambda pair: require_same_account(ask_account(hook, pair), conn_id),
        )
    except ConstantContactError as failure:
        if _authorized_at(hook) == before:
            raise
        # Such as a CRM that went away before the lock was given back.
        _log.warning("connection %s, after its tokens were stored: %s", conn_id, failure)


def _authorized_at(hook: ConstantContactHook) -> datetime | None:
    pair = hook.stored_tokens()
    return pair.authorized_at_utc if pair else None


def _refused(visit: Visit, application: Application, problem: str) -> HTMLResponse:
    return page(
        visit.request,
        "not_authorized",
        status=status.HTTP_400_BAD_REQUEST,
        problem=problem,
        application=application,
    )


def _signed_in(state: str) -> tuple[Account, datetime]:
    """The account that a state was made for, however long ago, and when.

    Raises:
        HTTPException: The state is forged, or there is no such account any more.
    """
    try:
        said, made_at = _signer().loads(state, return_timestamp=True)
    except BadSignature:
        raise _strange("its state is not one of ours") from None
    account = account_named(str(said).partition(".")[0])
    if account is None:
        raise _strange("the option accounts does not name its account")
    return account, made_at


def _new_state(account: Account) -> str:
    return str(_signer().dumps(f"{account.name}.{secrets.token_urlsafe(16)}"))


def _finished(visit: Visit, state: str, browser: str) -> Begun:
    """The authorization that a state belongs to; it cannot be finished another time.

    Raises:
        HTTPException: The state is used, or belongs to another user or browser, who may still
            finish.
    """
    with create_session(scoped=False) as session:
        kept = stored.read(session, visit.account, _key(visit.account), lock=True)
        begun = Begun(**json.loads(kept)) if kept else None
        if begun is None or not hmac.compare_digest(begun.state_digest, _digest(state)):
            raise _strange("it was used already, or another was begun since")
        if begun.user_id != str(visit.user.get_id()):
            raise _strange("another user of Airflow began it")
        if not hmac.compare_digest(begun.browser_digest, _digest(browser)):
            raise _strange("it began in another browser, or at another address of Airflow")
        stored.forget(session, _key(visit.account))
    return begun


def _strange(why: str) -> HTTPException:
    return HTTPException(
        status.HTTP_400_BAD_REQUEST,
        f"This answer belongs to no authorization under way here: {why}. Nothing was changed; "
        "authorize again on the page Connection.",
    )


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _key(account: Account) -> str:
    return f"{account.constant_contact_conn_id}_authorization_token"


def _cookie(account: Account) -> str:
    # One each: a browser may be on its way for several accounts.
    return f"{account.constant_contact_conn_id}_authorization"


def _cookie_path(request: Request) -> str:
    return urlsplit(f"{request.scope['root_path']}{CALLBACK_PATH}").path


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        conf.get("api", "secret_key"), salt="constant_contact.authorization"
    )
