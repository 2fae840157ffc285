"""The image: what it installs is what was tested, and what it takes along is enough."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

from local.paths import ROOT
from tests.deploy.compose import SERVICES

PIN = re.compile(r"^([\w.-]+)==([^ \\]+)")


def pins(file: Path) -> dict[str, str]:
    """Each package's lines of a lock, hashes and all, by name and marker."""
    found: dict[str, str] = {}
    head = ""
    for line in file.read_text().splitlines():
        if PIN.match(line):
            head = line.rstrip(" \\")
            found[head] = ""
        elif line.strip().startswith("--hash"):
            found[head] += line.rstrip(" \\")
    return found


def test_the_image_installs_what_the_tests_ran_with() -> None:
    ours, images = pins(ROOT / "requirements.txt"), pins(ROOT / "deploy" / "requirements.txt")
    assert images
    assert {name: ours.get(name) for name in images} == images


def test_the_image_lacks_nothing_that_the_package_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["celery"]
    names = {re.split(r"[\[=<>~]", each)[0] for each in wanted}
    assert names <= {PIN.match(line)[1] for line in pins(ROOT / "deploy" / "requirements.txt")}  # type: ignore[index]


def test_the_image_stands_on_the_airflow_of_the_lock() -> None:
    base = re.search(r"^FROM apache/airflow:slim-([\d.]+)-python", dockerfile(), re.MULTILINE)
    assert base is not None
    assert f"apache-airflow=={base[1]}" in pins(ROOT / "deploy" / "requirements.txt")
    assert version("apache-airflow") == base[1]


def test_the_image_takes_along_what_its_commands_run() -> None:
    taken = {
        line[1:].rstrip("/")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for name in taken:
        assert (ROOT / name).exists(), name
    run = " ".join(str(each.get("command", "")) for each in SERVICES.values())
    run += (ROOT / "deploy" / "init.sh").read_text()
    modules = set(re.findall(r"python -m (\w+)", run))
    assert modules == {"local", "simulator"}
    assert modules | {"dags", "plugins", "include", "deploy"} <= taken


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()
