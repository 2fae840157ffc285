"""The licences of what the lock installs."""

import json
import re
import subprocess
import sys

from local.paths import ROOT
from local.reference.markdown import table

# Without a marker: what every interpreter and system gets.
_EVERYWHERE = re.compile(r"^([A-Za-z0-9._-]+)==[^ ]+ \\$", re.MULTILINE)
# Whose metadata has no licence, with what was read instead.
_READ = {"axe-playwright-python": "MIT", "openlineage-sql": "Apache-2.0"}


def page() -> str:
    """One line a package that every interpreter and system gets."""
    names = _EVERYWHERE.findall((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    command = [sys.executable, "-m", "piplicenses", "--format=json", "--packages", *names]
    listed = json.loads(subprocess.check_output(command, cwd=ROOT))
    licences = {re.sub(r"[-_.]+", "-", each["Name"]).lower(): each["License"] for each in listed}
    return (
        "# Licences\n\n"
        "Of what `requirements.txt` installs, for development too; by each package's metadata.\n"
        "`make licences` fails on one that `pyproject.toml` does not allow.\n\n"
        + table(["package", "licence"], sorted((licences | _READ).items()))
    )
