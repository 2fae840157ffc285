"""What the pages let in: who asks, how much, and what of it a log may keep."""

import asyncio
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from structlog.testing import CapturingLogger

from tests.airflow.site import NOBODY, Site, bearer

PAGES = "/constant-contact"
FORM = "application/x-www-form-urlencoded"
MANY = 3_000

pytestmark = pytest.mark.usefixtures("connections")


class Sender:
    """A client that sends megabytes, and how many of them it got rid of."""

    def __init__(self, pieces: int, piece: bytes = b"a" * 65_536) -> None:
        self.pieces = [piece] * pieces
        self.taken = 0

    async def receive(self) -> dict[str, Any]:
        self.taken += 1
        more = self.taken < len(self.pieces)
        return {"type": "http.request", "body": self.pieces[self.taken - 1], "more_body": more}

    def send_to(self, site: Site, path: str, kind: str, role: str | None) -> int:
        """Send it; returns the status of the answer."""
        headers = [(b"content-type", kind.encode()), (b"host", b"testserver")]
        if role is not NOBODY:
            headers.append((b"authorization", f"Bearer {bearer(role)}".encode()))
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
            "root_path": "", "headers": headers, "client": ("test", 1), "server": ("test", 80),
            "state": {},
        }  # fmt: skip
        answers: list[dict[str, Any]] = []

        async def keep(message: dict[str, Any]) -> None:
            answers.append(message)

        asyncio.run(site._app(scope, self.receive, keep))
        return int(answers[0]["status"])


@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=x", "application/json"])
@pytest.mark.parametrize("path", ["/memberships/new", "/runs/lists", "/connection/credentials"])
def test_of_somebody_whom_airflow_does_not_know_not_a_byte_is_read(
    site: Site, kind: str, path: str
) -> None:
    sender = Sender(MANY)
    assert sender.send_to(site, PAGES + path, kind, NOBODY) == 401
    assert sender.taken == 0


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain", "x"])
def test_what_is_no_form_of_ours_is_not_read(site: Site, kind: str) -> None:
    sender = Sender(MANY)
    assert sender.send_to(site, f"{PAGES}/memberships/new", kind, "OP") == 415
    assert sender.taken == 0


def test_a_form_is_read_up_to_its_length(site: Site) -> None:
    sender = Sender(MANY)
    assert sender.send_to(site, f"{PAGES}/memberships/new", FORM, "OP") == 413
    assert sender.taken <= 17


def test_a_form_with_thousands_of_ids_is_taken(site: Site) -> None:
    ids = "\n".join(f"{number:032d}" for number in range(25_000))
    answer = site.post(f"{PAGES}/memberships/new", contact_ids=ids, list_id="gone")
    assert answer.status not in {400, 413, 415}


@pytest.fixture
def requests_log(monkeypatch: pytest.MonkeyPatch) -> CapturingLogger:
    """What Airflow writes of each request."""
    log = CapturingLogger()
    monkeypatch.setattr("airflow.api_fastapi.common.http_access_log.logger", log)
    return log


@pytest.mark.parametrize(
    ("path", "field"),
    [("/calls", "path"), ("/calls/csv", "path"), ("/calls", "request_id"), ("/calls", "error_key"),
     ("/why", "contact_id"), ("/why", "list_id")],
)  # fmt: skip
@pytest.mark.parametrize("address", ["jane@example.com", r"jane\u0040example.com", "jane@"])
def test_a_page_asked_by_a_url_with_an_address_refuses_and_logs_none(
    site: Site, requests_log: CapturingLogger, path: str, field: str, address: str
) -> None:
    answer = site.get(f"{PAGES}{path}?{urlencode({field: address})}")
    assert answer.status == 422
    assert "email address may be in a URL" in answer.text
    assert "jane" not in answer.text
    assert [call.kwargs["path"] for call in requests_log.calls] == [PAGES + path]
    assert "jane" not in str(requests_log.calls)


@pytest.mark.parametrize(
    "path",
    ["/memberships?before_contact=", "/task-calls?run_id=", "/nowhere?x=", "/calls?run_id="],
)
@pytest.mark.parametrize("address", ["jane@example.com", "jane%40example.com"])
def test_whatever_is_asked_no_address_reaches_the_log(
    site: Site, requests_log: CapturingLogger, path: str, address: str
) -> None:
    for role in ("VIEWER", NOBODY):
        site.get(f"{PAGES}{path}{quote(address)}", role)
    assert len(requests_log.calls) == 2
    assert "jane" not in str(requests_log.calls)


def test_a_path_forges_no_line_of_the_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    from fastapi import Request

    from constant_contact.web.frame.problems import _asked

    path = "/why\x1b[2K\n2026-01-01 all is well"
    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    assert _asked(Request(scope)).isprintable()
