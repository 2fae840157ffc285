"""What a run in the foreground prints: one line a message, from the tasks, not from Airflow.

Everything else, with stack traces, goes to a file that the last line names.
"""

import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from airflow.sdk.log import mask_logs

# Airflow's and its libraries' own affairs
_INTERNAL = (
    "airflow", "alembic", "asyncio", "fastapi", "httpx", "httpcore", "opentelemetry",
    "py.warnings", "sqlalchemy", "starlette", "task", "urllib3", "uvicorn",
)  # fmt: skip
# ... but these names below `airflow` are the tasks' own voices
_TASK_VOICES = ("airflow.task", "airflow.providers", "airflow.sdk.bases")
# what operators say of themselves, and what the run's last line says again
_IDLE_TALK = ("Done. Returned value was", "Task failed with exception")
_NOT_EXTRA = {
    "event", "exc_info", "exception", "level", "logger", "logger_name", "stack_info", "timestamp",
}  # fmt: skip


class Terminal:
    """Prints a run's messages and keeps its complete log."""

    def __init__(self, file: Path, show: Callable[[str], None] | None = None) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.file = file
        # the standard output of now: a task may have another
        self._show = show or partial(print, file=sys.stdout, flush=True)
        self._task = ""
        #: the last message of the task that runs or ran last: why it waits, when it does
        self.last_message = ""

    def attach(self) -> None:
        """Takes over what Airflow's logging would print; secrets stay masked."""
        structlog.configure(
            processors=[structlog.stdlib.PositionalArgumentsFormatter(), self._from_structlog],
            wrapper_class=structlog.get_config()["wrapper_class"],
            logger_factory=_Named,
            cache_logger_on_first_use=False,
        )
        handler = _Handler(self)
        for name in ("", *logging.root.manager.loggerDict):
            logger = logging.getLogger(name)
            if logger.handlers or not name:
                logger.handlers = [handler] if not name else []
                logger.propagate = True

    @contextmanager
    def task(self, label: str) -> Iterator[None]:
        """Messages inside are this task's."""
        self._task, self.last_message = label, ""
        try:
            yield
        finally:
            self._task = ""

    def say(self, message: str) -> None:
        """A message of ours."""
        self._print("", message)

    def log(
        self, name: str, level: str, fields: MutableMapping[str, Any], error: BaseException | None
    ) -> None:
        """A message of anybody's: to the file always, to the terminal when it is for the user."""
        fields = mask_logs(None, "", dict(fields))
        message = " ".join(str(fields.get("event", "")).split())
        extra = {key: value for key, value in fields.items() if key not in _NOT_EXTRA}
        line = {"at": _now().isoformat(), "level": level, "logger": name, "task": self._task}
        if error is not None:
            trace = "".join(traceback.format_exception(error))
            line["trace"] = str(mask_logs(None, "", {"trace": trace})["trace"])
        # opened for each line: what logs until the process ends does not know when to close it
        with self.file.open("a", encoding="utf-8") as complete:
            complete.write(json.dumps({**line, "message": message, **extra}, default=str) + "\n")
        if not _for_user(name, level, message, in_task=bool(self._task)):
            return
        text = " ".join([message, *(f"{key}={value}" for key, value in extra.items())])
        if level in ("warning", "error", "critical"):
            text = f"{level.upper()} {text}"
        self._print(self._task, text)
        self.last_message = message

    def _print(self, task: str, text: str) -> None:
        parts = [f"{_now():%H:%M:%S}", task, text]
        self._show(" ".join(part for part in parts if part))

    def _from_structlog(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        name = str(event.get("logger_name") or logger.name or "airflow")
        self.log(name, method, event, _error_of(event.get("exc_info")))
        raise structlog.DropEvent


class _Named:
    """The end of structlog's chain: only its name is of use, for nothing gets as far as here."""

    def __init__(self, name: str = "", *_: object) -> None:
        self.name = name

    def __getattr__(self, level: str) -> Callable[..., None]:
        return lambda *_args, **_fields: None


class _Handler(logging.Handler):
    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = f"{record.msg} {record.args}"
        self._terminal.log(record.name, record.levelname.lower(), {"event": message}, error)


def _for_user(name: str, level: str, message: str, *, in_task: bool) -> bool:
    if not in_task or level == "debug" or message.startswith(_IDLE_TALK):
        return False
    if name == "task":  # Airflow's task runner
        return level in ("error", "critical")
    return _below(name, _TASK_VOICES) or not _below(name, _INTERNAL)


def _below(name: str, roots: tuple[str, ...]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def _error_of(exc_info: Any) -> BaseException | None:
    if exc_info is True:
        return sys.exc_info()[1]
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    return exc_info if isinstance(exc_info, BaseException) else None


def _now() -> datetime:
    return datetime.now(UTC)
