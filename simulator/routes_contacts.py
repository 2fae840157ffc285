"""/contacts and /contact_lists."""

from typing import Any

from simulator import contact_filter, contact_view, contact_write, edits
from simulator.call import Call, Reply
from simulator.clock import DAY_MS
from simulator.errors import invalid, not_found, refuse_unknown, refused
from simulator.ids import is_uuid
from simulator.lists import MAX_LISTS, ContactList


def contacts(call: Call) -> Reply:
    """GET /contacts."""
    call.read_query(contact_filter.PARAMETERS)
    page = call.page(50, 500)
    include = contact_filter.include(call)
    with_count = call.flag("include_count", False)
    rows = contact_filter.rows(call)
    world = call.world
    shown = rows[page.offset : page.offset + page.limit]
    body: dict[str, Any] = {"contacts": contact_view.page(world, shown, include)}
    if with_count:
        counted = {"matching": rows, "page": shown}.get(world.settings.contacts_count)
        everyone = contact_filter.by_status(world.contacts, ["all"])
        body["contacts_count"] = int(everyone.sum()) if counted is None else len(counted)
    return Reply(200, body | call.links(page, len(rows)))


def create_contact(call: Call) -> Reply:
    """POST /contacts."""
    call.read_query(set())
    row = contact_write.create(call.world, call.json_object())
    return Reply(201, _whole(call, row))


def contact(call: Call) -> Reply:
    """Also of a deleted contact."""
    call.read_query({"include"})
    include = contact_filter.include(call)
    world, row = call.world, _row(call)
    if world.contacts.deleted_at[row] and not world.settings.deleted_by_id:
        raise not_found("contact_id")
    return Reply(200, contact_view.one(world, row, include))


def replace_contact(call: Call) -> Reply:
    """PUT /contacts/{contact_id}."""
    call.read_query(set())
    row = _row(call)
    contact_write.replace(call.world, row, call.json_object())
    return Reply(200, _whole(call, row))


def delete_contact(call: Call) -> Reply:
    """DELETE /contacts/{contact_id}."""
    call.read_query(set())
    contact_write.delete(call.world, _row(call), call.world.clock.now_ms())
    return Reply(204)


def resubscribe(call: Call) -> Reply:
    """The contract gives this reply no body of its own: an empty object."""
    call.read_query(set())
    row = _row(call)
    contact_write.resubscribe(call.world, row, call.json_object())
    return Reply(200, {})


def counts(call: Call) -> Reply:
    """GET /contacts/counts."""
    call.read_query({"include"})
    with_new = call.choices("include", {"new_subscriber"})
    since_ms = call.world.clock.now_ms() - 30 * DAY_MS
    return Reply(200, contact_filter.counts(call.world, since_ms=since_ms if with_new else None))


def lists(call: Call) -> Reply:
    """In order of creation. Deleted ones only when asked for."""
    call.read_query(
        {
            "limit",
            "include_count",
            "include_membership_count",
            "name",
            "status",
            "channel_type",
            "include_sms_membership_count",
        }
    )
    page = call.page(50, 1000)
    statuses = call.choices("status", {"all", "active", "deleted"}) or ["active"]
    with_count = call.flag("include_count", False)
    call.flag("include_sms_membership_count", False)
    sms = "sms" in call.choices("channel_type", {"email", "sms"})
    members = _member_counts(call)
    name = call.value("name")
    chosen = [
        (number, each)
        for number, each in enumerate(call.world.lists.all)
        if not sms
        and ("all" in statuses or ("deleted" if each.deleted_ms else "active") in statuses)
        and (name is None or each.name == name)
    ]
    shown = [
        each.as_json() | ({"membership_count": members[number]} if members is not None else {})
        for number, each in chosen[page.offset : page.offset + page.limit]
    ]
    body: dict[str, Any] = {"lists": shown}
    if with_count:
        body["lists_count"] = len(chosen)
    return Reply(200, body | call.links(page, len(chosen)))


def create_list(call: Call) -> Reply:
    """POST /contact_lists."""
    call.read_query(set())
    body = call.json_object()
    _check_list(call, body, None)
    world = call.world
    if sum(not each.deleted_ms for each in world.lists.all) >= MAX_LISTS:
        raise refused(400, "lists.api.limit", f"An account has at most {MAX_LISTS} lists")
    now_ms = world.clock.now_ms()
    made = ContactList(
        world.new_id("list"),
        body["name"],
        now_ms,
        now_ms,
        body.get("description") or "",
        body.get("favorite", False),
    )
    world.lists.add(made)
    return Reply(201, made.as_json())


def contact_list(call: Call) -> Reply:
    """Also of a deleted list."""
    call.read_query({"include_membership_count"})
    number = _list_number(call, deleted_too=True)
    members = _member_counts(call)
    extra = {} if members is None else {"membership_count": members[number]}
    return Reply(200, call.world.lists.all[number].as_json() | extra)


def replace_list(call: Call) -> Reply:
    """PUT /contact_lists/{list_id}."""
    call.read_query(set())
    number = _list_number(call, deleted_too=False)
    body = call.json_object()
    _check_list(call, body, number)
    each = call.world.lists.all[number]
    each.name = body["name"]
    each.description = body.get("description") or ""
    each.favorite = body.get("favorite", False)
    each.updated_ms = call.world.clock.now_ms()
    return Reply(200, each.as_json())


def delete_list(call: Call) -> Reply:
    """DELETE /contact_lists/{list_id}: a bulk job."""
    call.read_query(set())
    world = call.world
    number = _list_number(call, deleted_too=False)
    list_id = world.lists.all[number].list_id

    def work() -> dict[str, int]:
        if world.lists.number(list_id) is not None:
            edits.delete_list(world, list_id)
        return {}

    return Reply(202, world.bulk.submit(world, "list_delete", {}, work).as_json())


def _row(call: Call) -> int:
    try:
        row = call.world.contacts.find(call.path_args["contact_id"])
    except ValueError as error:
        raise invalid("contact_id is not a UUID") from error
    if row is None:
        raise not_found("contact_id")
    return row


def _whole(call: Call, row: int) -> dict[str, Any]:
    world = call.world
    return contact_view.one(world, row, set(contact_view.SUB_RESOURCES))


def _list_number(call: Call, *, deleted_too: bool) -> int:
    list_id = call.path_args["list_id"]
    if not is_uuid(list_id):
        raise invalid("list_id is not a UUID")
    number = call.world.lists.number(list_id, deleted_too=deleted_too)
    if number is None:
        raise not_found("list_id")
    return number


def _member_counts(call: Call) -> list[int] | None:
    """Members per list: `all` counts every contact in it, `active` the mailable ones."""
    wanted = call.choices("include_membership_count", {"all", "active"})
    if not wanted:
        return None
    world = call.world
    store = world.contacts
    key = ("members", store.version, len(world.lists.all), wanted[0])
    found = world.filter_results.get(key)
    if found is None:
        mask = contact_filter.by_status(store, ["active"]) if wanted == ["active"] else store.live()
        found = store.memberships.counts(store.membership[: store.size][mask], len(world.lists.all))
        world.filter_results[key] = found
    counts: list[int] = found
    return counts


def _check_list(call: Call, body: dict[str, Any], number: int | None) -> None:
    refuse_unknown(body.keys() - {"name", "favorite", "description"})
    name = body.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= 255:
        raise invalid("name is required: 1 to 255 characters")
    if not isinstance(body.get("favorite", False), bool):
        raise invalid("favorite must be true or false")
    for other, each in enumerate(call.world.lists.all):
        if other != number and not each.deleted_ms and each.name == name:
            raise refused(409, "lists.api.conflict", "A list with this name already exists")
