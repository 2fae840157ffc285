"""Campaigns and their activities."""

from dataclasses import dataclass, field

from simulator.events import TYPES, Stream

AB_TEST = 57
#: The contract names no type for automated series; this word is the simulator's own.
AUTOMATED = "Automated"
STATUSES = ("Draft", "Scheduled", "Executing", "Done", "Error", "Removed")
REPORTED_ROLES = ("primary_email", "resend")


@dataclass
class Link:
    """A link in an email."""

    url_id: str
    url: str


@dataclass(eq=False)
class Activity:
    """A campaign activity; `sent_ms` is 0 until it was sent."""

    activity_id: str
    role: str
    campaign: "Campaign"
    sent_ms: int = 0
    links: list[Link] = field(default_factory=list)
    streams: dict[str, Stream] = field(default_factory=lambda: {each: Stream() for each in TYPES})
    #: Addresses given outright with a loaded event, by contact row.
    emails: dict[int, str] = field(default_factory=dict)

    @property
    def reported(self) -> bool:
        """Whether the reports know it."""
        return self.role in REPORTED_ROLES and self.sent_ms > 0 and self.campaign.reported


@dataclass(eq=False)
class Campaign:
    """An email campaign."""

    campaign_id: str
    name: str
    created_ms: int
    updated_ms: int
    status: str = "Draft"
    type: str = "NEWSLETTER"
    type_code: int = 10
    activities: list[Activity] = field(default_factory=list)

    @property
    def reported(self) -> bool:
        """Sent, not deleted, and of a kind the reports know."""
        return (
            self.status in ("Done", "Executing")
            and self.type_code != AB_TEST
            and self.type != AUTOMATED
        )

    @property
    def last_sent_ms(self) -> int:
        """When its newest activity was sent; 0 for never."""
        return max((each.sent_ms for each in self.activities), default=0)


class CampaignStore:
    """Campaigns, their activities, and what their events refer to."""

    def __init__(self) -> None:
        self.campaigns: dict[str, Campaign] = {}
        self.activities: dict[str, Activity] = {}
        self.reasons: list[str] = []
        self._reason_numbers: dict[str, int] = {}
        self._next_url = 1_100_000_000_000

    def add(self, campaign: Campaign) -> Campaign:
        """Add a campaign."""
        if campaign.campaign_id in self.campaigns:
            raise ValueError(f"campaign id taken: {campaign.campaign_id}")
        self.campaigns[campaign.campaign_id] = campaign
        return campaign

    def add_activity(self, campaign: Campaign, activity_id: str, role: str) -> Activity:
        """Add an activity to a campaign."""
        if activity_id in self.activities:
            raise ValueError(f"campaign activity id taken: {activity_id}")
        activity = Activity(activity_id, role, campaign)
        self.activities[activity_id] = activity
        campaign.activities.append(activity)
        return activity

    def link(self, activity: Activity, url: str, url_id: str | None = None) -> int:
        """The number of this link in the activity, made when it is new."""
        for number, known in enumerate(activity.links):
            if (known.url_id == url_id) if url_id else (known.url == url):
                return number
        if url_id is None:
            url_id = str(self._next_url)
            self._next_url += 1
        activity.links.append(Link(url_id, url))
        return len(activity.links) - 1

    def reason(self, text: str | None) -> int:
        """The number of an opt-out reason; -1 for none."""
        if not text:
            return -1
        number = self._reason_numbers.get(text)
        if number is None:
            number = self._reason_numbers[text] = len(self.reasons)
            self.reasons.append(text)
        return number
