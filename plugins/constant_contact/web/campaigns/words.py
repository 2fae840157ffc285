"""What the pages of campaigns call things."""

from typing import Final

from constant_contact.sync.upkeep import findings

# By `unreported` of campaigns/shown_campaigns.
UNREPORTED: Final = {
    "not_sent": "it is not sent yet",
    **{
        reason: findings.reason({"noun": "campaign", "reason": reason, "detail": None})[0]
        for reason in ("ab_test", "automated", "removed", "not_listed")
    },
}
# By activity type, in the order of a mail's life.
EVENTS: Final = {
    "send": "Sends",
    "open": "Opens",
    "click": "Clicks",
    "bounce": "Bounces",
    "forward": "Forwards",
    "opt_out": "Opt-outs",
}
