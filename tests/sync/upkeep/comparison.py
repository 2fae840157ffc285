"""What tests of the comparison with the vendor's summary share."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from constant_contact.store.database import Database
from constant_contact.sync.upkeep.completeness import compare_campaigns
from constant_contact.sync.upkeep.findings import FindingsReport

Night = Callable[..., FindingsReport]
LONG_AGO = (datetime.now(UTC) - timedelta(days=90)).isoformat()


def compared(crm: Database) -> FindingsReport:
    report = FindingsReport()
    compare_campaigns(crm, report)
    return report
