"""What the pages of campaigns call things."""

from collections.abc import Iterable
from typing import Final

from constant_contact.api.vendor import TRACKERS, Tracker
from constant_contact.sync.upkeep import findings

# By `unreported` of campaigns/shown_campaigns.
UNREPORTED: Final = {
    "not_sent": "it is not sent yet",
    **{
        reason: findings.reason({"noun": "campaign", "reason": reason, "detail": None})[0]
        for reason in ("ab_test", "automated", "removed", "not_listed")
    },
}
# Where the vendor's path has no words of it.
_EVENTS: Final = {"opt_out": "Opt-outs"}


def event_names(trackers: Iterable[Tracker]) -> dict[str, str]:
    """What events are called, by activity type."""
    return {
        each.activity_type: _EVENTS.get(
            each.activity_type, each.path_part.replace("_", " ").capitalize()
        )
        for each in trackers
    }


# In the order of a mail's life.
EVENTS: Final = event_names(TRACKERS)
