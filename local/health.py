"""When Airflow is ready, by its own word."""

import json
import urllib.error
import urllib.request

COMPONENTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


def unhealthy(url: str) -> list[str]:
    """Return the components that are not healthy; all of them without an answer."""
    try:
        with urllib.request.urlopen(f"{url}/api/v2/monitor/health", timeout=5) as reply:  # noqa: S310
            health = json.load(reply)
    except (OSError, urllib.error.URLError, ValueError):
        return ["api-server", *COMPONENTS]
    return [name for name in COMPONENTS if (health.get(name) or {}).get("status") != "healthy"]
