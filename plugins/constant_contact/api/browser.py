"""An authorization by a browser on this machine, for those who cannot use the Airflow UI."""

import http.server
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

from constant_contact.api.authorization import Authorization
from constant_contact.api.settings import ApiSettings
from constant_contact.errors import AuthorizationRequired, SettingError

#: What a person does with the file that the refresh token is in.
NEXT_STEPS: Final = """\
The refresh token is in {file}. Put it into the field refresh_token of the
connection, then remove the file. Where another was: 'Ask Constant Contact now' on
the page Connection tells whether it is the same account; ask before any job runs."""


class _Callback(http.server.BaseHTTPRequestHandler):
    """Takes the browser's visit with the code; whatever else it asks for is not found."""

    path_expected: ClassVar[str] = "/"
    answer: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path != self.path_expected:
            self.send_error(404)
            return
        type(self).answer = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"Constant Contact has answered. You can close this page.\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """The code would be in the log."""


def refresh_token(settings: ApiSettings, seen_by: str, show: Callable[[str], Any]) -> str:
    """Wait for the browser, exchange the code, return the refresh token.

    Args:
        settings: Of the connection; its redirect URL leads to this machine, such as
            http://localhost:8910/callback, and is registered with the application.
        seen_by: What a person calls the connection.
        show: Takes what the person is to do now.

    Raises:
        SettingError: The redirect URL does not lead here.
        ConstantContactError: Another program listens there, the access was not allowed, or the
            code was refused.
    """
    callback = urlsplit(settings.redirect_url)
    if callback.hostname not in {"localhost", "127.0.0.1"} or not callback.port:
        raise SettingError(
            seen_by,
            "redirect_url in extra must lead to this machine, such as "
            "http://localhost:8910/callback, and be registered with the application",
        )
    authorization = Authorization(settings, lambda call: None)
    url, state, verifier = authorization.url()
    _Callback.path_expected = callback.path or "/"
    with _server(callback.hostname, callback.port) as server:
        show(f"Open this page and allow the access:\n\n  {url}\n")
        while not _Callback.answer:
            server.handle_request()
    answer = _Callback.answer
    if answer.get("state") != state:
        raise AuthorizationRequired(
            "the answer does not belong to this request (state differs): start again"
        )
    if "code" not in answer:
        raise AuthorizationRequired(
            f"the access was not allowed ({answer.get('error', 'no code came')})"
        )
    return str(authorization.exchange(answer["code"], verifier)["refresh_token"])


def _server(host: str, port: int) -> http.server.HTTPServer:
    try:
        return http.server.HTTPServer((host, port), _Callback)
    except OSError as error:
        raise AuthorizationRequired(
            f"the browser cannot be led back to {host}:{port} ({error.strerror}): end what listens "
            "there, or register another redirect URL and put it into redirect_url"
        ) from None


def write_secret(path: Path, secret: str) -> None:
    """Write a file that only its owner may read, in place of one that was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
