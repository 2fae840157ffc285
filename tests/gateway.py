"""A gateway between the client and the vendor, which alters the page links that pass through it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from tests.serving import serving


@dataclass
class Gateway:
    """One that is running.

    Attributes:
        url: Where it listens.
        change: Alters the answer to a call in place; takes the call's path and query, and the body.
        aliases: What it asks the vendor for in place of a path and query that it made up.
        asked: Path and query of each call, in order.
    """

    url: str
    change: Callable[[str, dict[str, Any]], None] = lambda _path, _body: None
    aliases: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@contextmanager
def gateway(vendor_url: str) -> Iterator[Gateway]:
    """Run one in front of the vendor, for calls that only read."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.asked.append(self.path)
            answer = requests.get(
                vendor_url + served.aliases.get(self.path, self.path),
                headers={"Authorization": self.headers["Authorization"]},
                timeout=10,
            )
            body = answer.json()
            if answer.ok:
                served.change(self.path, body)
            sent = json.dumps(body).encode()
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: Any) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Gateway(f"http://127.0.0.1:{server.server_address[1]}")
    with serving(server):
        yield served


def href_of(body: dict[str, Any]) -> str | None:
    """The link to the next page."""
    link = (body.get("_links") or {}).get("next") or {}
    return link.get("href")
