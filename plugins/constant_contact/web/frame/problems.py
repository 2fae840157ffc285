"""What a page says when it cannot be shown."""

import logging

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException
from starlette.status import HTTP_401_UNAUTHORIZED

from constant_contact.errors import ChangesRefused, ConstantContactError
from constant_contact.redact import redact, told_by
from constant_contact.web.frame.pages import page, wants_part

_log = logging.getLogger("constant_contact.web")
_KNOWN = {
    401: "You are not logged in to Airflow, or no longer: log in, and load this page again.",
    403: "Your role in Airflow does not allow this.",
    404: "There is no such page or row.",
    405: "This page has no such action.",
}
# Tells htmx to put the line into base.html's place for it, whatever was to be replaced.
_BESIDE = {"HX-Retarget": "#problem", "HX-Reswap": "innerHTML", "HX-Reselect": "[role=alert]"}


def explain_problems(app: FastAPI) -> None:
    """Give each error its page: what is wrong, and what to do."""
    app.add_exception_handler(ConstantContactError, _ours)
    app.add_exception_handler(psycopg.Error, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)


def describe(error: Exception) -> str:
    """An error of ours, or of the CRM database, as a reader may see it."""
    if isinstance(error, psycopg.Error):
        return f"PostgreSQL refused a statement: {told_by(error)}"
    return str(error)


def _ours(request: Request, error: Exception) -> Response:
    _log.warning("%s: %s", _asked(request), error)
    return _problem(request, 409 if isinstance(error, ChangesRefused) else 503, str(error))


def _refused(request: Request, error: Exception) -> Response:
    line = describe(error)
    _log.error("%s: %s", _asked(request), line)
    return _problem(request, 500, line)


def _asked(request: Request) -> str:
    return redact(f"{request.method} {request.url.path}")


def problem_of(request: Request, error: HTTPException) -> Response:
    """The page of a refusal."""
    said = str(error.detail)
    # A sentence is ours; Airflow and Starlette only name the status.
    text = said if said.endswith(".") else _KNOWN.get(error.status_code, said)
    return _problem(request, error.status_code, text)


def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return problem_of(request, error)


def _invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    wrong = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())
    return _problem(request, 422, wrong)


def _problem(request: Request, status: int, text: str) -> HTMLResponse:
    values = {"problem": text, "logged_out": status == HTTP_401_UNAUTHORIZED}
    if not wants_part(request):
        return page(request, "problem", status=status, **values)
    line = page(request, "problem_line", status=status, **values)
    # The part that was asked for stays as it is shown, and goes on asking if it did.
    line.headers.update(_BESIDE)
    return line
