"""One point in which a vendor may differ, and the faults that it is made of."""

from dataclasses import dataclass
from typing import Any

from simulator.settings import update
from simulator.world import World

#: No test makes so many calls.
_ALWAYS = 1_000_000


@dataclass(frozen=True)
class Mutation:
    """One difference."""

    point: str
    differs: str
    settings: dict[str, Any]
    faults: tuple[dict[str, Any], ...]
    ahead_s: float

    def apply(self, world: World) -> None:
        """Let the vendor differ so from now on."""
        update(world.settings, self.settings)
        for fault in self.faults:
            world.faults.add({"times": _ALWAYS, **fault})
        world.clock.set(advance_s=self.ahead_s)

    def as_json(self) -> dict[str, str]:
        """As the control API shows it."""
        return {"point": self.point, "differs": self.differs}


def mutation(
    point: str, differs: str, *faults: dict[str, Any], ahead_s: float = 0, **settings: Any
) -> Mutation:
    """A difference made of faults, of settings by their names, or of the clock."""
    return Mutation(point, differs, settings, faults, ahead_s)


def refusal(key: str, message: str = "Refused.") -> list[dict[str, str]]:
    """A body in the vendor's words."""
    return [{"error_key": key, "error_message": message}]


def fault(
    kind: str, path: str, *, method: str | None = None, query: str | None = None,
    holds: str | None = None, **params: Any,
) -> dict[str, Any]:  # fmt: skip
    """A fault of calls whose path, query and body match."""
    match = {"path": path, "method": method, "query": query, "body": holds}
    return {"kind": kind, "match": match, "params": params}


def refused(
    path: str, status: int, key: str, *, method: str | None = None, holds: str | None = None
) -> dict[str, Any]:
    """Calls are refused with an error of the vendor's."""
    return fault("status", path, method=method, holds=holds, status=status, body=refusal(key))


def small_pages(path: str) -> dict[str, Any]:
    """A page of more than 100 is refused."""
    refused = refusal("query.param.invalid", "limit must be from 1 to 100")
    return fault("status", path, query=r"limit=(?!100\b)\d{3}", status=400, body=refused)


def page_500(path: str, *, instead_of: int) -> dict[str, Any]:
    """A refusal is answered with 500 and HTML."""
    page = {"body": "<html><title>Error</title></html>", "content_type": "text/html"}
    return fault("other_refusal", path, instead_of=instead_of, status=500, **page)


def unknown(path: str, name: str) -> dict[str, Any]:
    """A field has a value that the contract does not know."""
    return fault("unknown_fields", path, method="GET", enums=[name])


def nulls(path: str, *names: str) -> dict[str, Any]:
    """Some fields are null."""
    return fault("nulls", path, fields=list(names))


def failing(kind: str) -> dict[str, Any]:
    """Bulk jobs of a kind fail."""
    return fault("failed_job", f"^/v3/activities/{kind}$", method="POST")
