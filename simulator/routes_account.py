"""/account and /activities."""

from typing import Any

from simulator import contact_import, list_membership_jobs
from simulator.bulk import OUTCOMES
from simulator.call import Call, Reply
from simulator.clock import DAY_MS
from simulator.errors import not_found

PRIVILEGES = (
    (10, "account:read"),
    (20, "contacts:read"),
    (21, "contacts:write"),
    (22, "contacts:lists:read"),
    (23, "contacts:lists:write"),
    (30, "campaign:create"),
    (31, "campaign:read"),
    (40, "ui:campaign:metrics"),
)


def summary(call: Call) -> Reply:
    """GET /account/summary."""
    call.read_query({"extra_fields"})
    extra = call.choices("extra_fields", {"physical_address", "company_logo"})
    body: dict[str, Any] = {
        "contact_email": "owner@example.com",
        "contact_phone": "5550100",
        "country_code": "US",
        "encoded_account_id": "p07e1l8cdif9dl",
        "first_name": "Dana",
        "last_name": "Owner",
        "organization_name": "Demo Organization",
        "organization_phone": "5550100",
        "state_code": "MA",
        "time_zone_id": "US/Eastern",
        "website": "https://demo.example.com",
    }
    if "physical_address" in extra:
        body["physical_address"] = {
            "address_line1": "1 Example Street",
            "city": "Boston",
            "state_code": "MA",
            "postal_code": "02110",
            "country_code": "US",
        }
    return Reply(200, body)


def privileges(call: Call) -> Reply:
    """GET /account/user/privileges."""
    call.read_query(set())
    return Reply(200, [{"privilege_id": n, "privilege_name": name} for n, name in PRIVILEGES])


def activities(call: Call) -> Reply:
    """Those of the past 10 days, newest first. Looking at the collection is a poll of each job."""
    call.read_query({"limit", "state"})
    page = call.page(50, 500)
    states = call.choices("state", {"processing", *OUTCOMES})
    world = call.world
    since_ms = world.clock.now_ms() - 10 * DAY_MS
    jobs = [job for job in world.bulk.jobs.values() if job.created_ms >= since_ms][::-1]
    for job in jobs:
        world.bulk.poll(world, job)
    if states:
        jobs = [job for job in jobs if job.state in states]
    shown = [job.as_json() for job in jobs[page.offset : page.offset + page.limit]]
    return Reply(200, {"activities": shown, **call.links(page, len(jobs))})


def activity(call: Call) -> Reply:
    """GET /activities/{activity_id}."""
    call.read_query(set())
    job = call.world.bulk.jobs.get(call.path_args["activity_id"].lower())
    if job is None:
        raise not_found("activity_id")
    call.world.bulk.poll(call.world, job)
    return Reply(200, job.as_json())


def import_contacts(call: Call) -> Reply:
    """POST /activities/contacts_json_import."""
    call.read_query(set())
    world = call.world
    contacts, lists = contact_import.accepted(call.raw_body, call.json_object(), world)
    begin = contact_import.counters(len(contacts))
    job = world.bulk.submit(
        world, "contacts_json_import", begin, lambda: contact_import.run(world, contacts, lists)
    )
    return Reply(201, job.as_json())


def add_memberships(call: Call) -> Reply:
    """POST /activities/add_list_memberships."""
    return _membership_job(call, adding=True)


def remove_memberships(call: Call) -> Reply:
    """POST /activities/remove_list_memberships."""
    return _membership_job(call, adding=False)


def _membership_job(call: Call, *, adding: bool) -> Reply:
    call.read_query(set())
    world = call.world
    begin, work = list_membership_jobs.prepare(world, call.json_object(), adding=adding)
    kind = "add_list_memberships" if adding else "remove_list_memberships"
    return Reply(201, world.bulk.submit(world, kind, begin, work).as_json())
