"""The wheel's PostgreSQL: shared, robust, wherever the repository lies."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from local.paths import ROOT
from local.postgres import LocalPostgres

# A shell that starts tests in the background has them ignore Ctrl-C.
_HOLD = """
import signal, sys
from pathlib import Path
from local.postgres import LocalPostgres
signal.signal(signal.SIGINT, signal.default_int_handler)
with LocalPostgres(Path(sys.argv[1])):
    print("in", flush=True)
    signal.pause()
"""

_START = """
import sys
from pathlib import Path
from local.postgres import LocalPostgres
from local.stop import command
def main():
    with LocalPostgres(Path(sys.argv[1]) / "pg"):
        return 0
command(main)
"""


def _holder(folder: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "in\n"
    return child


def _is_gone(server: LocalPostgres) -> bool:
    """Whether it ends within a minute."""
    deadline = time.monotonic() + 60
    while is_there := server.running():
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return not is_there


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _postmaster(server: LocalPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().splitlines()[0])


def test_lower_knows_unicode_and_many_may_connect(tmp_path: Path) -> None:
    with LocalPostgres(tmp_path / "pg") as server, psycopg.connect(server.url("crm")) as connection:
        assert connection.execute("SELECT lower('ÄÉΣЖ')").fetchone() == ("äéσж",)
        assert connection.execute("SHOW max_connections").fetchone() == ("300",)


def test_a_path_too_long_for_a_socket_and_with_spaces_is_fine(deep_folder: Path) -> None:
    server = LocalPostgres(deep_folder / "pg")
    with server, psycopg.connect(server.url("airflow")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not server.socket_folder.exists()


def test_the_last_one_leaving_stops_it(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    first = _holder(folder)
    server = LocalPostgres(folder)
    with server:
        first.send_signal(signal.SIGINT)
        first.wait()
        assert server.running()
    assert not server.running()


def test_it_is_stopped_too_when_its_only_user_was_killed(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    user = _holder(folder)
    time.sleep(1)  # its keeper is awake
    _kill(user.pid)
    user.wait()
    assert _is_gone(LocalPostgres(folder))


def test_data_survive_a_kill_and_a_pid_that_is_another_programs_now(tmp_path: Path) -> None:
    server = LocalPostgres(tmp_path / "pg")
    with server:
        with psycopg.connect(server.url("crm")) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        _kill(_postmaster(server))
        assert _is_gone(server)
    # the machine was restarted, and the number given to another process
    pid_file = server.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n")
    with server, psycopg.connect(server.url("crm")) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="for root")


@as_root
@pytest.mark.parametrize("capability", ["dac_override", "setuid", "chown"])
def test_root_that_lacks_a_capability_is_told_what_to_do_in_one_line(
    tmp_path: Path, capability: str
) -> None:
    tmp_path.chmod(0o700)
    ended = subprocess.run(
        [
            "setpriv",
            "--bounding-set",
            f"-{capability}",
            sys.executable,
            "-c",
            _START,
            str(tmp_path),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("PostgreSQL does not run as root")
    assert ": run this as an ordinary user" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@as_root
def test_root_may_keep_it_below_a_folder_that_only_root_may_enter(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    before = os.umask(0o077)
    try:
        with LocalPostgres(tmp_path / "closed" / "pg") as server:
            assert Path(f"/proc/{_postmaster(server)}").stat().st_uid != 0
    finally:
        os.umask(before)


def test_what_the_shell_says_of_another_server_is_not_heard(tmp_path: Path) -> None:
    theirs = {"PGPORT": "6543", "PGDATA": "/nowhere", "TZ": "Mars/Base", "LC_ALL": "tlh_QO"}
    ended = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "local/isolate.py",
            sys.executable,
            "-c",
            _START,
            str(tmp_path),
        ],
        cwd=ROOT,
        env={**os.environ, **theirs},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
