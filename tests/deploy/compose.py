"""docker-compose.yaml and its neighbours, read."""

import re
from typing import Any, Final

import yaml

from local.paths import ROOT

Service = dict[str, Any]

COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
SERVICES: Final[dict[str, Service]] = COMPOSE["services"]
#: What goes on top of it on several machines.
OVERRIDES: Final[dict[str, dict[str, Any]]] = {
    file.name: yaml.safe_load(file.read_text()) for file in (ROOT / "deploy").glob("compose.*.yaml")
}
#: `${NAME:?what to do}`: Compose refuses to start without.
REQUIRED: Final = re.compile(r"\$\{(\w+):\?[^}]+\}")


def variables_in(text: str) -> set[str]:
    """Names that Compose takes from .env; `$$` is a dollar."""
    return set(re.findall(r"(?<!\$)\$\{(\w+)", text))


def example() -> dict[str, str]:
    """The lines of .env.example."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}
