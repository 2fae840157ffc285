"""What the jobs rely on at the vendor, in the order in which the check tells of it."""

from typing import Final

from constant_contact.sync.check.assumptions import Assumption, Side
from constant_contact.sync.check.contact_assumptions import CONTACT_READS, LINK_LIFE
from constant_contact.sync.check.engagement_assumptions import ENGAGEMENT_READS

READS: Final[tuple[Assumption, ...]] = (*CONTACT_READS, *ENGAGEMENT_READS, LINK_LIFE)
WRITES: Final[tuple[Assumption, ...]] = (
    Assumption(
        "test_list",
        Side.WRITES,
        "A list can be made.",
        "createList",
        "No list is made by any job.",
        "See the privileges of the user who authorized.",
    ),
)
