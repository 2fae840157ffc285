"""Two workers carry a whole account; one of them is lost in the middle of it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import LiteralString

import psycopg
import pytest

from local.demo import checks, crm
from local.demo.evidence import Crm, Vendor, calls_today
from local.demo.expected import Expected, Permission
from local.demo.people import JSON
from local.simulator import CLIENT_SECRET
from tests.system.deployment import Deployment, deployed, wait_for
from tests.system.world import ASKED_PER_SECOND, World, made

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server"),
]

WORKERS = ("worker-1", "worker-2")
SHARDS = 4
SETTINGS = {
    "AIRFLOW__CONSTANT_CONTACT__ENGAGEMENT_SHARDS": str(SHARDS),
    # two minutes are right for a deployment and long for a test
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
}
# Of about 40,000 events, so many are stored when the worker is lost.
KILLED_AT_EVENTS = 10_000
IN_FLIGHT = 10


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
    wait_for("contacts are linked", lambda: deployment.has_run("contacts", "links"), 120)
    wait_for("the first opt-outs are carried", lambda: waiting(connection) == 0, 60)
    before = list(world.control.truth_contacts())
    permissions = expected.permissions(world.contacts_after, before, world.flags)
    return Played(world, deployment, expected, permissions, before)


def load_with_a_loss(story: Played, connection: crm.Connection) -> None:
    """The history is loaded while opt-outs trickle in, and a worker is lost."""
    deployment, flags = story.deployment, iter(story.world.flags)
    last_night = newest_change(connection)
    deployment.switch_on("activities", "retention", "bulk_memberships", "opt_ins")

    def is_half_loaded() -> bool:
        crm.change_flags(connection, islice(flags, 1))
        return events(connection) >= KILLED_AT_EVENTS

    wait_for("a quarter of the history is stored", is_half_loaded, 120)
    story.carried_while_loading = done(connection, last_night)
    (victim,) = [each for each in WORKERS if "engagement" in deployment.began(each)][:1]
    deployment.kill_worker(victim)
    crm.change_flags(connection, flags)

    def is_all_done() -> bool:
        deployment.let_retries_be_due()
        return deployment.has_run("activities", "interactions") and waiting(connection) == 0

    wait_for("all is loaded and carried", is_all_done, 200)


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


def test_both_workers_read_the_history(played: Played) -> None:
    for worker in WORKERS:
        assert "engagement" in played.deployment.began(worker)


def test_a_worker_that_is_lost_leaves_no_task_behind(played: Played) -> None:
    tries = [each["try_number"] for each in played.deployment.tasks("activities", "engagement")]
    assert len(tries) == SHARDS
    assert max(tries) == 2, tries
    assert played.deployment.has_run("activities", "engagement")
    assert "started anew" in (played.deployment.folder / "up.log").read_text()


def test_opt_outs_go_out_while_the_history_is_loaded(played: Played) -> None:
    assert played.carried_while_loading > 0


def test_the_budget_holds_over_both_workers(played: Played) -> None:
    control = played.world.control
    summary = control.calls_summary()
    assert summary["throttled_count"] == 0
    times = sorted(
        each["monotonic_s"] for each in control.calls() if each["path"].startswith("/v3/")
    )
    most = max(sum(start <= each < start + 10 for each in times) for start in times)
    assert most <= 10 * ASKED_PER_SECOND + 1
    with psycopg.connect(played.deployment.crm_url) as connection:
        counted = calls_today(connection)
    # who was killed between its turn and its call has counted one that was not made
    assert summary["api_calls"] <= counted <= summary["api_calls"] + IN_FLIGHT


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
