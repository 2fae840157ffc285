"""Our DAGs as the overview shows them: what is known of each, its runs, and what they did."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from airflow.utils.state import DagRunState

from constant_contact.accounts import DEFAULT, Account
from constant_contact.sync.report import in_words

_ACTIVE: Final = frozenset({DagRunState.QUEUED, DagRunState.RUNNING})
# Where Airflow asks for a run's params.
_TRIGGER: Final = "/dags/{dag_id}"


@dataclass(frozen=True)
class Sync:
    """What the overview knows of a DAG beforehand.

    Attributes:
        tasks: Whose reports tell what a run did, in this order.
        main: The figures of those reports that its trend shows, added up.
        counted: What those are called.
        also: When it runs besides its schedule.
        page: Where its runs are started, as they need params; below our root, or, if
            `is_airflows`, below Airflow's. The others have a schedule.
        stands_still: What does not happen while it is paused, if that is for a person to know.
        account: Whose DAG it is.
    """

    noun: str
    tasks: tuple[str, ...] = ()
    main: tuple[str, ...] = ()
    counted: str = ""
    also: str = ""
    page: str = ""
    page_name: str = ""
    is_airflows: bool = False
    stands_still: str = ""
    account: Account = DEFAULT

    @property
    def dag_id(self) -> str:
        """As Airflow calls it."""
        return self.account.dag_id(self.noun)

    @property
    def title(self) -> str:
        """As people call it."""
        return self.noun.replace("opt_", "opt-").replace("_", " ").capitalize()

    @property
    def is_scheduled(self) -> bool:
        """Whether it runs without a person who asks for it."""
        return not self.page

    @property
    def path(self) -> str:
        """The path of `page`."""
        return self.page.format(dag_id=self.dag_id)

    def for_account(self, account: Account) -> "Sync":
        """The same of another account."""
        return replace(self, account=account)


# In the order of a day; DAGs of ours that are not here come behind them.
SYNCS: Final = (
    Sync("lists", ("lists",), ("read",), "lists read"),
    Sync(
        "contacts",
        ("contacts", "links", "completeness"),
        ("read", "opted_out_read"),
        "contacts read",
        stands_still="no opt-out at Constant Contact is read, and no contact is linked",
    ),
    Sync(
        "activities",
        ("campaigns", "engagement", "interactions", "completeness"),
        ("new_events",),
        "new events",
        stands_still="no engagement is read",
    ),
    Sync(
        "opt_outs",
        ("opt_outs",),
        ("unsubscribed", "resubscribed"),
        "changes carried",
        also="and seconds after a change in the CRM",
        stands_still="no change of Do Not Email reaches Constant Contact",
    ),
    Sync(
        "list_memberships",
        ("memberships",),
        ("added", "removed"),
        "memberships changed",
        also="and seconds after a request in the CRM",
    ),
    Sync(
        "bulk_memberships",
        ("bulk_memberships",),
        ("requested",),
        "memberships requested",
        also="when a person asks for it",
        page="/memberships",
        page_name="Memberships",
    ),
    Sync(
        "opt_ins",
        ("opt_ins",),
        ("confirmations", "dismissed"),
        "opt-ins decided",
        also="when a person decides",
        page="/opt-outs",
        page_name="Opt-outs",
    ),
    Sync(
        "approvals",
        ("answer",),
        ("changes",),
        "changes decided",
        also="when the circuit breaker holds something",
        page="/required_actions",
        page_name="Required Actions",
        is_airflows=True,
    ),
    Sync("retention", ("retention",), ("calls_forgotten",), "calls forgotten"),
    Sync(
        "erasure",
        ("erasure",),
        also="when a person asks to be forgotten",
        page=_TRIGGER,
        page_name="Trigger",
        is_airflows=True,
    ),
    Sync(
        "after_restore",
        ("settle", "contacts", "links", "flags", "completeness"),
        also="after the CRM was restored from a backup",
        page=_TRIGGER,
        page_name="Trigger",
        is_airflows=True,
    ),
    Sync(
        "check",
        ("check",),
        also="before the first night, and whenever something is odd",
        page="/connection/check",
        page_name="Check",
    ),
)


_NOUNS: Final = frozenset(sync.noun for sync in SYNCS)


def syncs_of(account: Account) -> dict[str, Sync]:
    """What is known beforehand of an account's DAGs, by id, in the order of a day."""
    return {sync.dag_id: sync for sync in (sync.for_account(account) for sync in SYNCS)}


def account_of(dag_id: str, among: Sequence[Account]) -> Account:
    """Which of these accounts a DAG belongs to, by its id; if to none, the default one."""
    _, *others = among
    if dag_id.removeprefix(DEFAULT.dag_id("")) in _NOUNS:
        # Such as opt_outs, beside an account that is called opt.
        return DEFAULT
    return next((each for each in others if dag_id.startswith(each.dag_id(""))), DEFAULT)


def unknown(dag_id: str, account: Account) -> Sync:
    """A DAG of which nothing is known: perhaps it needs params, and Airflow asks for them."""
    noun = dag_id.removeprefix(account.dag_id(""))
    return Sync(noun, page=_TRIGGER, page_name="Trigger", is_airflows=True, account=account)


@dataclass(frozen=True)
class Run:
    """One run of a DAG, and what its tasks reported: figures by task."""

    run_id: str
    state: str
    begun_at: datetime | None
    ended_at: datetime | None
    reports: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return self.state in _ACTIVE

    @property
    def took(self) -> timedelta | None:
        """From its start to its end, or to now."""
        if self.begun_at is None:
            return None
        return (self.ended_at or datetime.now(UTC)) - self.begun_at

    def count(self, names: Iterable[str]) -> int:
        """These figures of all its reports, added up."""
        wanted = set(names)
        return sum(
            value
            for figures in self.reports.values()
            for name, value in figures.items()
            if name in wanted
        )


@dataclass(frozen=True)
class Row:
    """A DAG with its last runs, the newest first, and what the reader may do about it."""

    sync: Sync
    is_paused: bool
    next_run: datetime | None
    runs: Sequence[Run]
    may_trigger: bool
    may_edit: bool

    @property
    def last(self) -> Run | None:
        """Its newest run."""
        return self.runs[0] if self.runs else None

    @property
    def last_ended(self) -> Run | None:
        """Its newest run that is over."""
        return next((run for run in self.runs if not run.is_active), None)

    @property
    def is_active(self) -> bool:
        """Whether a run of it has not ended."""
        return any(run.is_active for run in self.runs)

    @property
    def look_again_s(self) -> int:
        """After how many seconds to look again while it runs: some wait for a person for days."""
        is_young = self.last and (self.last.took or timedelta()) < timedelta(minutes=10)
        return 4 if is_young else 60

    @property
    def did(self) -> list[tuple[str, str]]:
        """What the newest run that is over did: each task with a report, in words."""
        reports = self.last_ended.reports if self.last_ended else {}
        # The database keeps no order of figures: those that matter most come first.
        return [
            (task, in_words({**dict.fromkeys(self.sync.main), **figures}))
            for task, figures in reports.items()
        ]

    @property
    def trend(self) -> list[Run]:
        """Its runs that are over, the oldest first."""
        return [run for run in reversed(self.runs) if not run.is_active]

    @property
    def took_s(self) -> list[float]:
        """The trend of how long its runs took, the oldest first."""
        return [round(run.took.total_seconds(), 1) if run.took else 0.0 for run in self.trend]

    @property
    def counts(self) -> list[int]:
        """The trend of what its runs did, the oldest first."""
        return [run.count(self.sync.main) for run in self.trend]

    def path_of(self, run: Run) -> str:
        """Where Airflow shows one of its runs."""
        return f"/dags/{self.sync.dag_id}/runs/{quote(run.run_id, safe='')}"
