"""What the jobs rely on at the vendor, in the order in which the check tells of it."""

from typing import Final

from constant_contact.sync.check.assumptions import Assumption
from constant_contact.sync.check.contact_assumptions import (
    CONTACT_READS,
    CREDENTIALS,
    LINK_LIFE,
)
from constant_contact.sync.check.engagement_assumptions import ENGAGEMENT_READS
from constant_contact.sync.check.write_assumptions import CONTACT_WRITES

READS: Final[tuple[Assumption, ...]] = (*CONTACT_READS, *ENGAGEMENT_READS, LINK_LIFE, CREDENTIALS)
WRITES: Final[tuple[Assumption, ...]] = CONTACT_WRITES
