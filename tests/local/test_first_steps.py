"""What stands before every command: a clean environment, and the installation."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import install
from local.isolate import isolated
from local.paths import ROOT
from local.sockets import socket_folder

ISOLATE = [sys.executable, "-I", "-S", str(ROOT / "local" / "isolate.py")]


@pytest.mark.parametrize(
    "name",
    ["PYTHONPATH", "PGHOST", "PIP_TARGET", "UV_INDEX", "TZ", "LANG", "TMPDIR", "AIRFLOW_HOME"],
)
def test_what_is_not_named_does_not_reach_a_command(name: str) -> None:
    assert name not in isolated({name: "somebody's"})


@pytest.mark.parametrize(
    "name", ["HOME", "PIP_INDEX_URL", "AIRFLOW_CONN_CRM_DEFAULT", "AIRFLOW__CORE__DAGS_FOLDER"]
)
def test_what_is_named_reaches_it(name: str) -> None:
    assert isolated({name: "the user's"})[name] == "the user's"


def test_no_proxy_stands_before_this_machine() -> None:
    kept = isolated({"https_proxy": "http://proxy:3128", "NO_PROXY": "intranet,[::1]"})
    assert kept["https_proxy"] == "http://proxy:3128"
    assert kept["no_proxy"] == kept["NO_PROXY"] == "intranet,::1,localhost,127.0.0.1"


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:7890", "socks://127.0.0.1:7890/"])
def test_a_proxy_that_airflow_would_end_at_does_not_reach_it(proxy: str) -> None:
    kept = isolated({"all_proxy": proxy, "ALL_PROXY": proxy, "https_proxy": "http://proxy:3128"})
    assert kept["https_proxy"] == "http://proxy:3128"
    assert not {"all_proxy", "ALL_PROXY"} & kept.keys()


def test_a_broken_python_of_the_shell_breaks_no_command() -> None:
    ended = subprocess.run(
        [*ISOLATE, sys.executable, "-c", "print('runs')"],
        env={**os.environ, "PYTHONHOME": "/nowhere", "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (ended.stdout, ended.stderr) == ("runs\n", "")


LISTED = """\
:env:.find-links='/wheels /more'
:env:.user='1'
global.index-url='https://mirror/simple'
global.trusted-host='mirror\\nother'
install.index-url='https://install/simple'
install.no-binary=':all:'
freeze.timeout='10'
"""


def test_of_pips_settings_those_of_the_index_count_and_the_later_section_wins() -> None:
    assert install.pip_settings(LISTED) == {
        "find-links": "/wheels /more",
        "index-url": "https://install/simple",
        "trusted-host": "mirror\nother",
    }


def test_uv_takes_packages_from_where_pip_would() -> None:
    uv = install.uv_environment(install.pip_settings(LISTED), {})
    assert uv["UV_DEFAULT_INDEX"] == "https://install/simple"
    assert uv["UV_INSECURE_HOST"] == "mirror other"
    assert uv["UV_FIND_LINKS"] == "/wheels,/more"


def test_pip_reads_no_other_setting() -> None:
    pip = install.pip_environment({"index-url": "https://mirror/simple"}, {"PIP_USER": "1"})
    assert pip["PIP_INDEX_URL"] == "https://mirror/simple"
    assert pip["PIP_CONFIG_FILE"] == os.devnull
    assert "PIP_USER" not in pip


def test_uv_goes_without_its_cache_where_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    closed = install.uv_environment({}, {"UV_CACHE_DIR": str(tmp_path / "file" / "cache")})
    assert closed["UV_NO_CACHE"] == "1"
    assert "UV_NO_CACHE" not in install.uv_environment(
        {}, {"UV_CACHE_DIR": str(tmp_path / "cache")}
    )


@pytest.mark.parametrize("name", ["x" * 120, "a,b"])
def test_a_socket_lies_elsewhere_where_a_path_is_too_long_or_has_a_comma(name: str) -> None:
    assert socket_folder(Path("/clone") / name, "postgres", "s").parent == Path("/tmp")
