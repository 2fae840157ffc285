"""An adopter's alarm."""

from typing import Any

rung: list[dict[str, Any]] = []


async def ring(context: dict[str, Any]) -> None:
    """Keep what one is told."""
    rung.append(context)
