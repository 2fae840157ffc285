"""Two workers carry a whole account; one of them is lost in the middle of it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import LiteralString

import psycopg
import pytest

from local.demo import checks, crm
from local.demo.evidence import Crm, Vendor
from local.demo.expected import Expected, Permission
from local.demo.people import JSON
from local.simulator import CLIENT_SECRET
from tests.system.deployment import Deployment, deployed, wait_for
from tests.system.world import ASKED_PER_SECOND, IN_FLIGHT, World, made

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server"),
]

WORKERS = ("worker-1", "worker-2")
SHARDS = 4
SETTINGS = {
    # fewer places than shards: no worker can take them all, however late the other one wakes
    "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(SHARDS - 1),
    "AIRFLOW__CORE__PARALLELISM": str(len(WORKERS) * (SHARDS - 1)),
    "AIRFLOW__CONSTANT_CONTACT__ENGAGEMENT_SHARDS": str(SHARDS),
    "AIRFLOW__CONSTANT_CONTACT__STREAMS_AT_ONCE": "2",
}
# Of about 40,000 events, so many are stored before the worker is lost.
LOST_AT_EVENTS = 10_000


@dataclass
class Played:
    """How it went."""

    world: World
    deployment: Deployment
    expected: Expected
    permissions: dict[str, Permission]
    before: list[JSON]
    carried_while_loading: int = 0


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("system")
    with (
        made(folder) as world,
        deployed(folder, world.postgres, world.connection, **SETTINGS) as deployment,
        psycopg.connect(deployment.crm_url) as connection,
    ):
        story = linked(world, deployment, connection)
        load_with_a_loss(story, connection)
        yield story


def linked(world: World, deployment: Deployment, connection: crm.Connection) -> Played:
    """The night before: all are linked, and who the CRM had flagged already is unsubscribed."""
    expected = Expected()
    expected.link(world.contacts, world.control.truth_contacts())
    deployment.switch_on("lists", "contacts", "opt_outs", "list_memberships", "approvals")
    wait_for("contacts are linked", lambda: deployment.has_run("contacts", "links"))
    wait_for("the first opt-outs are carried", lambda: waiting(connection) == 0)
    before = list(world.control.truth_contacts())
    permissions = expected.permissions(world.contacts_after, before, world.flags)
    return Played(world, deployment, expected, permissions, before)


def load_with_a_loss(story: Played, connection: crm.Connection) -> None:
    """The history is loaded while opt-outs trickle in, and a worker is lost."""
    deployment, flags = story.deployment, iter(story.world.flags)
    last_night = newest_change(connection)
    deployment.switch_on("activities", "retention", "bulk_memberships", "opt_ins")

    def is_lost() -> bool:
        crm.change_flags(connection, islice(flags, 1))
        # counted first: who is found to load afterwards, loaded then too
        story.carried_while_loading = done(connection, last_night)
        return (
            story.carried_while_loading > 0
            and events(connection) >= LOST_AT_EVENTS
            and deployment.lose_worker("engagement")
        )

    wait_for("an opt-out is carried, and a worker that loads is lost", is_lost)
    crm.change_flags(connection, flags)

    def is_all_done() -> bool:
        deployment.let_retries_be_due()
        return deployment.has_run("activities", "interactions") and waiting(connection) == 0

    wait_for("all is loaded and carried", is_all_done)


def number(connection: crm.Connection, statement: LiteralString) -> int:
    return int(crm.frame(connection, statement).iloc[0, 0])


def events(connection: crm.Connection) -> int:
    return number(connection, "SELECT count(*) FROM ctct_engagement")


def waiting(connection: crm.Connection) -> int:
    return number(connection, "SELECT count(*) FROM crm_opt_out_change WHERE status = 'pending'")


def newest_change(connection: crm.Connection) -> int:
    return number(connection, "SELECT coalesce(max(change_id), 0) FROM crm_opt_out_change")


def done(connection: crm.Connection, after: int) -> int:
    found = crm.frame(
        connection,
        "SELECT FROM crm_opt_out_change WHERE status = 'done' AND change_id > %s",
        [after],
    )
    return len(found)


def counted_today(connection: crm.Connection) -> tuple[str, int]:
    """The day that the budget is in, and the calls that it has given out in it."""
    ((day, calls),) = connection.execute(
        "SELECT day_utc::text, calls FROM ctct_api_budget"
    ).fetchall()
    return day, calls


def test_both_workers_read_the_history(played: Played) -> None:
    for worker in WORKERS:
        assert "engagement" in played.deployment.began(worker)


def test_a_worker_that_is_lost_leaves_no_task_behind(played: Played) -> None:
    found = played.deployment.tasks("activities", "engagement")
    # the next night's may have begun meanwhile
    first = min(each["dag_run_id"] for each in found)
    tries = [each["try_number"] for each in found if each["dag_run_id"] == first]
    assert len(tries) == SHARDS
    assert max(tries) == 2, tries
    assert played.deployment.has_run("activities", "engagement")
    assert "started again" in (played.deployment.folder / "up.log").read_text()


def test_opt_outs_go_out_while_the_history_is_loaded(played: Played) -> None:
    assert played.carried_while_loading > 0


def test_the_budget_holds_over_both_workers(played: Played) -> None:
    control = played.world.control
    calls = [each for each in control.calls() if each["path"].startswith("/v3/")]
    assert not any(each["throttled"] for each in calls)
    times = sorted(each["monotonic_s"] for each in calls)
    most = max(sum(start <= each < start + 10 for each in times) for start in times)
    assert most <= 10 * ASKED_PER_SECOND + IN_FLIGHT + 1
    with psycopg.connect(played.deployment.crm_url) as connection:
        today, counted = counted_today(connection)
    made = sum(each["real_time"].startswith(today) for each in calls)
    # At midnight calls whose turn was yesterday are on their way.
    yesterdays = IN_FLIGHT if made < len(calls) else 0
    # who was killed between its turn and its call has counted one that was not made
    assert made - yesterdays <= counted <= made + IN_FLIGHT


def test_all_ends_right(played: Played) -> None:
    world = played.world
    with psycopg.connect(played.deployment.crm_url) as connection:
        there, vendor = Crm.read(connection), Vendor.asked(world.control)
    secrets = (CLIENT_SECRET, world.vendor.refresh_token)
    found = [
        checks.mirror(there, vendor),
        checks.own_columns(there, world.contacts_after),
        checks.links(there, played.expected),
        checks.ledger(there, vendor),
        checks.interactions(there, vendor, played.expected, world.calendar.names),
        checks.permissions(vendor, played.permissions),
        checks.flags(there, vendor, played.expected),
        checks.outbox(there, played.expected),
        checks.kept(vendor, played.before),
        checks.will(vendor),
        checks.privacy(there.calls, played.deployment.logs(), secrets),
    ]
    assert [check for check in found if not check.is_right] == []
