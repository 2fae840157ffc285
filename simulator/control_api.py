"""The control API, server side: JSON under ``/_control``, without authorization, never counted."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope, Send

from simulator import edits, load, truth
from simulator.call import Reply
from simulator.clock import instant, iso
from simulator.errors import ApiError
from simulator.generate import Plan, generate
from simulator.mutations import MUTATIONS, mutate
from simulator.settings import SCOPES, update
from simulator.transport import read_body, send_reply
from simulator.world import World

Args = dict[str, Any]
PREFIX = "/_control/"


class ControlApi:
    """ASGI application for ``/_control``."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the action, run it, answer in JSON."""
        raw = await read_body(receive)
        name = scope["path"].removeprefix(PREFIX).rstrip("/")
        action = ACTIONS.get((scope["method"], name), _unknown)
        args: Args = dict(parse_qsl(scope["query_string"].decode()))
        reply: Reply
        try:
            args |= orjson.loads(raw) if raw else {}
            reply = Reply(200, action(self._world, args))
        except KeyError as error:
            reply = Reply(400, {"error": f"{error} is missing"})
        except LookupError as error:
            reply = Reply(404, {"error": f"{type(error).__name__}: {error}"})
        except ApiError as error:
            reply = Reply(400, {"error": str(error.body)})
        except (ValueError, TypeError) as error:
            reply = Reply(400, {"error": f"{type(error).__name__}: {error}"})
        await asyncio.sleep(0)
        await send_reply(scope, send, reply)


def _unknown(world: World, args: Args) -> Any:
    names = ", ".join(sorted(f"{method} {name}" for method, name in ACTIONS))
    raise LookupError(f"no such action; there are {names}")


def _clock(world: World, args: Args) -> Any:
    unknown = args.keys() - {"now", "frozen", "advance_s"}
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    if args:
        now = args.get("now")
        world.clock.set(
            now_ms=None if now is None else instant(now),
            frozen=args.get("frozen"),
            advance_s=float(args.get("advance_s", 0)),
        )
    return {"now": iso(world.clock.now_ms()), "frozen": world.clock.frozen}


def _limits(world: World, args: Args) -> Any:
    update(world.limits, args)
    return asdict(world.limits)


def _settings(world: World, args: Args) -> Any:
    update(world.settings, args)
    return asdict(world.settings)


def _grant(world: World, args: Args) -> Any:
    scopes = tuple(args.get("scopes") or SCOPES)
    return {"refresh_token": world.oauth.add_refresh_token(scopes, args.get("refresh_token"))}


def _deactivate(world: World, args: Args) -> Any:
    world.oauth.deactivated = bool(args.get("deactivated", True))
    return {"deactivated": world.oauth.deactivated}


def _new_secret(world: World, args: Args) -> Any:
    world.settings.client_secret = str(args.get("secret") or world.new_id("secret"))
    return {"client_secret": world.settings.client_secret}


def _add_events(world: World, args: Args) -> Any:
    arrived = instant(args.get("arrived_at"), world.clock.now_ms())
    return {"added": load.add_events(world, args["events"], arrived_ms=arrived)}


def _finish_bulk(world: World, args: Args) -> Any:
    unfinished = [job for job in world.bulk.jobs.values() if not job.completed_ms]
    for job in unfinished:
        world.bulk.finish(world, job)
    return {"finished": [job.activity_id for job in unfinished]}


def _calls_summary(world: World, args: Args) -> Any:
    entries = world.calls.entries
    return {
        "api_calls": len(world.calls.api_entries()),
        "counts": world.calls.summary(),
        "max_calls_in_one_second": world.calls.max_in_one_second(),
        "throttled_count": sum(each.throttled for each in entries),
    }


def _truth_contact(world: World, args: Args) -> Any:
    row = world.contacts.find(args["contact_id"])
    if row is None:
        raise LookupError(f"there is no contact {args['contact_id']}")
    return truth.contact(world, row)


def _truth_contacts(world: World, args: Args) -> Any:
    return truth.contacts(world, int(args.get("offset", 0)), int(args.get("limit", 10_000)))


def _truth_events(world: World, args: Args) -> Any:
    return truth.events(
        world,
        args.get("campaign_activity_id"),
        args.get("type"),
        int(args.get("offset", 0)),
        int(args.get("limit", 10_000)),
    )


def _does(change: Callable[..., object]) -> Callable[[World, Args], Any]:
    """The action of a change that takes its arguments by name and answers nothing."""

    def act(world: World, args: Args) -> Any:
        change(world, **args)
        return {}

    return act


ACTIONS: dict[tuple[str, str], Callable[[World, Args], Any]] = {
    ("POST", "reset"): _does(World.reset),
    ("POST", "generate"): lambda world, args: generate(world, Plan(**args)),
    ("POST", "load"): load.load,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _clock,
    ("GET", "limits"): _limits,
    ("POST", "limits"): _limits,
    ("GET", "settings"): _settings,
    ("POST", "settings"): _settings,
    ("POST", "grant"): _grant,
    ("POST", "revoke"): _does(lambda world: world.oauth.revoke()),
    ("POST", "deactivate"): _deactivate,
    ("POST", "new_secret"): _new_secret,
    ("POST", "expire_access_tokens"): lambda world, _: {
        "expired": world.oauth.expire_access_tokens()
    },
    ("POST", "unsubscribe"): _does(edits.unsubscribe),
    ("POST", "resubscribe"): _does(edits.resubscribe),
    ("POST", "delete_contact"): _does(edits.delete_contact),
    ("POST", "restore_contact"): _does(edits.restore_contact),
    ("POST", "purge_contact"): _does(edits.purge_contact),
    ("POST", "delete_list"): _does(edits.delete_list),
    ("POST", "rename_campaign"): _does(edits.rename_campaign),
    ("POST", "update_contact"): _does(edits.update_contact),
    ("POST", "add_events"): _add_events,
    ("POST", "send_campaign"): edits.send_campaign,
    ("POST", "finish_bulk"): _finish_bulk,
    ("POST", "add_fault"): lambda world, args: world.faults.add(args).as_json(),
    ("POST", "clear_faults"): _does(lambda world: world.faults.clear()),
    ("POST", "mutate"): lambda world, args: mutate(world, **args).as_json(),
    ("GET", "mutations"): lambda *_: {"mutations": [each.as_json() for each in MUTATIONS]},
    ("GET", "faults"): lambda world, _: {"faults": [each.as_json() for each in world.faults.all]},
    ("GET", "calls"): lambda world, args: {"calls": world.calls.since(int(args.get("since", 0)))},
    ("GET", "calls_summary"): _calls_summary,
    ("POST", "clear_calls"): _does(lambda world: world.calls.clear()),
    ("GET", "truth"): lambda world, _: truth.summary(world),
    ("GET", "truth_contact"): _truth_contact,
    ("GET", "truth_contacts"): _truth_contacts,
    ("GET", "truth_events"): _truth_events,
}
