"""`make test-first-run`: a newcomer's first command on machines of many kinds, as a table.

Every case is a copy of this repository in a folder of its own. There `make run` begins with
nothing: it installs, starts PostgreSQL, the simulator and Airflow, and runs one DAG. It works, or
it ends in one line that says what to do; either way nothing is left running. As root the ordinary
user is `nobody`; what needs root is not tried without.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.first_place import IS_ROOT, PATIENCE_S, RUN, SYSTEM_PATH, WORK, NotTried, Place, Wrong

# becomes a program in a network of its own that has nothing but the loopback
OFFLINE = """
import ctypes, fcntl, os, socket, struct, sys
uid, gid = os.geteuid(), os.getegid()
flags = 0x40000000 | (0x10000000 if uid else 0)
if ctypes.CDLL(None, use_errno=True).unshare(flags):
    sys.exit("no namespace of one's own to be had here")
if uid:
    maps = {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}
    for name, value in maps.items():
        open(f"/proc/self/{name}", "w").write(value)
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x1))
os.execvp(sys.argv[1], sys.argv[1:])
"""
# as that version of Python would answer the Makefile's question
PRETENDS = """#!/bin/sh
exec '{python}' -I -c 'import sys; sys.version_info = ({version}, 0); exec(sys.argv[1])' "$3"
"""


def ordinary_home() -> str:
    place = Place(WORK / "José Núñez" / "clone", is_ordinary=True)
    place.make(*RUN).works()
    return place.make(*RUN, LC_ALL="xx_XX").works()


def root_below_0700() -> str:
    _needs_root()
    (WORK / "closed").mkdir(mode=0o700)
    place = Place(WORK / "closed" / "clone", umask=0o077)
    place.make(*RUN).works()
    dropped = ("setpriv", "--bounding-set", "-all")
    place.make(*RUN, before=dropped).says("run this as an ordinary user")
    return "works; without capabilities: one line"


def closed_umask() -> str:
    return Place(WORK / "umask" / "clone", is_ordinary=True, umask=0o077).make(*RUN).works()


def long_path() -> str:
    folder = WORK / "long"
    folder /= "x" * (200 - len(str(folder)) - 1)
    return Place(folder, is_ordinary=True).make(*RUN).works()


def full_environment() -> str:
    theirs = WORK / "theirs"
    (theirs / "airflow").mkdir(parents=True)
    for module in ("airflow", "psycopg", "sitecustomize"):
        (theirs / module).mkdir(exist_ok=True)
        (theirs / module / "__init__.py").write_text("raise RuntimeError('somebody else')\n")
    nowhere = "http://127.0.0.1:9"
    place = Place(WORK / "environment" / "clone", is_ordinary=True)
    place.environment = {
        "AIRFLOW_HOME": "/nowhere", "AIRFLOW_CONFIG": "/nowhere/airflow.cfg",
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor", "AIRFLOW__CORE__PLUGINS_FOLDER": "/nowhere",
        "AIRFLOW__CORE__PARALLELISM": "3", "PYTHONPATH": str(theirs), "PYTHONHOME": "/nowhere",
        "PYTHONSAFEPATH": "1", "VIRTUAL_ENV": "/nowhere", "CONDA_PREFIX": "/nowhere",
        "LANG": "C", "LC_ALL": "xx_XX", "TZ": "Mars/Base", "TMPDIR": "/nowhere",
        "PGHOST": "/nowhere", "PGPORT": "1", "PGUSER": "x", "PGOPTIONS": "-c search_path=x",
        "PGCHANNELBINDING": "require", "PIP_USER": "1", "PIP_TARGET": "/nowhere",
        "PIP_NO_BINARY": ":all:", "UV_INDEX": nowhere, "UV_LINK_MODE": "x",
        "LOCAL_FOLDER": "/nowhere",
    }  # fmt: skip
    pip_conf = place.folder.parent / ".config" / "pip" / "pip.conf"
    pip_conf.parent.mkdir(parents=True)
    pip_conf.write_text("[install]\nuser = true\nno-binary = :all:\n")
    if place.make("judge").status:
        raise Wrong("make judge does not install")
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "ALL_PROXY"), nowhere)
    return place.make(*RUN, **proxies).works()


def no_network() -> str:
    place = Place(WORK / "offline" / "clone")
    place.make(".venv/.ready")
    ended = place.make(*RUN, before=(sys.executable, "-I", "-c", OFFLINE))
    if "no namespace" in ended.err:
        raise NotTried("no network namespace to be had")
    return ended.works()


def no_network_at_all() -> str:
    place = Place(WORK / "cut off" / "clone")
    ended = place.make(
        *RUN, before=(sys.executable, "-I", "-c", OFFLINE), PIP_RETRIES="0",
        PIP_CACHE_DIR="", UV_CACHE_DIR=str(WORK / "empty"),
    )  # fmt: skip
    if "no namespace" in ended.err:
        raise NotTried("no network namespace to be had")
    return ended.says("the way to the package index")


def unwritable_folder() -> str:
    place = Place(WORK / "unwritable", is_ordinary=True)
    place.folder.chmod(0o555)
    try:
        return place.make(*RUN).says("cannot be written: clone the repository where it can")
    finally:
        place.folder.chmod(0o755)


def full_disk_at_install() -> str:
    with _small_disk(WORK / "small", "100m"):
        return Place(WORK / "small" / "clone").make(*RUN).says("No space left on device")


def full_disk_at_run() -> str:
    place = Place(WORK / "full" / "clone")
    place.make(".venv/.ready")
    (place.folder / ".local").mkdir(exist_ok=True)
    with _small_disk(place.folder / ".local", "60m"):
        return place.make(*RUN).says("No space left on device")


def no_shared_memory() -> str:
    _needs_root()
    closed = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro no /dev/shm && exec "$@"', "sh")
    if subprocess.run([*closed, "true"], capture_output=True, check=False).returncode:
        raise NotTried("no file system to be mounted here")
    return Place(WORK / "shm" / "clone").make(*RUN, before=closed).works()


def odd_pythons() -> str:
    place = Place(WORK / "pythons" / "clone", is_ordinary=True)
    python = shutil.which("python3", path=SYSTEM_PATH) or sys.executable
    for version in ("3, 10", "3, 14"):
        stubs = WORK / f"python {version}"
        stubs.mkdir()
        for name in ("python3", "python3.11", "python3.12", "python3.13"):
            (stubs / name).write_text(PRETENDS.format(python=python, version=version))
            (stubs / name).chmod(0o755)
        place.make(*RUN, PATH=f"{stubs}:{SYSTEM_PATH}").says(
            "there is no Python 3.11, 3.12 or 3.13"
        )
    return place.make(*RUN, "PYTHON=/bin/false").says("PYTHON=/bin/false is not Python 3.11")


def odd_name() -> str:
    Place(WORK / "100%", is_ordinary=True).make(*RUN).says("clone the repository where the path")
    return Place(WORK / "it's, (a) #1", is_ordinary=True).make(*RUN).works()


def many_jobs_and_no_home() -> str:
    place = Place(WORK / "jobs" / "clone", is_ordinary=True)
    return place.make("-j4", *RUN, HOME="").works()


def two_clones() -> str:
    places = [Place(WORK / "two" / name, is_ordinary=True) for name in ("one", "other")]
    children = [place.start(*RUN) for place in places]
    for place, child in zip(places, children, strict=True):
        place.end(child).works()
    return "both work"


def two_commands() -> str:
    place = Place(WORK / "two commands" / "clone", is_ordinary=True)
    children = [place.start(*RUN) for _ in range(2)]
    for child in children:
        child.wait(PATIENCE_S)
    for child in children:
        place.end(child).works()
    return "both work"


def moved() -> str:
    place = Place(WORK / "moved" / "clone", is_ordinary=True)
    place.make(".venv/.ready")
    place.folder = place.folder.rename(WORK / "moved" / "elsewhere")
    place.make(*RUN).works()
    (place.folder / ".venv" / "bin" / "python").unlink()
    return place.make(*RUN).works()


def interrupted() -> str:
    place = Place(WORK / "interrupted" / "clone", is_ordinary=True)
    packages = place.folder / ".venv/lib"
    place.interrupt(lambda: any(packages.glob("*/site-packages/pip")), *RUN)
    place.interrupt(lambda: any(packages.glob("*/site-packages/airflow")), *RUN)
    place.make(".venv/.ready")
    place.interrupt((place.folder / ".local/postgres/data/PG_VERSION").exists, *RUN)
    place.interrupt((place.folder / ".local/simulator/simulator.log").exists, *RUN)
    place.interrupt((place.folder / ".local/logs/demo/demo.log").exists, "demo")
    return place.make(*RUN).works()


CASES = {
    "Ctrl-C in install, start and demo, then again": interrupted,
    "two clones at once": two_clones,
    "two commands at once in a new clone": two_commands,
    "a clone that was moved, and whose Python went": moved,
    "ordinary user, home with a space and accents": ordinary_home,
    "root below 0700, umask 077": root_below_0700,
    "umask 077": closed_umask,
    "path of 200 characters": long_path,
    "another Airflow, Python, PostgreSQL, pip, proxies": full_environment,
    "make -j4, no HOME": many_jobs_and_no_home,
    "folder named with % and with ' , ( #": odd_name,
    "no network after the install": no_network,
    "no network from the start": no_network_at_all,
    "folder that cannot be written": unwritable_folder,
    "full disk at the install": full_disk_at_install,
    "full disk at the run": full_disk_at_run,
    "nothing to be written in /dev/shm": no_shared_memory,
    "Python too old, too new, or none": odd_pythons,
}


def _needs_root() -> None:
    if not IS_ROOT:
        raise NotTried("needs root")


@contextlib.contextmanager
def _small_disk(folder: Path, size: str) -> Iterator[None]:
    _needs_root()
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        raise NotTried("no file system to be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _try(name: str) -> str:
    """Prints the case's row; `passed`, `failed` or `skipped`."""
    started = time.monotonic()
    outcome = "passed"
    try:
        result = CASES[name]()
    except NotTried as reason:
        result, outcome = f"not tried: {reason}", "skipped"
    except (Wrong, OSError, subprocess.SubprocessError) as error:
        result, outcome = f"WRONG {error}", "failed"
    result = result.replace(str(WORK), "…")
    print(f"{name:<53}{time.monotonic() - started:6.0f} s  {result}", flush=True)
    return outcome


def main() -> int:
    """Tries all cases, or those whose names have one of the words given."""
    # in the background of a script it is ignored, and so it would be by all that is started here
    signal.signal(signal.SIGINT, signal.default_int_handler)
    names = [name for name in CASES if not sys.argv[1:] or any(w in name for w in sys.argv[1:])]
    # more at once than cores, for each waits now and then
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        outcomes = list(pool.map(_try, names))
    print(", ".join(f"{outcomes.count(each)} {each}" for each in ("passed", "failed", "skipped")))
    return 1 if "failed" in outcomes else 0


if __name__ == "__main__":
    WORK.mkdir()
    WORK.chmod(0o755)
    try:
        sys.exit(main())
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
