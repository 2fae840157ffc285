"""What every call passes: log, faults, token, limits, route, scope, and the reply's headers."""

import asyncio
import random
import time
from urllib.parse import parse_qsl, unquote

import orjson
from starlette.types import Receive, Scope, Send

from simulator import errors, routes
from simulator.call import Call, Reply
from simulator.calls import Entry
from simulator.fault_effects import ALTERING, REFUSING, REPLACING
from simulator.faults import Fault
from simulator.ids import make_id
from simulator.oauth import AccessToken
from simulator.oauth_pages import handle as handle_oauth
from simulator.transport import abort, read_body, send_reply
from simulator.world import World


class Gate:
    """ASGI application for the vendor's side: ``/v3`` and ``/oauth2``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = random.Random(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call, from arrival to answer."""
        world = self._world
        method = scope["method"]
        path, query = unquote(scope["path"]), scope["query_string"].decode("latin-1")
        raw = await read_body(receive)
        started = time.perf_counter()
        entry = world.calls.start(method, path, query)
        fault = world.faults.take(method, path, query, raw)
        entry.fault = fault.kind if fault else ""
        if fault is not None and fault.kind == "reset_before":
            await abort(scope)
            return
        reply = self._answer(world, scope, raw, entry, fault)
        entry.status = reply.status
        entry.throttled = reply.status == 429
        entry.ms = round((time.perf_counter() - started) * 1000, 3)
        reply.headers.update(
            {
                **world.settings.extra_headers,
                "date": world.clock.http_date(),
                "x-amzn-requestid": make_id(world.seed, "request", entry.number),
                "x-eig-tracking-id": make_id(world.seed, "tracking", entry.number),
            }
        )
        delay_ms = world.limits.latency_ms + world.limits.jitter_ms * self._random.random()
        if delay_ms > 0:
            await asyncio.sleep(delay_ms / 1000)
        if fault is not None and fault.kind == "reset_after":
            await abort(scope)
        elif fault is not None and fault.kind == "timeout":
            await asyncio.sleep(float(fault.params.get("seconds", 30)))
            await abort(scope)
        else:
            await send_reply(scope, send, reply, fault)

    def _answer(
        self, world: World, scope: Scope, raw: bytes, entry: Entry, fault: Fault | None
    ) -> Reply:
        if fault is not None:
            acts = bool(fault.params.get("acts", False))
            if fault.kind in REPLACING:
                if acts:
                    self._act(world, scope, raw, entry, fault)
                return REPLACING[fault.kind](fault)
            if fault.kind == "timeout" and not acts:
                return Reply(0)
        return self._act(world, scope, raw, entry, fault)

    def _act(
        self, world: World, scope: Scope, raw: bytes, entry: Entry, fault: Fault | None
    ) -> Reply:
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        if entry.path.startswith("/oauth2/"):
            entry.template = entry.path
            reply = handle_oauth(world, entry.method, entry.path, entry.query, headers, raw)
            if fault is not None and reply.body is not None and fault.kind.endswith("_json"):
                whole = orjson.dumps(reply.body)
                reply.raw = whole[: len(whole) // 2]
            return reply
        call = Call(
            world,
            entry.method,
            entry.path,
            {},
            parse_qsl(entry.query, keep_blank_values=True),
            raw,
            headers.get("content-type", ""),
            single_errors=entry.path.startswith("/v3/reports/"),
        )
        if fault is not None and fault.kind == "shifted_page":
            call.shift = int(fault.params.get("by", -1))
        world.bulk.tick(world)
        try:
            reply = self._carry_out(call, entry, headers.get("authorization"))
        except errors.ApiError as error:
            if fault is not None and fault.changes_refusal(error.status):
                return REFUSING[fault.kind](fault)
            return Reply(error.status, error.body)
        if fault is not None and fault.kind in ALTERING:
            ALTERING[fault.kind](fault, call, reply)
        return reply

    def _carry_out(self, call: Call, entry: Entry, authorization: str | None) -> Reply:
        """Admit the call, find its route and run it."""
        found, args = routes.find(call.path)
        route = found.get(call.method)
        if found:
            entry.template = (route or next(iter(found.values()))).template
        token = _admit(call.world, authorization)
        if not found:
            raise errors.not_found(call.path)
        if route is None:
            raise errors.refused(405, "method.not_allowed", "Unsupported method used.")
        if call.world.oauth.secret_of(token.client_id) is None:
            raise errors.forbidden("The application is deactivated.")
        if route.scope is not None and route.scope not in token.scopes:
            raise errors.forbidden(f"The scope {route.scope} is missing.")
        if call.method in ("POST", "PUT"):
            kind = call.content_type.split(";")[0].strip().lower()
            if kind != "application/json":
                raise errors.refused(
                    415, "unsupported.media.type", "Content-Type must be application/json"
                )
        call.path_args = args
        return route.handler(call)


def _admit(world: World, authorization: str | None) -> AccessToken:
    """The caller's token.

    A token that was ever issued tells the key, so its calls count even when it has expired.

    Raises:
        ApiError: 401, or 429 of the second or of the day. Refused calls count toward the day.
    """
    kind, _, given = (authorization or "").partition(" ")
    token = world.oauth.access_tokens.get(given) if kind.lower() == "bearer" else None
    if token is None:
        raise errors.unauthorized()
    used = world.quota.count(world.clock.now_ms())
    if 0 < world.limits.calls_per_day < used:
        raise errors.quota_exceeded()
    if not world.rate.admit(world.limits.calls_per_second):
        raise errors.throttled()
    if token.expires_ms <= world.clock.now_ms():
        raise errors.unauthorized()
    return token
