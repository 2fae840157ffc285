"""The call log's writer: beside the work, never in its way."""

import logging
import queue
import threading
from dataclasses import asdict, dataclass

from constant_contact.calls import Call
from constant_contact.errors import ConstantContactError
from constant_contact.store import database
from constant_contact.store.database import Database

_log = logging.getLogger("constant_contact.api_calls")
_BATCH = 500
# While the database is away calls wait here; more than this would be a run's memory.
_MOST_WAITING = 20_000
_CLOSE_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Caller:
    """Which task instance calls; all None outside Airflow.

    Attributes:
        map_index: -1 where the task is not mapped.
    """

    dag_id: str | None = None
    task_id: str | None = None
    run_id: str | None = None
    try_number: int | None = None
    map_index: int | None = None


class ApiCallLog:
    """Stores calls in `ctct_api_call` from a thread of its own.

    A call is stored within moments of being added. A database that is away delays that; the work
    that made the call notices by itself.
    """

    def __init__(self, crm: Database, caller: Caller) -> None:
        self._crm = crm
        self._caller = asdict(caller)
        self._queue: queue.Queue[Call | None] = queue.Queue(_MOST_WAITING)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write, name="api-call-log", daemon=True)
        self._thread.start()

    def add(self, call: Call) -> None:
        """Take one call to be stored; never blocks, never raises."""
        try:
            self._queue.put_nowait(call)
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Store what is waiting, for a few seconds at most."""
        self._queue.put(None)
        self._thread.join(_CLOSE_TIMEOUT_S)
        if self._dropped:
            _log.warning("%d API calls were not kept: the CRM database was away", self._dropped)

    def _write(self) -> None:
        is_open = True
        while is_open:
            batch = [self._queue.get()]
            while len(batch) < _BATCH and not self._queue.empty():
                batch.append(self._queue.get())
            is_open = None not in batch
            self._store([call for call in batch if call is not None])

    def _store(self, calls: list[Call]) -> None:
        if not calls:
            return
        try:
            with self._crm.transaction() as connection:
                connection.execute("SET LOCAL synchronous_commit = off")
                columns = database.columns(Call, calls)
                database.run(connection, "api/add_calls", columns | self._caller)
        except ConstantContactError as error:
            self._dropped += len(calls)
            _log.warning("API calls were not kept: %s", error)
        except Exception:  # noqa: BLE001 - see the comment
            # A log must not end the work; the trace is for mending the log.
            self._dropped += len(calls)
            _log.exception("API calls were not kept")
