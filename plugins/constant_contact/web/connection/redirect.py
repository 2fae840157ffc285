"""Where the vendor's consent page leads back to: registered there, entered in the connection.

It is one address for all accounts, so that they can share an application.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from airflow.configuration import conf
from fastapi import Request

from constant_contact.accounts import PAGES

CALLBACK_PATH: Final = "/oauth2/callback"


@dataclass(frozen=True)
class Redirect:
    """The redirect URL of an authorization that begins on our page.

    Attributes:
        url: What is sent to Constant Contact, and must be registered there.
        ours: What leads to our page, as far as Airflow knows its own address.
        problem: Why `url` would not lead back here; "" if it would.
        doubt: What may go wrong on the way back; "" if nothing.
    """

    url: str
    ours: str
    problem: str
    doubt: str


def redirect_for(request: Request, field: str) -> Redirect:
    """What the connection's field means to a browser where this request came from."""
    ours = f"{_airflow(request)}{PAGES}{CALLBACK_PATH}"
    url, problem, doubt = field or ours, "", ""
    if urlsplit(url).path != urlsplit(ours).path:
        problem = (
            f"The connection's field Redirect URL is {field}, which does not lead back to this "
            f"page. Register {ours} with the application, and put it into the field or clear it."
        )
    elif urlsplit(url).netloc != request.url.netloc:
        doubt = (
            f"Airflow answers you as {request.url.netloc}, but the redirect URL leads to "
            f"{urlsplit(url).netloc}: open Airflow there first, or you will not be known on the "
            "way back."
        )
    return Redirect(url, ours, problem, doubt)


def _airflow(request: Request) -> str:
    """Airflow's address as the administrator set it, else as this request has it."""
    configured = str(conf.get("api", "base_url", fallback="") or "").rstrip("/")
    if urlsplit(configured).netloc:
        return configured
    prefix = request.scope["root_path"].removesuffix(PAGES)
    return f"{request.url.scheme}://{request.url.netloc}{prefix}"
