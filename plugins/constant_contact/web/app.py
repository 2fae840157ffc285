"""The FastAPI app with our pages; Airflow's api-server mounts it below `accounts.PAGES`."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Depends, FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles

from constant_contact.web.calls import calls
from constant_contact.web.campaigns import campaign, campaigns, contacts
from constant_contact.web.connection import authorize, check, connection, credentials
from constant_contact.web.frame.access import known_user
from constant_contact.web.frame.accounts import PREFIXES, known_account
from constant_contact.web.frame.airflow_api import Mounted
from constant_contact.web.frame.forms import from_our_page
from constant_contact.web.frame.pages import STATIC_DIR
from constant_contact.web.frame.problems import explain_problems
from constant_contact.web.lists import lists
from constant_contact.web.overview import overview, sync_now, waiting
from constant_contact.web.people import holds, memberships, opt_outs, saved_searches, why, wizard
from constant_contact.web.requests import ForgetsQueries, FormsOfUsers

# A page each, of every account; every route names the permission it needs, by the type of its visit
# or a dependency of `access`.
_ROUTERS: Final = (
    overview.router,
    # The list first: its file would be a campaign's id.
    campaigns.router,
    campaign.router,
    contacts.router,
    lists.router,
    calls.router,
    sync_now.router,
    connection.router,
    check.router,
    authorize.router,
    credentials.router,
    why.router,
    opt_outs.router,
    holds.router,
    memberships.router,
    wizard.router,
    saved_searches.router,
)
# At one address for all accounts: what leads there cannot tell whose it is.
_ROUTERS_OF_ALL: Final = (authorize.way_back, calls.of_task)
# In this order: who is not signed in learns of no account.
_FIRST: Final = [Depends(known_user), Depends(known_account), Depends(from_our_page)]
_HEADERS: Final = {
    # Scripts and styles are files of ours, so that what a name or a reply holds never runs; the
    # styles of charts and gauges are in their tags.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'self'; "
        "base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def create_app() -> FastAPI:
    """The app; from now on this api-server also looks after the tasks that wait."""
    waiting.follow()
    app = Mounted(title="Constant Contact", docs_url=None, redoc_url=None, openapi_url=None)
    for router in _ROUTERS:
        for prefix in PREFIXES:
            app.include_router(router, prefix=prefix, dependencies=_FIRST)
    for router in _ROUTERS_OF_ALL:
        app.include_router(router, dependencies=_FIRST)
    app.mount("/static", StaticFiles(directory=STATIC_DIR), name="static")
    # Each added one is around those before it.
    app.add_middleware(FormsOfUsers)
    app.middleware("http")(_with_headers)
    app.add_middleware(ForgetsQueries)
    explain_problems(app)
    return app


async def _with_headers(
    request: Request, answer: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await answer(request)
    response.headers.update(_HEADERS)
    if "/static/" not in request.url.path:
        # Pages show people's data: nothing may keep them.
        response.headers["Cache-Control"] = "no-store"
    return response
