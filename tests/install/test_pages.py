"""The files that docs/install shows are files that work."""

import ast
import importlib.resources
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
import yaml

from local.paths import ROOT
from tests.deploy.chart import is_of_type, set_keys
from tests.install.user import TWO_LINES, build_wheel

PAGES: Final = sorted((ROOT / "docs" / "install").glob("*.md"))
ALL: Final = [ROOT / "docs" / "install.md", *PAGES]
_FILE: Final = re.compile(
    r"^\*\*`([^`]+)`\*\*[^\n]*\n\n```\w+\n(.*?)^```", re.DOTALL | re.MULTILINE
)
_OPTION: Final = re.compile(r"AIRFLOW__CONSTANT_CONTACT__(\w+)|constant_contact[.-](\w+)(?=[=`])")
# git-sync's, of a chart that was not at hand.
UNCHECKED: Final = {f"dags.gitSync.{name}" for name in ("enabled", "repo", "ref", "subPath")}


def files(page: Path) -> dict[str, str]:
    """What a page shows, by the names of the files."""
    return dict(_FILE.findall(page.read_text(encoding="utf-8")))


def code(text: str) -> str:
    """Without blank lines."""
    return "\n".join(filter(None, text.splitlines()))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("dist"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_dag_file_is_the_one_that_is_tried_in_each_airflow(page: Path) -> None:
    shown = files(page)["dags/constant_contact_dags.py"]
    ast.parse(shown)
    assert code(shown) == code(TWO_LINES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_it_requires_is_the_wheel_that_is_built(
    page: Path, built: Path, tmp_path: Path
) -> None:
    shown = files(page)
    if "requirements.txt" not in shown:
        assert f"COPY {built.name} /tmp/\n" in shown["Dockerfile"]
        return
    (tmp_path / "include").symlink_to(built.parent)
    # the constraints are an address, and were tried with the wheel; only ours is looked for
    lines = [each for each in shown["requirements.txt"].splitlines() if "constraint" not in each]
    lines = [each.replace("/usr/local/airflow/plugins", str(built.parent)) for each in lines]
    (tmp_path / "requirements.txt").write_text("\n".join(lines))
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--no-index", "--find-links", built.parent,
         "--no-deps", "--dest", "got", "--requirement", "requirements.txt"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [each.name for each in (tmp_path / "got").iterdir()] == [built.name]


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.stem)
def test_a_page_names_options_packages_and_versions_that_are_there(page: Path, built: Path) -> None:
    from constant_contact.options import OPTIONS

    text = page.read_text(encoding="utf-8")
    named = {a or b for a, b in _OPTION.findall(text)}
    assert {each.lower() for each in named} <= OPTIONS.keys()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(re.findall(r"airflow_provider_constant_contact-[\w.-]+whl", text)) <= {built.name}
    assert set(re.findall(r"airflow-provider-constant-contact==([\w.]+)", text)) <= {
        project["version"]
    }
    tried = {each.name for each in Path(__file__).parent.glob("constraints-*.txt")}
    for version in re.findall(r"constraints-(\d[\w.]*)/constraints-3\.\d+\.txt", text):
        assert f"constraints-{version}.txt" in tried


def test_the_charts_values_are_keys_of_the_chart() -> None:
    shown = files(ROOT / "docs" / "install" / "helm.md")
    for name in ("values.yaml", "git-sync.yaml"):
        for key, value in set_keys(yaml.safe_load(shown[name])):
            if key not in UNCHECKED:
                assert is_of_type(key, value), key


def test_the_job_runs_the_package_of_the_values_with_the_values_connection() -> None:
    shown = files(ROOT / "docs" / "install" / "helm.md")
    values = yaml.safe_load(shown["values.yaml"])
    (job,) = yaml.safe_load(shown["crm-schema.yaml"])["spec"]["template"]["spec"]["containers"]
    assert job["image"] == f"{values['defaultAirflowRepository']}:{values['defaultAirflowTag']}"
    assert job["args"] == ["airflow", "constant-contact", "migrate"]
    (secret, folder) = job["env"]
    wanted = values["secret"][0]
    assert secret["name"] == wanted["envName"]
    assert secret["valueFrom"]["secretKeyRef"] == {
        "name": wanted["secretName"], "key": wanted["secretKey"],
    }  # fmt: skip
    assert folder in values["env"]
    assert f"COPY crm {folder['value']}\n" in shown["Dockerfile"]


def test_the_compose_override_is_what_the_specification_allows() -> None:
    shown = files(ROOT / "docs" / "install" / "compose.md")
    override = yaml.safe_load(shown["docker-compose.override.yaml"])
    package = importlib.resources.files("check_jsonschema")
    schema = package / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(override, json.loads(schema.read_text()))


def test_astros_settings_are_the_two_connections() -> None:
    shown = files(ROOT / "docs" / "install" / "astro.md")
    settings: dict[str, Any] = yaml.safe_load(shown["airflow_settings.yaml"])
    crm, account = settings["airflow"]["connections"]
    assert (crm["conn_id"], crm["conn_type"]) == ("crm_default", "postgres")
    assert account["conn_id"] == "constant_contact_default"
    assert {"redirect_url", "scope", "refresh_token"} <= account["conn_extra"].keys()
