"""What Airflow's official chart has of the keys that our values set."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHART: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "airflow_chart.yaml").read_text())
_TYPES = {"array": list, "boolean": bool, "integer": int, "object": dict, "string": str}


def set_keys(section: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Each key that the values set, as deep as the chart's own keys go."""
    for name, value in section.items():
        key = above + name
        if key in CHART["keys"] or not isinstance(value, dict):
            yield key, value
        else:
            yield from set_keys(value, f"{key}.")


def is_of_type(key: str, value: Any) -> bool:
    """Whether the chart has the key, and takes such a value there."""
    return type(value) is _TYPES.get(CHART["keys"].get(key))
