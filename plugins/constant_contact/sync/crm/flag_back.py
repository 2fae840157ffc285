"""Flag-back: Do Not Email in the CRM for contacts that unsubscribed at the vendor.

By the seam's flag_back.sql; off where that is missing. The next look sees the flag like any other.
"""

import logging
from collections.abc import Mapping
from typing import Any

import psycopg

from constant_contact.errors import ConstantContactError
from constant_contact.redact import redact
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.store.seam_session import explained, seam_session
from constant_contact.sync.crm.write_back import LOCK_TIMEOUT

_log = logging.getLogger("constant_contact.links")


def flag_back(
    crm: Database, name: str, params: Mapping[str, Any] | None = None, *, reason: str, by: str
) -> int:
    """Set the CRM's flag of the contacts that a statement finds.

    Args:
        crm: Its seam has flag_back.sql.
        name: The statement below include/sql that fills `changed_flag`.
        params: Its parameters.
        reason: What the changes say of themselves.
        by: Who makes them.

    Returns:
        How many contacts it found, whether or not there is a flag_back.sql.

    Raises:
        SettingError: flag_back.sql does not run.
        DatabaseUnavailable: A row was locked for too long.
    """
    with crm.transaction() as connection:
        database.stage(connection, "links/stage_flags", "changed_flag", [])
        found = database.run(connection, name, params)
        if crm.seam.flag_back is None or not found:
            return found
        database.row(connection, "links/reason", {"reason": reason, "by": by})
        with seam_session(connection), explained(crm.seam.flag_back):
            connection.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            flagged = connection.execute(crm.seam.flag_back.text, prepare=False).rowcount
        _log.info("Do Not Email is set in the CRM for %d contacts: %s", flagged, reason)
    return found


def flag_opted_out(crm: Database) -> int:
    """Set the flag of linked contacts that unsubscribed at the vendor; return how many.

    What fails is logged, and tried again by the next run: their no stands at the vendor.
    """
    if crm.seam.flag_back is None:
        return 0
    try:
        return flag_back(
            crm,
            "links/opted_out_unflagged",
            reason="Unsubscribed at Constant Contact",
            by="constant_contact",
        )
    except (psycopg.Error, ConstantContactError) as error:
        _log.warning("%s: %s", crm.seam.flag_back.path, redact(str(error)))
        return 0
