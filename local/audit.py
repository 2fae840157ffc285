"""What pip-audit found, judged: `pip-audit --format json … | python -m local.audit`."""

import json
import sys
from typing import Any

from local.stop import Stop, command


def main() -> int:
    """Reads the report from standard input."""
    try:
        report = json.load(sys.stdin)
    except ValueError:
        print("vulnerabilities: skipped, pip-audit could not ask for them")
        return 0
    print(judged(report["dependencies"]))
    return 0


def judged(dependencies: list[dict[str, Any]]) -> str:
    """One line for people.

    Raises:
        Stop: A package has a known vulnerability.
    """
    audited = [each for each in dependencies if "skip_reason" not in each]
    if not audited:
        return "vulnerabilities: skipped, no data can be had here"
    if found := [each for each in audited if each["vulns"]]:
        raise Stop("; ".join(_told(each) for each in found))
    skipped = len(dependencies) - len(audited)
    return f"vulnerabilities: none known in {len(audited)} packages, {skipped} could not be asked"


def _told(package: dict[str, Any]) -> str:
    ids = ", ".join(vulnerability["id"] for vulnerability in package["vulns"])
    fixed = sorted({v for each in package["vulns"] for v in each.get("fix_versions", [])})
    return f"{package['name']} {package['version']}: {ids} (fixed in {', '.join(fixed) or 'none'})"


if __name__ == "__main__":
    command(main)
