"""Our pages, asked through Airflow's own api-server app, in this process."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

NOBODY = None


class Answer(NamedTuple):
    """What came back; redirects are not followed."""

    status: int
    text: str
    headers: Any


class Site:
    """The api-server, asked as a user of a role, or without a login."""

    def __init__(self) -> None:
        from airflow.api_fastapi.app import create_app
        from starlette.testclient import TestClient

        self._app = create_app(apps="core")
        self._prefix = ""
        self._client = TestClient(
            self._app,
            base_url="http://testserver",
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def get(
        self,
        path: str,
        role: str | None = "VIEWER",
        token: str = "",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Ask for a page below the api-server's root."""
        return self._ask("GET", path, role, token, headers)

    def post(
        self,
        path: str,
        role: str | None = "OP",
        *,
        form_token: str | None = None,
        headers: dict[str, str] | None = None,
        **fields: Any,
    ) -> Answer:
        """Send a form; with the token that a page showed this user, unless another is given."""
        if form_token is None:
            form_token = self.form_token(role)
        return self._ask("POST", path, role, "", headers, data={"form_token": form_token} | fields)

    def patch(self, path: str, role: str = "OP", **fields: Any) -> Answer:
        """Send JSON to a route of Airflow's own."""
        return self._ask("PATCH", path, role, "", None, json=fields)

    def another_browser(self) -> None:
        """From now on the user asks from a browser that has none of our cookies."""
        self._client.cookies.clear()

    @contextmanager
    def below(self, prefix: str) -> Iterator[None]:
        """Until the end all of Airflow is below a path, as its option base_url may say."""
        self._app.root_path = self._prefix = prefix
        try:
            yield
        finally:
            self._app.root_path = self._prefix = ""

    def form_token(self, role: str | None) -> str:
        """The token in the forms of the pages that a user of this role sees."""
        if role is NOBODY:
            return ""
        shown = re.search(r'"X-Form-Token": "([^"]+)"', self.get("/constant-contact/", role).text)
        assert shown
        return shown[1]

    def _ask(
        self,
        method: str,
        path: str,
        role: str | None,
        token: str,
        headers: dict[str, str] | None,
        **rest: Any,
    ) -> Answer:
        token = token or bearer(role)
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self._client.request(
            method, self._prefix + path, headers=sent | (headers or {}), **rest
        )
        return Answer(answer.status_code, answer.text, answer.headers)


def bearer(role: str | None) -> str:
    """Return a token of Airflow's for a user with a role; empty without a login."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    if role is NOBODY:
        return ""
    return get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=role.lower(), role=role))
