"""How a page is made: a template, escaped, that looks at home in Airflow."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from fastapi import HTTPException, Request
from fastapi import status as http
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates
from jinja2 import StrictUndefined
from markupsafe import Markup

from constant_contact.accounts import DEFAULT, PAGES
from constant_contact.web.frame.access import may_read
from constant_contact.web.frame.accounts import (
    account_if_known,
    current_account,
    names_account,
    several_accounts,
)
from constant_contact.web.frame.forms import form_token

T = TypeVar("T")
_WEB_DIR: Final = Path(__file__).parents[1]
STATIC_DIR: Final = _WEB_DIR / "static"
# How far a page counts what it does not show: so a count costs the same however much is stored.
MOST_COUNTED: Final = 10_000
_CURSOR: Final = re.compile(r"\bcursor=[^&]+")
_TEMPLATES = Jinja2Templates(directory=_WEB_DIR / "templates")
# A name that a template has and a page has not given is a fault of ours, not an empty cell.
_TEMPLATES.env.undefined = StrictUndefined
_TEMPLATES.env.trim_blocks = _TEMPLATES.env.lstrip_blocks = True


def page(request: Request, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Answer with `templates/<name>.html`; nothing may keep it, since it shows people's data.

    A template has besides: `account`, whose page it is, unless not `is_known`, since a problem came
    before that was found out below `/accounts`; `root`, where that one's pages are,
    `account_roots`, which tells it of each account that the user may read, `static`, where our
    files are, `airflow`, where Airflow's pages are, and `form_token` for its forms.
    """
    ours = request.scope.get("root_path", "")
    user = getattr(request.state, "constant_contact_user", None)
    known = account_if_known(request)
    account = known or DEFAULT
    always = {
        "account": account,
        "is_known": known is not None or not names_account(request),
        "root": f"{ours}{account.pages}",
        "account_roots": lambda: _roots(ours, user) if user and known else {},
        "static": f"{ours}/static",
        "airflow": ours.removesuffix(PAGES),
        "form_token": form_token(user) if user else "",
    }
    return _TEMPLATES.TemplateResponse(request, f"{name}.html", always | values, status_code=status)


def _roots(ours: str, user: BaseUser) -> dict[str, str]:
    """Where the pages of each account are, by its name; none if there is but the default one."""
    return {
        account.name: f"{ours}{account.pages}"
        for account in several_accounts()
        if may_read(user, account)
    }


def or_404(found: T | None, otherwise: str) -> T:
    """What a page is about.

    Raises:
        HTTPException: 404, with the sentence `otherwise`; there is none.
    """
    if found is None:
        raise HTTPException(http.HTTP_404_NOT_FOUND, otherwise)
    return found


def wants_part(request: Request) -> bool:
    """Whether htmx asks for a part of a page; going back in the history needs a whole one."""
    headers = request.headers
    return "HX-Request" in headers and "HX-History-Restore-Request" not in headers


def go_to(request: Request, path: str) -> RedirectResponse:
    """After a form has done its work: the page below ours that shows it."""
    root = f"{request.scope.get('root_path', '')}{current_account(request).pages}"
    return RedirectResponse(f"{root}{path}", http.HTTP_303_SEE_OTHER)


def moment(value: datetime | None) -> Markup:
    """A time: in the reader's zone by the page's script, in UTC on hover and without it."""
    if value is None:
        return Markup("-")
    return Markup('<time datetime="{0}" title="{1} UTC">{1} UTC</time>').format(
        value.isoformat(), f"{value:%Y-%m-%d %H:%M:%S}"
    )


_SPANS: Final = (
    (timedelta(days=2), timedelta(days=1), "days"),
    (timedelta(hours=2), timedelta(hours=1), "hours"),
    (timedelta(minutes=2), timedelta(minutes=1), "minutes"),
)
# Older ones are shown as a day: a hundred days are hard to count back.
_LONG_AGO: Final = timedelta(days=60)


def ago(value: datetime | None) -> Markup:
    """How long ago a time is, as people say it; the time itself on hover."""
    if value is None:
        return Markup("-")
    since = datetime.now(UTC) - value
    if since >= _LONG_AGO or since < timedelta():
        said = f"{value.astimezone(UTC):%d %b %Y}"
    else:
        said = next(
            (f"{since // unit} {name} ago" for least, unit, name in _SPANS if since >= least),
            "just now",
        )
    return Markup('<time datetime="{0}" title="{1} UTC" data-ago>{2}</time>').format(
        value.isoformat(), f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}", said
    )


def percent(value: float | None) -> str:
    """A share as people read it."""
    return "-" if value is None else f"{value:.1%}"


def number(value: float | None) -> str:
    """A number as people read it."""
    return "-" if value is None else f"{value:,}"


def counted(value: int) -> str:
    """A count that ends at `MOST_COUNTED`, as people read it."""
    return number(value) if value <= MOST_COUNTED else f"{MOST_COUNTED:,}+"


def duration(value: timedelta | None) -> str:
    """A span of time as people read it, in its two largest units."""
    if value is None:
        return "-"
    if value < timedelta(minutes=1):
        return f"{value.total_seconds():.1f} s"
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def without_cursor(path: str) -> str:
    """A call's path for a table: without the hundred letters of where a page begins."""
    return _CURSOR.sub("cursor=…", path)


_TEMPLATES.env.filters |= {
    "moment": moment,
    "ago": ago,
    "percent": percent,
    "number": number,
    "counted": counted,
    "duration": duration,
    "without_cursor": without_cursor,
}
