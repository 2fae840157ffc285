"""Airflow's public REST API, called by a page of ours for the user who asked for the page.

The API is in the process that shows our pages, so no address, proxy or certificate stands between.
What the user may do, and what the audit log says of it, is Airflow's to decide: the call has the
credentials of the user's own request.
"""

from typing import Any, Final
from urllib.parse import quote

import httpx
from fastapi import FastAPI, Request
from starlette.types import Receive, Scope, Send

_AIRFLOW: Final = "constant_contact.airflow"
# They describe the form that the user sent, which is not passed on.
_OF_THE_FORM: Final = frozenset({b"content-length", b"content-type", b"transfer-encoding"})


class Mounted(FastAPI):
    """An app that knows the app which it is mounted in."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; `app` in its scope is the outer app until then, ours afterwards."""
        if "app" in scope:
            scope[_AIRFLOW] = scope["app"]
        await super().__call__(scope, receive, send)


async def patch(request: Request, *path: str, body: dict[str, Any]) -> int:
    """Change something through Airflow's API.

    `path`: the parts below `/api/v2`.

    Returns:
        The HTTP status.
    """
    # As they came: a proxy or another app may put any bytes into them.
    headers = [each for each in request.headers.raw if each[0].lower() not in _OF_THE_FORM]
    here = f"{request.url.scheme}://{request.url.netloc}"
    airflow = httpx.ASGITransport(app=request.scope[_AIRFLOW])
    async with httpx.AsyncClient(transport=airflow, base_url=here) as client:
        url = "/api/v2/" + "/".join(quote(part, safe="") for part in path)
        return (await client.patch(url, headers=headers, json=body)).status_code
