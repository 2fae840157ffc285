"""The vendor, for users without an account there: one simulator that all local commands share.

It lives as long as a command uses it, so `make run` beside `make up` sees what the other did.
A fresh one knows the same account again (same seed, same ids, so links in the local CRM stay
true) but none of the tokens handed out before, hence a refresh token of its own: the hook takes
a changed one for a new authorization.
"""

import json
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]

from local.paths import LOCAL
from local.processes import last_lines, spawn, stop_group
from local.sharing import Shared
from local.stop import Stop

CLIENT_ID = "demo-api-key"
CLIENT_SECRET = "demo-secret"  # noqa: S105 (the simulator's)
REDIRECT_PATH = "/constant-contact/oauth2/callback"
SCOPE = "contact_data campaign_data offline_access"
# small enough to start in a second, large enough to fill every page of the UI
SMALL_ACCOUNT = (
    "--seed", "1", "--contacts", "2000", "--lists", "12", "--campaigns", "20", "--events", "20000",
)  # fmt: skip

_READY = re.compile(r"^simulator ready at (http://\S+)", re.MULTILINE)
_START_TIMEOUT_S = 180


@dataclass(frozen=True)
class Account:
    """What one needs to reach a running simulator."""

    url: str
    refresh_token: str
    pid: int

    def airflow_connection(self, ui_port: int = 8080, **extra: Any) -> str:
        """The value of `AIRFLOW_CONN_CONSTANT_CONTACT_DEFAULT`; `extra` are fields of its own."""
        return json.dumps(
            {
                "conn_type": "constant_contact",
                "host": self.url,
                "login": CLIENT_ID,
                "password": CLIENT_SECRET,
                # the form's Test button wants one
                "port": 443,
                "extra": {
                    "api_version": "v3",
                    "authorize_url": f"{self.url}/oauth2/default/v1/authorize",
                    "token_url": f"{self.url}/oauth2/default/v1/token",
                    # the simulator, given none, has every redirect to this machine registered
                    "redirect_url": f"http://localhost:{ui_port}{REDIRECT_PATH}",
                    "scope": SCOPE,
                    "refresh_token": self.refresh_token,
                    "rate_plan": "standard",
                    "timeout_s": 30,
                    # empty, but there: the form shows only the fields that are stored
                    "calls_per_second": "",
                    "calls_per_day": "",
                    **extra,
                },
            }
        )


class Simulator:
    """A simulator of one's own, gone with the process that started it: for the demo and tests."""

    def __init__(self, log: Path, flags: Sequence[str] = SMALL_ACCOUNT) -> None:
        self.log = log
        self.flags = flags
        self.account: Account | None = None

    def __enter__(self) -> Account:
        self.account = launch(self.log, self.flags)
        return self.account

    def __exit__(self, *_: object) -> None:
        if self.account is not None:
            stop_group(self.account.pid)


class SharedSimulator(Shared):
    """The one of this repository."""

    kind = "simulator"

    def __init__(self, folder: Path = LOCAL / "simulator") -> None:
        super().__init__(folder.resolve())
        self._state = self.folder / "account.json"

    @property
    def account(self) -> Account:
        """How to reach it."""
        account = self._read()
        if account is None:
            raise Stop("the simulator is not running")
        return account

    def running(self) -> bool:
        """Whether it accepts connections and is the one that we know the token of."""
        account = self._read()
        if account is None or not _is_simulator(account.pid):
            return False
        address = urlsplit(account.url)
        try:
            socket.create_connection((address.hostname, address.port), timeout=5).close()
        except OSError:
            return False
        return True

    def start(self) -> None:
        """Starts a fresh one, whatever became of the last."""
        account = self._read()
        if account is not None and _is_simulator(account.pid):  # it hangs
            stop_group(account.pid, grace_s=1)
        self._state.unlink(missing_ok=True)
        account = launch(self.folder / "simulator.log", SMALL_ACCOUNT, outlives_us=True)
        self._state.touch(mode=0o600)
        self._state.write_text(json.dumps(asdict(account)))

    def stop(self) -> None:
        """Stops it; what it knew is forgotten."""
        stop_group(self.account.pid)
        self._state.unlink(missing_ok=True)

    def _read(self) -> Account | None:
        try:
            return Account(**json.loads(self._state.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None


def launch(log: Path, flags: Sequence[str], *, outlives_us: bool = False) -> Account:
    """Starts a simulator on a free port; returns when it accepts connections.

    Raises:
        Stop: it ended or did not get ready, with the end of its log.
    """
    log.unlink(missing_ok=True)
    refresh_token = f"local-{secrets.token_hex(16)}"
    command = [
        sys.executable, "-m", "simulator", "--port", "0", "--client-id", CLIENT_ID,
        "--client-secret", CLIENT_SECRET, "--refresh-token", refresh_token, *flags,
    ]  # fmt: skip
    child = spawn(command, log, outlives_us=outlives_us)
    try:
        return Account(_await_ready(child, log), refresh_token, child.pid)
    except BaseException:
        stop_group(child.pid, grace_s=1)
        raise


def _await_ready(child: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if ready := _READY.search(log.read_text(errors="replace")):
            return ready[1]
        if child.poll() is not None:
            break
        time.sleep(0.05)
    raise Stop(f"the simulator did not start; {log} ends with:\n{last_lines(log)}")


def _is_simulator(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and "simulator" in process.cmdline()
    except psutil.Error:
        return False
