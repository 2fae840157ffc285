"""`make authorize [ACCOUNT=eu]`: the first authorization of a real account, in your browser.

Reads API key, secret, scopes and redirect URL from `AIRFLOW_CONN_CONSTANT_CONTACT_DEFAULT`, or the
account's. The redirect URL must be registered with the application at Constant Contact and lead to
this machine, such as http://localhost:8910/callback. The refresh token goes into a file that only
you may read: put it into the connection's field refresh_token, and remove the file. Nothing here
knows which account you had before: log in as a user of the same one (docs/tokens.md).

The page *Connection* in the Airflow UI does the same and stores the tokens itself; this is for
those who have no UI.
"""

import http.server
import os
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from constant_contact.accounts import DEFAULT, Account, accounts_named
from constant_contact.api.authorization import Authorization
from constant_contact.api.settings import ApiSettings
from constant_contact.errors import ConstantContactError
from local.paths import LOCAL
from local.stop import USAGE, Stop, command

TOKEN_FILE = LOCAL / "refresh_token"


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


def main() -> int:
    """Waits for the browser, exchanges the code, keeps the refresh token."""
    account = _account()
    variable = f"AIRFLOW_CONN_{account.constant_contact_conn_id.upper()}"
    settings = _settings(account, variable)
    callback = urlsplit(settings.redirect_url)
    if callback.hostname not in {"localhost", "127.0.0.1"} or not callback.port:
        raise Stop(
            f"{variable}: redirect_url in extra must lead to this machine, such as "
            "http://localhost:8910/callback, and be registered with the application",
            USAGE,
        )
    authorization = Authorization(settings, lambda call: None)
    url, state, verifier = authorization.url()
    _Callback.path_expected = callback.path or "/"
    with _server(callback.hostname, callback.port) as server:
        print(f"Open this page and allow the access:\n\n  {url}\n", flush=True)
        while not _Callback.answer:
            server.handle_request()
    answer = _Callback.answer
    if answer.get("state") != state:
        raise Stop("the answer does not belong to this request (state differs): start again")
    if "code" not in answer:
        raise Stop(f"the access was not allowed ({answer.get('error', 'no code came')})")
    of_account = "" if account == DEFAULT else f"_{account.name}"
    file = TOKEN_FILE.with_name(TOKEN_FILE.name + of_account)
    return _keep(authorization, answer["code"], verifier, file)


def _server(host: str, port: int) -> http.server.HTTPServer:
    try:
        return http.server.HTTPServer((host, port), _Callback)
    except OSError as error:
        raise Stop(
            f"the browser cannot be led back to {host}:{port} ({error.strerror}): end what listens"
            " there, or register another redirect URL and put it into redirect_url"
        ) from None


def _account() -> Account:
    try:
        return accounts_named(os.environ.get("ACCOUNT", ""))[-1]
    except ValueError as error:
        raise Stop(f"ACCOUNT: {error}", USAGE) from None


def _settings(account: Account, variable: str) -> ApiSettings:
    if not os.environ.get(variable):
        raise Stop(f"{variable} is not set: set it with API key, secret, redirect_url", USAGE)
    # Airflow's own reading of the variable, URI or JSON; its database is not needed
    from airflow.sdk import Connection  # noqa: PLC0415

    value, conn_id = os.environ[variable], account.constant_contact_conn_id
    try:
        conn = (
            Connection.from_json(value, conn_id)
            if value.lstrip().startswith("{")
            else Connection.from_uri(value, conn_id)
        )
        return ApiSettings.from_connection(
            conn_id=conn_id,
            login=conn.login,
            password=conn.password,
            host=conn.host,
            port=conn.port,
            extra=conn.extra_dejson,
        )
    except ConstantContactError as error:
        raise Stop(str(error), USAGE) from None
    except Exception as error:  # noqa: BLE001 (Airflow names no type for a bad value)
        # the error may quote the value, with the secret in it
        raise Stop(
            f"{variable} is no Airflow connection ({type(error).__name__}): write its JSON as in"
            " docs/connect.md, step 2",
            USAGE,
        ) from None


def _keep(authorization: Authorization, code: str, verifier: str, file: Path) -> int:
    try:
        reply = authorization.exchange(code, verifier)
    except ConstantContactError as error:
        raise Stop(str(error)) from None
    _write(file, str(reply["refresh_token"]))
    print(f"The refresh token is in {file}. Put it into the field refresh_token of the")
    print("connection, then remove the file. Where another was: 'Ask Constant Contact now' on")
    print("the page Connection tells whether it is the same account; ask before any job runs.")
    return 0


def _write(path: Path, secret: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")


if __name__ == "__main__":
    command(main)
