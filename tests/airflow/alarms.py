"""An adopter's alarms."""

from typing import Any

rung: list[dict[str, Any]] = []


async def ring(context: dict[str, Any]) -> None:
    """Keep what an alarm says."""
    rung.append(context)


def hold(context: dict[str, Any]) -> None:
    """Keep the question that an alarm is about."""
    rung.append({name: context[name] for name in ("subject", "body")})


def broken(context: dict[str, Any]) -> None:
    """Fail, as code of an adopter's may."""
    raise RuntimeError("no such channel")
