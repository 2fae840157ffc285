"""A firewall or proxy before the vendor's API that refuses every opt-out: a few calls tell.

What it refuses is neither done nor lost: it waits. Then one change is tried from time to time, and
the first that passes ends the wait.
"""

import logging
import threading
from datetime import UTC
from typing import Final

from constant_contact.errors import WritesBlocked
from constant_contact.store.database import Database

_log = logging.getLogger("constant_contact.opt_outs")
# So many of different contacts, one after another: it is not about what one of them says.
_ENOUGH: Final = 3


class WriteBlock:
    """Whether the writes of one run come through, from any number of threads."""

    def __init__(self, crm: Database) -> None:
        self._crm = crm
        self._lock = threading.Lock()
        self._refused = 0
        self._has_passed = False
        self._is_known = False

    @property
    def is_probing(self) -> bool:
        """Whether none came through before, and none has yet: one at a time is enough."""
        return self._is_known and not self._has_passed

    def load(self) -> None:
        """Learn whether an earlier run has found that none comes through."""
        known = self._crm.row("write_block/standing") or {}
        self._is_known = known["is_standing"]

    def note_refused(self, said: str) -> None:
        """Take note that a write was refused on the way.

        Raises:
            WritesBlocked: Enough were, and none has passed; while it is known, one is enough.
        """
        with self._lock:
            self._refused += 1
            enough = 1 if self._is_known else _ENOUGH
            if self._has_passed or self._refused < enough:
                return
        kept = self._crm.row("write_block/keep", {"said": said}) or {}
        since, next_at = (kept[name].astimezone(UTC) for name in ("since", "next_at"))
        raise WritesBlocked(
            "a firewall or proxy before Constant Contact's API refuses every write since "
            f"{since:%Y-%m-%d %H:%M} UTC ({said}). Nothing is lost: what waits stays pending. Have "
            "PUT let through to the connection's host; one is tried again at "
            f"{next_at:%H:%M} UTC",
            next_at,
        )

    def note_passed(self) -> None:
        """Take note that a write came through."""
        with self._lock:
            is_first, self._has_passed = not self._has_passed, True
        if is_first and self._is_known:
            self._crm.run("write_block/end")
            _log.info("opt-outs reach Constant Contact again")
