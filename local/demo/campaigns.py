"""The account's lists and campaigns."""

import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

JSON = dict[str, Any]
NEWSLETTERS = 20
_DAYS = 120
_RESENT = 12  # this newsletter went out a second time, to those who had not opened it
_AB_TEST = 57  # EmailCampaigns.type_code

_LISTS = (
    "Newsletter", "Customers", "Leads 2025", "Événements", "Stammtisch München", "会員",
    "Волонтёры", "Donors", "Press", "Staff", "Trade fair “Spring”",
)  # fmt: skip
DELETED_LIST = "Old imports"
_PAGES = ("", "offers", "news/42?utm_source=mail&utm_campaign=spring", "unsubscribe-survey")


@dataclass(frozen=True)
class Issue:
    """One sending of a newsletter: a campaign activity that the reports know."""

    activity_id: str
    campaign_id: str
    name: str
    sent: datetime
    links: tuple[JSON, ...]
    is_resend: bool = False


@dataclass(frozen=True)
class Calendar:
    """All lists and campaigns, as the simulator loads them; `issues` are in order of sending.

    Attributes:
        names: Of each reported activity's campaign, by the activity's id.
        draft_id: A campaign that was never sent.
    """

    lists: list[JSON]
    campaigns: list[JSON]
    issues: list[Issue]
    names: dict[str, tuple[str, str]]
    draft_id: str

    @property
    def living_lists(self) -> list[str]:
        """Ids of the lists that are not deleted."""
        return [each["list_id"] for each in self.lists if "deleted_at" not in each]

    @property
    def newsletters(self) -> list[Issue]:
        """First sendings."""
        return [issue for issue in self.issues if not issue.is_resend]


class DayLists(NamedTuple):
    """The lists that something happens to between the nights, by their ids.

    Attributes:
        first: Many are on it.
        goes: Is deleted at the vendor.
        comes: Is made at the vendor.
    """

    first: str
    second: str
    goes: str
    comes: str


def make_calendar(seed: int, now: datetime) -> Calendar:
    """Lists and campaigns up to `now`; the same ids for the same seed."""
    dice = random.Random(f"{seed}/campaigns")  # noqa: S311 - made-up campaigns
    lists = [_list(name, now - timedelta(days=500), dice) for name in (*_LISTS, DELETED_LIST)]
    lists[-1]["deleted_at"] = _text(now - timedelta(days=90))
    issues: list[Issue] = []
    campaigns: list[JSON] = []
    for number in range(NEWSLETTERS):
        back = _DAYS * (NEWSLETTERS - number - 0.6) / NEWSLETTERS
        campaigns.append(_newsletter(number, now - timedelta(days=back), dice, issues))
    unreported = [
        _unreported("Which subject line wins?", now, dice, type_code=_AB_TEST),
        _unreported("Welcome, step 1", now, dice, type="Automated", current_status="Executing"),
        _unreported("Sent by mistake", now, dice, current_status="Removed"),
        _unreported("Next week", now, dice, current_status="Scheduled"),
        _unreported("Tonight, with “news”", now, dice, current_status="Draft"),
    ]
    issues.sort(key=lambda issue: issue.sent)
    names = {issue.activity_id: (issue.campaign_id, issue.name) for issue in issues}
    draft = unreported[-1]
    (primary, _) = draft["campaign_activities"]
    names[primary["campaign_activity_id"]] = (draft["campaign_id"], draft["name"])
    return Calendar(lists, [*campaigns, *unreported], issues, names, draft["campaign_id"])


def new_list(seed: int, now: datetime) -> JSON:
    """Return a list that is made at the vendor between the nights."""
    dice = random.Random(f"{seed}/new list")  # noqa: S311
    return _list("Made this morning", now, dice)


def day_lists(seed: int, calendar: Calendar) -> DayLists:
    """The same for the same seed."""
    first, second, *_, goes = calendar.living_lists
    return DayLists(first, second, goes, new_list(seed, calendar.issues[-1].sent)["list_id"])


def _newsletter(number: int, sent: datetime, dice: random.Random, issues: list[Issue]) -> JSON:
    campaign_id, name = _id(dice), f"Newsletter {number + 1:02d}, Neues & Näheres"
    first = Issue(_id(dice), campaign_id, name, sent, _links(dice))
    sendings = [first]
    if number == _RESENT:
        again = sent + timedelta(days=3)
        sendings.append(Issue(_id(dice), campaign_id, name, again, _links(dice), is_resend=True))
    issues += sendings
    roles = ("primary_email", "resend")
    activities: list[JSON] = [
        {
            "role": role,
            "campaign_activity_id": issue.activity_id,
            "sent_at": _text(issue.sent),
            "links": list(issue.links),
        }
        for role, issue in zip(roles, sendings, strict=False)
    ]
    return {
        "campaign_id": campaign_id,
        "name": name,
        "created_at": _text(sent - timedelta(days=2)),
        "updated_at": _text(sendings[-1].sent),
        "current_status": "Done",
        "campaign_activities": [
            *activities,
            {"role": "permalink", "campaign_activity_id": _id(dice)},
        ],
    }


def _unreported(name: str, now: datetime, dice: random.Random, **kind: Any) -> JSON:
    made = now - timedelta(days=dice.uniform(5, 40))
    return {
        "campaign_id": _id(dice),
        "name": name,
        "created_at": _text(made),
        "updated_at": _text(made + timedelta(days=1)),
        "campaign_activities": [
            {"role": "primary_email", "campaign_activity_id": _id(dice), "links": _links(dice)},
            {"role": "permalink", "campaign_activity_id": _id(dice)},
        ],
    } | kind


def _links(dice: random.Random) -> tuple[JSON, ...]:
    return tuple(
        {
            "url_id": str(dice.randrange(10**12, 2 * 10**12)),
            "link_url": f"https://www.example.com/{page}",
        }
        for page in _PAGES
    )


def _list(name: str, created: datetime, dice: random.Random) -> JSON:
    return {"list_id": _id(dice), "name": name, "created_at": _text(created)}


def _id(dice: random.Random) -> str:
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
