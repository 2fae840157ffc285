"""The application and the ways to run it: as a process, or in a thread of a test."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from simulator.control import Control
from simulator.control_api import PREFIX, ControlApi
from simulator.gate import Gate
from simulator.generate import Plan, generate
from simulator.settings import Limits, Settings
from simulator.transport import Protocol
from simulator.world import World

#: Options that make up the account at the start.
PLANNED = ("seed", "contacts", "lists", "campaigns", "events")


@dataclass(frozen=True)
class Running:
    """A simulator that runs in a thread."""

    url: str
    control: Control
    world: World


def make_world(**options: Any) -> World:
    """Options are fields of `Limits`, `Settings` and `Plan` (those in PLANNED), `refresh_token`."""
    limits = {f.name: options.pop(f.name) for f in fields(Limits) if f.name in options}
    settings = {f.name: options.pop(f.name) for f in fields(Settings) if f.name in options}
    given = {name: options.pop(name, None) for name in PLANNED}
    plan = {name: value for name, value in given.items() if value is not None}
    world = World(
        seed=plan.get("seed", 1),
        limits=Limits(**limits),
        settings=Settings(**settings),
        refresh_token=options.pop("refresh_token", None),
    )
    if options:
        raise TypeError(f"unknown options: {', '.join(sorted(options))}")
    if plan.keys() - {"seed"}:
        empty = {"contacts": 0, "lists": 0, "campaigns": 0, "events": 0}
        generate(world, Plan(**(empty | plan)))
    return world


def make_app(world: World) -> ASGIApp:
    """The ASGI application of a world."""
    gate, control = Gate(world), ControlApi(world)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        await (control if scope["path"].startswith(PREFIX) else gate)(scope, receive, send)

    return Starlette(routes=[Mount("/", app=dispatch)])


class _Server(uvicorn.Server):
    """Says when it is ready instead of leaving the caller to poll."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.announce = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.announce:
            print(self.announce, flush=True)  # noqa: T201 - the launcher waits for it
        self.ready.set()


def _server(world: World, log_level: str) -> _Server:
    config = uvicorn.Config(
        make_app(world),
        http=Protocol,
        log_level=log_level,
        access_log=log_level in ("debug", "trace"),
        server_header=False,
        date_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=60,
    )
    return _Server(config)


def _listen(host: str, port: int) -> tuple[socket.socket, str]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(512)
    shown = f"[{host}]" if ":" in host else host
    return listener, f"http://{shown}:{listener.getsockname()[1]}"


def serve(world: World, host: str, port: int, log_level: str = "warning") -> None:
    """Run until interrupted; prints one line when connections are accepted."""
    listener, url = _listen(host, port)
    server = _server(world, log_level)
    server.announce = f"simulator ready at {url}"
    server.run(sockets=[listener])


@contextmanager
def running(
    *, host: str = "127.0.0.1", port: int = 0, log_level: str = "error", **options: Any
) -> Iterator[Running]:
    """A simulator in a thread, on a free port; see `make_world` for the options."""
    world = make_world(**options)
    listener, url = _listen(host, port)
    server = _server(world, log_level)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="simulator", daemon=True
    )
    thread.start()
    if not server.ready.wait(120):
        raise RuntimeError("the simulator did not start within 120 s")
    control = Control(url)
    try:
        yield Running(url, control, world)
    finally:
        control.close()
        server.should_exit = True
        thread.join(10)
        listener.close()
