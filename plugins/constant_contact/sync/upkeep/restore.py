"""After a CRM was restored from a backup: what it forgot must not undo any objection.

Between the backup and now contacts objected: Constant Contact knows it, the CRM does not any more.
So no change that waits in the restored CRM and would let a contact be mailed is carried, and
contacts that Constant Contact may not mail since then are flagged again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync.crm.flag_back import flag_back
from constant_contact.sync.report import Report

# The vendor's clock and ours differ, and its dates may be whole seconds.
_CLOCKS_DIFFER = timedelta(hours=1)


@dataclass
class SettleReport(Report):
    """What waited in the restored CRM and is not carried any more."""

    opt_ins_superseded: int = 0
    memberships_failed: int = 0
    choices_forgotten: int = 0


@dataclass
class FlagsReport(Report):
    """Contacts whose Do Not Email was lost.

    Attributes:
        flagged: It is set again.
        not_flagged: It is not, since there is no flag_back.sql; Constant Contact does not mail
            them.
    """

    flagged: int = 0
    not_flagged: int = 0


def settle(crm: Database, *, by: str) -> SettleReport:
    """Carry nothing that was asked for before the backup; no API call."""
    with crm.transaction() as connection:
        report = SettleReport(
            opt_ins_superseded=database.run(
                connection, "restore/settle_restored_opt_ins", {"by": by}
            ),
            memberships_failed=database.run(connection, "restore/settle_restored_memberships"),
        )
        forgotten = database.row(connection, "restore/forget_choices") or {}
        report.choices_forgotten = forgotten["choices"]
        database.run(connection, "restore/keep", {"by": by})
        database.row(connection, "restore/advance_numbers")
        database.run(connection, "restore/read_all_again")
    return report


def flag_lost_opt_outs(crm: Database, *, restored_to: datetime) -> FlagsReport:
    """Set Do Not Email again by flag_back.sql, by a mirror and links of now; no API call.

    What happened from an hour before the backup on counts as lost.
    """
    found = flag_back(
        crm,
        "restore/flag_lost_opt_outs",
        {"restored_to": restored_to - _CLOCKS_DIFFER},
        reason="Unsubscribed at Constant Contact before the CRM was restored",
        by="constant_contact_after_restore",
    )
    return FlagsReport(**{"not_flagged" if crm.seam.flag_back is None else "flagged": found})
