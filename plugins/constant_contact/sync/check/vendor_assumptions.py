"""What the jobs rely on at the vendor, in the order in which the check tries it."""

from typing import Final

from constant_contact.sync.check import vendor_reads, vendor_writes
from constant_contact.sync.check.assumptions import Assumption
from constant_contact.sync.check.write_assumptions import REMOVAL

READS: Final[tuple[Assumption, ...]] = tuple(
    each for probe in vendor_reads.PROBES for each in probe.assumptions
)
WRITES: Final[tuple[Assumption, ...]] = (
    *(each for probe in vendor_writes.PROBES for each in probe.assumptions),
    REMOVAL,
)
