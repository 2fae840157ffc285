"""Forms against forgery: what changes something must come from a page of ours, by the same user.

Airflow knows its users by a cookie, which a browser sends along with whatever another site makes it
send. So each form carries a token that only a page of ours can have shown, signed with the secret
that all api-servers share; it names the user and holds for a working day.
"""

from typing import Final

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.configuration import conf
from fastapi import HTTPException, Request, status
from itsdangerous import BadSignature, URLSafeTimedSerializer

from constant_contact.web.frame.access import CurrentUser

SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
FIELD: Final = "form_token"
HEADER: Final = "X-Form-Token"
_VALID_S = 12 * 3600


def form_token(user: BaseUser) -> str:
    """The token for the forms on a page that this user sees."""
    return str(_signer().dumps(str(user.get_id())))


async def from_our_page(request: Request, user: CurrentUser) -> None:
    """The dependency of all routes: lets through what only reads, and forms of our own pages.

    Raises:
        HTTPException: 403; the token is missing, old, forged or another user's.
    """
    if request.method in SAFE_METHODS:
        return
    token = request.headers.get(HEADER) or (await request.form()).get(FIELD)
    try:
        signed = _signer().loads(str(token or ""), max_age=_VALID_S)
    except BadSignature:
        signed = None
    if signed != str(user.get_id()):
        raise HTTPException(
            status.HTTP_403_FORBIDDEN, "This form has expired. Load its page again, and repeat."
        )


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(conf.get("api", "secret_key"), salt="constant_contact.form")
