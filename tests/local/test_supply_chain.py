"""What is installed, under which licence, and what is given away."""

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import constant_contact
from constant_contact.api.authorization import USER_AGENT
from local.audit import judged
from local.paths import ROOT
from local.stop import Stop
from tests.install.user import build_wheel

PACKAGE = "constant_contact"


def test_a_wheel_built_again_later_by_somebody_else_is_the_same_file(tmp_path: Path) -> None:
    first = build_wheel(tmp_path / "one")
    before = os.umask(0o077)
    try:
        # As after a fresh checkout.
        os.utime(ROOT / "plugins" / "constant_contact" / "__init__.py")
        second = build_wheel(tmp_path / "two")
    finally:
        os.umask(before)
    digests = {hashlib.sha256(each.read_bytes()).hexdigest() for each in (first, second)}
    assert len(digests) == 1


def test_the_wheel_has_every_statement_page_and_module_and_nothing_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_wheel(tmp_path)) as built:
        names = {name for name in built.namelist() if ".dist-info/" not in name}
    sources = {PACKAGE: ROOT / "plugins" / PACKAGE, f"{PACKAGE}/sql": ROOT / "include" / "sql"}
    assert names == {
        f"{target}/{path.relative_to(source).as_posix()}"
        for target, source in sources.items()
        for path in source.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_a_copy_of_the_package_without_include_says_what_is_missing(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "plugins", tmp_path / "plugins")
    command = [
        sys.executable,
        "-c",
        "from constant_contact.store.sql import statement; print(statement('api/day'))",
    ]
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "plugins")}
    alone = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert "deploy include/ beside plugins/" in alone.stderr
    shutil.copytree(ROOT / "include", tmp_path / "include")
    beside = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert "SELECT" in beside.stdout


def test_the_version_is_one_and_the_vendor_is_told_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == constant_contact.__version__
    assert constant_contact.__version__ in USER_AGENT


def licences(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `make licences` runs."""
    return subprocess.run(
        [sys.executable, "-m", "piplicenses", *options],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_package_of_the_lock_has_a_licence_that_is_allowed() -> None:
    listed = licences("--format=csv")
    assert len(listed.stdout.splitlines()) > 150
    assert listed.returncode == 0, listed.stderr


@pytest.mark.parametrize(
    ("texts", "allowed"),
    [
        (["Apache-2.0"], True),
        (["Artistic License", "GNU General Public License (GPL)"], True),
        (["GNU Lesser General Public License v3 or later (LGPLv3+)"], True),
        (["GNU General Public License v3 (GPLv3)"], False),
        (["GNU Affero General Public License v3"], False),
        (["Other/Proprietary License"], False),
        (["MIT License", "Other/Proprietary License"], False),
        ([], False),
    ],
)
def test_a_licence_is_allowed_or_not(texts: list[str], allowed: bool, tmp_path: Path) -> None:
    classified = [f"Classifier: License :: OSI Approved :: {text}" for text in texts]
    metadata = tmp_path / "a_package-1.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("\n".join(["Name: a-package", "Version: 1", *classified]))
    judged = licences("--packages", "a-package", PYTHONPATH=str(tmp_path))
    assert (judged.returncode == 0) is allowed
    assert "a-package" in judged.stdout + judged.stderr


def test_a_known_vulnerability_fails_the_audit_by_name() -> None:
    vulnerable = {
        "name": "a-package",
        "version": "1.0",
        "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"]}],
    }
    with pytest.raises(Stop, match=r"a-package 1\.0: PYSEC-2026-1 \(fixed in 1\.1\)"):
        judged([vulnerable])


def test_an_audit_without_data_says_so_and_claims_nothing() -> None:
    assert "skipped" in judged([{"name": "a-package", "skip_reason": "not found"}])
