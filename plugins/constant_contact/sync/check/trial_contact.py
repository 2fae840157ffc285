"""The contact of the CRM whose address the writing check uses, and whether it still may."""

from typing import Any, Final

import psycopg

from constant_contact.errors import ConstantContactError, Withdrawn
from constant_contact.store import database
from constant_contact.store.crm_contacts import read_sharing
from constant_contact.store.database import Database

_UNREAD: Final = "the test contact could not be read: see the CRM's lines"
_NONE: Final = "the CRM has no contact of this id with an address"
_SHARED: Final = (
    "the CRM has more than one contact with this address or this id: take one that is alone with it"
)
_NO: Final = "the test contact must not be emailed: take one without Do Not Email"
_MOVED: Final = "the test contact has another address now"
_REPLICA: Final = (
    "contacts.sql is read from a replica, which may not show the latest Do Not Email: let it be "
    "read from the primary server to try writes"
)


class TrialContact:
    """A contact of the CRM whose address the writes use.

    Args:
        crm: Where it is.
        session: That holds the lock of the writes. All is asked in it: one that has ended says no.
        contact_id: Its id.

    Attributes:
        address: That it has.

    Raises:
        Withdrawn: It may not be written to; says why.
    """

    def __init__(self, crm: Database, session: psycopg.Connection[Any], contact_id: str) -> None:
        self._crm = crm
        self._session = session
        self._contact_id = contact_id
        self.address = self._address()

    def confirm(self) -> None:
        """Ask the CRM and the register once more.

        Raises:
            Withdrawn: It may not be emailed any more, or has another address; says so.
        """
        if self._address() != self.address:
            raise Withdrawn(_MOVED)

    def is_linked(self, constant_contact_id: str) -> bool:
        """Whether a contact of the CRM is linked to one of Constant Contact."""
        key = {"constant_contact_id": constant_contact_id}
        return bool((database.row(self._session, "check/is_linked", key) or {})["is_linked"])

    def _address(self) -> str:
        """The address, of a contact that may be emailed."""
        try:
            return self._asked()
        except Withdrawn:
            raise
        except (ConstantContactError, psycopg.Error):
            raise Withdrawn(_UNREAD) from None

    def _asked(self) -> str:
        if self._crm.contacts is not None:
            with self._crm.contacts.transaction() as reading:
                if (database.row(reading, "check/replica") or {})["is_standby"]:
                    raise Withdrawn(_REPLICA)
        with self._session.transaction():
            # The register knows of a flag only if a job has looked since it was set.
            sharing = read_sharing(self._session, self._crm, self._contact_id)
            address = sharing[0].email_address if sharing else None
            if address is None:
                raise Withdrawn(_NONE)
            if len(sharing) > 1:
                raise Withdrawn(_SHARED)
            asked = {
                "contact_id": self._contact_id,
                "constant_contact_id": None,
                "address": address,
            }
            gate = database.row(self._session, "consent/gate", asked) or {}
        # An empty flag is no yes.
        if sharing[0].do_not_email is not False or gate["answer"] != "may":
            raise Withdrawn(_NO)
        return address
