"""Faults that a test asks for: which call they hit, and how often they did."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from simulator.fault_effects import ALTERING, REFUSING, REPLACING

#: Do something to the connection, or to the page: the gate and the transport know them.
CUTTING = ("reset_before", "reset_after", "timeout", "slow_drip", "shifted_page")
KINDS = (*REPLACING, *CUTTING, *ALTERING, *REFUSING)
#: What a pattern may search in.
_SEARCHED = ("path", "query", "body")


@dataclass
class Fault:
    """A fault that was asked for, and how often it matched and fired."""

    fault_id: int
    kind: str
    method: str | None
    patterns: dict[str, re.Pattern[str]]
    times: int
    after: int
    params: dict[str, Any] = field(default_factory=dict)
    matched: int = 0
    fired: int = 0

    def matches(self, method: str, texts: dict[str, str]) -> bool:
        """Whether it is meant for this call."""
        if self.kind == "dead_cursor" and "cursor=" not in texts["query"]:
            return False
        return self.method in (None, method) and all(
            pattern.search(texts[name]) for name, pattern in self.patterns.items()
        )

    def changes_refusal(self, status: int) -> bool:
        """Whether it answers in the place of a refusal of that status."""
        return self.kind in REFUSING and status == self.params.get("instead_of")

    def as_json(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {
            "fault_id": self.fault_id,
            "kind": self.kind,
            "match": {"method": self.method}
            | {name: pattern.pattern for name, pattern in self.patterns.items()},
            "times": self.times,
            "after": self.after,
            "params": self.params,
            "matched": self.matched,
            "fired": self.fired,
        }


class Faults:
    """All faults, in the order asked for."""

    def __init__(self) -> None:
        self.all: list[Fault] = []
        self._next = 1

    def clear(self) -> None:
        """Forget all."""
        self.all.clear()

    def add(self, wanted: dict[str, Any]) -> Fault:
        """Take a fault on.

        Raises:
            ValueError: an unknown kind or key, or a pattern that is no regular expression.
        """
        unknown = set(wanted) - {"match", "kind", "times", "after", "params"}
        match = wanted.get("match") or {}
        unknown |= set(match) - {"method", *_SEARCHED}
        if unknown:
            raise ValueError(f"unknown keys of a fault: {', '.join(sorted(unknown))}")
        kind = wanted.get("kind")
        if kind not in KINDS:
            raise ValueError(f"unknown kind of fault: {kind!r}; there are {', '.join(KINDS)}")
        try:
            patterns = {name: re.compile(match[name]) for name in _SEARCHED if match.get(name)}
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        fault = Fault(
            self._next,
            kind,
            match["method"].upper() if match.get("method") else None,
            patterns,
            int(wanted.get("times", 1)),
            int(wanted.get("after", 0)),
            dict(wanted.get("params") or {}),
        )
        self._next += 1
        self.all.append(fault)
        return fault

    def take(self, method: str, path: str, query: str, body: bytes = b"") -> Fault | None:
        """The first fault due for this call. Every fault that matches counts the match."""
        taken = None
        is_body_read = any("body" in fault.patterns for fault in self.all)
        texts = {"path": path, "query": query, "body": _as_read(body) if is_body_read else ""}
        for fault in self.all:
            if not fault.matches(method, texts):
                continue
            fault.matched += 1
            if taken is None and fault.matched > fault.after and fault.fired < fault.times:
                fault.fired += 1
                taken = fault
        return taken


def _as_read(body: bytes) -> str:
    """The text of a body as a firewall reads it: JSON without its escapes."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return body.decode("utf-8", "replace")
