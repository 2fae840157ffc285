"""What a user has: an environment of their own with Airflow, our wheel, a project folder."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from local import install
from local.paths import ROOT
from tests.local.local_commands import CLEAN

_HERE: Final = Path(__file__).parent
_UV: Final = ROOT / ".venv" / "bin" / "uv"

#: Of Airflow: those whose constraints are here.
VERSIONS: Final = sorted(
    path.stem.removeprefix("constraints-") for path in _HERE.glob("constraints-*.txt")
)
TWO_LINES: Final = """\
from constant_contact.dags import make_dags  # for Airflow
globals().update(make_dags())
"""


def build_wheel(folder: Path) -> Path:
    """As `make wheel` does, into a folder."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*command, folder], cwd=ROOT, check=True)
    (built,) = folder.iterdir()
    return built


_PIN: Final = re.compile(r"^([\w.-]+)==[^\\\n]+", re.MULTILINE)


def constraints_of(airflow: str) -> dict[str, str]:
    """The pins of an Airflow's constraints, by the names of the packages."""
    return _pins(_HERE / f"constraints-{airflow}.txt")


def pins_beside(airflow: str) -> list[str]:
    """What our lock pins and an Airflow's constraints do not: what the tests need beside it."""
    taken = constraints_of(airflow).keys()
    return [
        pin
        for name, pin in _pins(ROOT / "requirements.txt").items()
        if name not in taken and not name.startswith("apache-airflow")
    ]


def _pins(file: Path) -> dict[str, str]:
    """Pins with their markers; a package may have several."""
    pins: dict[str, str] = {}
    for found in _PIN.finditer(file.read_text(encoding="utf-8")):
        name = re.sub(r"[-_.]+", "-", found[1]).lower()
        pins[name] = f"{pins[name]}\n{found[0].strip()}" if name in pins else found[0].strip()
    return pins


@dataclass(frozen=True)
class Ended:
    """How a program ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All of it."""
        return self.out + self.err


class Environment:
    """Where packages are installed, and what runs with them.

    Args:
        folder: To be made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._venv = folder / "venv"
        self._environment = {name: value for name, value in CLEAN.items() if name != "PYTHONPATH"}
        self._uv("venv", "--python", sys.executable, str(self._venv))

    def install(self, airflow: str, *packages: str | Path, pins: Sequence[str] = ()) -> None:
        """Install Airflow of a version, and packages, under that version's constraints.

        Args:
            airflow: Its version.
            packages: As pip names them, with pip's options.
            pins: Versions of what the constraints leave open.
        """
        constraints = self._folder / "constraints.txt"
        official = constraints_of(airflow)
        constraints.write_text("\n".join([*official.values(), *pins]), encoding="utf-8")
        self._uv(
            "pip", "install", "--python", str(self._venv / "bin" / "python"),
            # of Airflow's own packages, where it is one itself; all others are pinned
            "--prerelease", "allow",
            "--constraint", str(constraints), f"apache-airflow=={airflow}", *map(str, packages),
        )  # fmt: skip

    def with_settings(self, settings: Mapping[str, str]) -> Self:
        """The same with other variables."""
        other = copy(self)
        other._environment = {**self._environment, **settings}
        return other

    def uninstall(self, package: str) -> None:
        """Take a package away, and nothing that came with it."""
        self._uv("pip", "uninstall", "--python", str(self._venv / "bin" / "python"), package)

    def run(self, *command: str) -> Ended:
        """Run a program of the environment."""
        return self._run_in(self._folder, *command)

    def run_in_repository(self, *command: str) -> Ended:
        """Run a program of the environment on the files of this repository."""
        return self._run_in(ROOT, *command)

    def _run_in(self, folder: Path, *command: str) -> Ended:
        done = subprocess.run(
            [self._venv / "bin" / command[0], *command[1:]],
            cwd=folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def _uv(self, *command: str) -> None:
        listed = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"],
            capture_output=True,
            text=True,
            check=True,
        )
        environment = install.uv_environment(install.pip_settings(listed.stdout), os.environ)
        done = subprocess.run(
            [_UV, "--quiet", *command], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


class Installation(Environment):
    """An environment, and the folder that is Airflow's home and the project at once.

    Args:
        folder: To be made.
        metadata_url: Of Airflow's own database, for SQLAlchemy.
    """

    def __init__(self, folder: Path, metadata_url: str) -> None:
        super().__init__(folder)
        (folder / "dags").mkdir()
        self.home = folder
        self.set(
            {
                "AIRFLOW_HOME": str(folder),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "AIRFLOW__CORE__FERNET_KEY": "cnVubmluZy10ZXN0cy1uZWVkLWEta2V5LW9mLTMyYng=",
                "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_url,
                "AIRFLOW__API_AUTH__JWT_SECRET": "of-the-tests-and-long-enough-to-be-one",
                "AIRFLOW__API__SECRET_KEY": "signs the forms of the tests",
            }
        )

    def set(self, settings: Mapping[str, str]) -> None:
        """Set variables for all that runs from now on."""
        self._environment |= settings

    def python(self, code: str) -> str:
        """What a piece of Python prints after `answer: `; Airflow logs before and after it."""
        ended = self.run("python", "-c", code)
        assert ended.status == 0, ended.said
        (answer,) = re.findall(r"^answer: (.*)$", ended.out, re.MULTILINE)
        return str(answer)
