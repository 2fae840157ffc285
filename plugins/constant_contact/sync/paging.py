"""A listing whose page links die in the middle starts again, a few times."""

import logging
from collections.abc import Callable, Iterator

from constant_contact.api.client import Page
from constant_contact.errors import ContractBroken, DeadCursor

_log = logging.getLogger("constant_contact.paging")
_RESTARTS = 3


def restarting(listing: Callable[[], Iterator[Page]]) -> Iterator[Page]:
    """Yield the pages of `listing()`; after a dead or repeated link, those of a fresh one.

    Pages then come again: storing one twice must change nothing.

    Raises:
        ContractBroken: The links keep dying.
    """
    for restart in range(_RESTARTS + 1):
        try:
            yield from listing()
        except DeadCursor as error:
            if restart == _RESTARTS:
                raise ContractBroken(
                    f"{error}; the listing was begun {_RESTARTS + 1} times and never ended"
                ) from None
            _log.warning("%s; the listing starts again", error)
        else:
            return
