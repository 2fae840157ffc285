"""A bare caller of the vendor's API, and the contract that answers are held against."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import requests
from jsonschema import Draft4Validator

if TYPE_CHECKING:
    from simulator.server import Running

CONTRACT = Path(__file__).with_name("constant-contact-v3.structure.json")
TOKEN_PATH = "/oauth2/default/v1/token"
BASIC = ("demo-api-key", "demo-secret")
# costs nothing but where there is no answer
PATIENCE_S = 60


@cache
def contract() -> dict[str, Any]:
    loaded: dict[str, Any] = orjson.loads(CONTRACT.read_bytes())
    return loaded


@cache
def _validator(definition: str) -> Draft4Validator:
    whole = contract()
    return Draft4Validator(
        {"$ref": f"#/definitions/{definition}", "definitions": _closed(whole["definitions"])}
    )


def _closed(node: Any) -> Any:
    """The definitions, but with no property allowed that they do not name."""
    if isinstance(node, dict):
        made = {key: _closed(value) for key, value in node.items()}
        if isinstance(made.get("properties"), dict) and made.get("type") == "object":
            made["additionalProperties"] = False
        return made
    return [_closed(each) for each in node] if isinstance(node, list) else node


def assert_shape(body: Any, definition: str) -> None:
    """The body has the required properties, the right types, and nothing the contract lacks."""
    problems = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in _validator(definition).iter_errors(body)
    ]
    assert not problems, f"not a {definition}: {problems[:5]}"


class Api:
    """Calls the simulator with a token of the given scopes."""

    def __init__(self, sim: Running, scopes: list[str] | None = None) -> None:
        self.sim = sim
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {access_token(sim, scopes)}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        url = path if path.startswith("http") else self.sim.url + path
        options.setdefault("timeout", PATIENCE_S)
        return self.session.request(method, url, **options)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.call("GET", f"/v3{path}" if not path.startswith("/v3") else path, params=params)

    def ok(self, path: str, **params: Any) -> dict[str, Any]:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def put(self, path: str, body: Any) -> requests.Response:
        return self.call("PUT", f"/v3{path}", json=body)

    def post(self, path: str, body: Any) -> requests.Response:
        return self.call("POST", f"/v3{path}", json=body)

    def pages(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All pages, following the next links."""
        bodies = [self.ok(path, **params)]
        while href := ((bodies[-1].get("_links") or {}).get("next") or {}).get("href"):
            assert len(bodies) < 1000
            bodies.append(self.ok(href))
        return bodies


def token_call(sim: Running, auth: Any = BASIC, **form: str) -> requests.Response:
    return requests.post(sim.url + TOKEN_PATH, data=form, auth=auth, timeout=PATIENCE_S)


def access_token(sim: Running, scopes: list[str] | None = None) -> str:
    answer = token_call(sim, grant_type="refresh_token", refresh_token=sim.control.grant(scopes))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])
