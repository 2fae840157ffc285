"""The image: what it installs is what was tested, and what it takes along is enough."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

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


def test_the_image_takes_along_what_its_commands_run(checkout: Path) -> None:
    taken = build_context(checkout)
    run = " ".join(str(each.get("command", "")) for each in SERVICES.values())
    run += (ROOT / "deploy" / "init.sh").read_text()
    modules = set(re.findall(r"python -m (\w+)", run))
    assert modules == {"local", "simulator"}
    needed = {
        file for file in files(checkout)
        if file.split("/")[0] in {"dags", "plugins", "include", *modules}
        and not file.endswith((".md", ".txt", ".in"))
    }  # fmt: skip
    more = {"deploy/init.sh", "deploy/requirements.txt", "pyproject.toml", "README.md"}
    assert taken == needed | more


def test_nothing_else_that_lies_about_gets_into_the_image(checkout: Path) -> None:
    taken = build_context(checkout)
    for name in (
        ".env", ".env.production", "deploy/.env", "deploy/options.env", "deploy/options.env.bak",
        "deploy/tls.pem", "dags/.env", "dags/connections.json", "include/sql/crm/dump.csv",
        "include/dump.sql.gz", "local/refresh_token", "local/connections.yaml", "plugins/x.env",
        "plugins/constant_contact/web/static/key.pem", "simulator/state.json", ".aws/credentials",
        ".local/refresh_token", "tests/of_ours.py", "airflow.cfg", "core.1234", "id_rsa",
    ):  # fmt: skip
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("secret")
    assert build_context(checkout) == taken


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The repository's files, empty, without what running it has made."""
    for folder in ("", "dags", "deploy", "docs", "include", "local", "plugins", "simulator"):
        for path in (ROOT / folder).rglob("*") if folder else ROOT.iterdir():
            name = path.relative_to(ROOT)
            if path.is_file() and "__pycache__" not in name.parts:
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).touch()
    return tmp_path


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def build_context(folder: Path) -> set[str]:
    """What of a folder a build sees: the last pattern that fits a file, or a folder of it, counts.

    https://docs.docker.com/build/concepts/context/#dockerignore-files
    """
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [
        (not line.startswith("!"), glob(line.removeprefix("!").strip("/")))
        for line in lines if line and not line.startswith("#")
    ]  # fmt: skip

    def is_left_out(name: str) -> bool:
        left_out = False
        for leaves_out, pattern in patterns:
            above = [name, *map(str, Path(name).parents)][:-1]
            if any(pattern.fullmatch(each) for each in above):
                left_out = leaves_out
        return left_out

    return {name for name in files(folder) if not is_left_out(name)}


def glob(pattern: str) -> re.Pattern[str]:
    """A pattern of Go's `filepath.Match`, and `**` for any number of folders."""
    escaped = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    return re.compile(escaped)


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()
