"""The vendor's side of the check, reading only: what the jobs rely on, tried on this account."""

from collections.abc import Iterator
from typing import Final

from constant_contact.api.client import Client
from constant_contact.sync.check.account import Account
from constant_contact.sync.check.assumptions import Line
from constant_contact.sync.check.call_probes import ACCESS_PROBES, LAST_PROBES
from constant_contact.sync.check.contact_probes import CONTACT_PROBES
from constant_contact.sync.check.engagement_probes import ENGAGEMENT_PROBES
from constant_contact.sync.check.probes import RETRY, Probe, calls_of, run_probes

PROBES: Final[tuple[Probe[Account], ...]] = (
    *ACCESS_PROBES, *CONTACT_PROBES, *ENGAGEMENT_PROBES, *LAST_PROBES,
)  # fmt: skip
READ_CALLS: Final = calls_of(PROBES)


def read_vendor(client: Client) -> Iterator[Line]:
    """Try each of `READS` by GET requests; yield one line for each, whatever the vendor answers.

    The refresh token is redeemed once, as each job does it once a day: no other call shows that the
    secret is right. It makes up to `READ_CALLS` calls, and repeats those that fail.

    Raises:
        ConstantContactError: The CRM database, where tokens and budget are, cannot be used.
    """
    account = Account(client.repeating(RETRY))
    yield from run_probes(account.client, account, PROBES)
