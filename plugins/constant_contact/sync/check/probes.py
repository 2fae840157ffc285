"""Probes: each makes some calls and says what they show of some assumptions.

Whatever the vendor answers, each assumption gets one line: a call that fails is named in it, and
the next probe goes on. A token that is refused, or a day without calls left, ends all.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

from constant_contact.api.client import Client, RetryPolicy
from constant_contact.errors import (
    AuthorizationRequired,
    BulkQueueFull,
    ConnectionFault,
    ConstantContactError,
    ContractBroken,
    DeadCursor,
    Forbidden,
    GatewayReply,
    Later,
    RefreshUncertain,
    Rejected,
    ServerFault,
    Throttled,
    Withdrawn,
    WriteBlocked,
    WriteUncertain,
)
from constant_contact.redact import redact
from constant_contact.sync.check.assumptions import Assumption, Line, Result
from constant_contact.sync.report import NAME_CHARS

# A person waits: a call that fails twice is a finding.
RETRY: Final = RetryPolicy(max_tries=2, max_total_s=30, max_wait_s=2)
_NAMED: Final = 5
_IDS: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27,}(?:,[0-9a-f-]+)*…?", re.IGNORECASE)
# What is wrong with such an answer is not its status.
_ACCEPTED: Final = range(200, 300)
# How the vendor, or what is before it, fails one call.
REFUSALS: Final = (
    Rejected, BulkQueueFull, Forbidden, ContractBroken, Throttled, ServerFault, ConnectionFault,
    WriteUncertain,
)  # fmt: skip
# What reading an answer raises that is not built as the contract has it.
ODD_ANSWERS: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_SPENT: Final = "the calls of the day are used up: run the check again after 00:00 UTC"

Scene = TypeVar("Scene")


class NotTried(Exception):
    """A probe cannot be tried here; says why, and what would make it possible."""


@dataclass(frozen=True)
class Probe(Generic[Scene]):
    """Some calls, and what they tell.

    Attributes:
        calls: The most that it makes, without the repeats of a call that fails.
        assumptions: Those that it gives a line for.
        look: Makes the calls. Raises `NotTried`, or what the client raises, for all that is left.
    """

    calls: int
    assumptions: tuple[Assumption, ...]
    look: Callable[[Scene], Iterator[Line]]


def probe(
    calls: int, *assumptions: Assumption
) -> Callable[[Callable[[Scene], Iterator[Line]]], Probe[Scene]]:
    """Make the function below a `Probe`."""
    return partial(Probe, calls, assumptions)


def calls_of(probes: Iterable[Probe[Any]]) -> int:
    """The most calls that the probes make together, and one that explains a 403."""
    return sum(probe.calls for probe in probes) + 1


def run_probes(client: Client, scene: Scene, probes: Sequence[Probe[Scene]]) -> Iterator[Line]:
    """Run the probes one after another; yield one line for each of their assumptions.

    Raises:
        ConstantContactError: The CRM database, where tokens and budget are, cannot be used.
    """
    ended: str | None = None
    for probe in probes:
        reported: set[str] = set()
        result, seen = Result.NOT_TRIED, ended or "the answer says nothing of it"
        try:
            for line in probe.look(scene) if ended is None else ():
                reported.add(line.assumption.name)
                yield line
        except NotTried as error:
            seen = str(error)
        except (AuthorizationRequired, RefreshUncertain) as error:
            first = next(each for each in probe.assumptions if each.name not in reported)
            yield Line(first, Result.REFUSED, name_failure(client, error))
            reported.add(first.name)
            seen = ended = f"there is no access token: see {first.name}"
        except REFUSALS as error:
            result, seen = Result.REFUSED, name_failure(client, error)
        except Later:
            seen = ended = _SPENT
        except Withdrawn as error:
            seen = ended = str(error)
        except ODD_ANSWERS as error:
            result, seen = Result.REFUSED, _name_odd(client, error)
        for assumption in probe.assumptions:
            if assumption.name not in reported:
                yield Line(assumption, result, seen)


def why_failed(client: Client, error: Exception) -> str:
    """Why something was not done, whatever was raised, without the words of the answer."""
    if isinstance(error, Later) and not isinstance(error, BulkQueueFull):
        return _SPENT
    if isinstance(error, (*REFUSALS, AuthorizationRequired, RefreshUncertain)):
        return name_failure(client, error)
    if isinstance(error, ODD_ANSWERS):
        return _name_odd(client, error)
    if isinstance(error, NotTried):
        return str(error)
    return "the CRM's database, where the calls are counted, could not be used"


def _name_odd(client: Client, error: Exception) -> str:
    return f"{name_call(client)}: no answer of the contract's ({type(error).__name__})"


def name_call(client: Client) -> str:
    """The last call, as a line may name it."""
    call = client.last_call
    return _shortened(f"{call.method} {call.path}") if call else "no call"


def _shortened(call: str) -> str:
    """A call without its query and its ids."""
    return _IDS.sub("…", call.partition("?")[0])


def name_failure(client: Client, error: ConstantContactError) -> str:
    """The last call and how it was answered, without the words of the answer."""
    call = client.last_call
    if call is None:
        return "no call could be made: there is no access token"
    if isinstance(error, Forbidden):
        # The last call may be the one that asked why.
        return f"{_shortened(str(error).partition(' answered ')[0])} answered 403"
    if call.status in _ACCEPTED:
        return f"{name_call(client)} answered {call.status}, and {_wrong_with(error)}"
    key = f" {call.error_key}" if call.error_key else ""
    answered = f"answered {call.status}{key}" if call.status else "got no reply"
    is_gateways = isinstance(error, (GatewayReply, WriteBlocked))
    whose = ", in no words of Constant Contact's" if is_gateways else ""
    return f"{name_call(client)} {answered}{whose}"


def _wrong_with(error: ConstantContactError) -> str:
    """What is wrong with an answer whose status is not."""
    if isinstance(error, ContractBroken):
        return "its page link leads to another host or listing, or is none"
    if isinstance(error, DeadCursor):
        return "its page link leads to a page that was read before"
    if isinstance(error, (GatewayReply, WriteBlocked)):
        return "in no words of Constant Contact's"
    return "is no whole JSON object"


def judge(assumption: Assumption, problem: str | None, seen: str) -> Line:
    """A line that says `differs` and the problem, if there is one; else `ok` and what was seen."""
    if problem:
        return Line(assumption, Result.DIFFERS, problem)
    return Line(assumption, Result.OK, seen)


def judge_values(assumption: Assumption, values: Iterable[Any], known: Iterable[str]) -> Line:
    """Whether all values are known ones; nulls are none."""
    seen = {str(value) for value in values if value is not None}
    if not seen:
        return Line(assumption, Result.NOT_TRIED, "this account shows none yet")
    odd = sorted(redact(value, NAME_CHARS) for value in seen - set(known))
    problem = f"unknown: {', '.join(odd[:_NAMED])}" if odd else None
    return judge(assumption, problem, ", ".join(sorted(seen & set(known))))
