"""Looks at the files in which the CRM meets us, and at its contacts."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any, Final

import psycopg

from constant_contact.errors import SettingError
from constant_contact.store import database, state
from constant_contact.store.crm_contacts import (
    COLUMN_NAMES,
    column_types,
    count_addresses,
    count_contacts,
    find_id_problems,
    find_texts_of_flags,
    read_differences,
)
from constant_contact.store.database import Database
from constant_contact.store.seam import SeamFile
from constant_contact.store.seam_check import (
    check_bell,
    find_missing_rights,
    find_slow_batches,
    find_slow_look,
    find_unread_columns,
    find_unrung_heirs,
    find_views,
    plan_file,
    rung_relations,
)
from constant_contact.store.seam_rights import Relation
from constant_contact.store.seam_session import MissingRight, explained, seam_session
from constant_contact.sync.check.assumptions import Line
from constant_contact.sync.check.crm_assumptions import MOST_BEHIND_S, MOST_SECONDS
from constant_contact.sync.check.crm_lines import (
    differs,
    holds,
    limit,
    not_tried,
    placeholders,
    probe,
    refused,
    said,
    without_names,
)

# Of the server's own; a type that the CRM has made may be called anything.
_PLAIN_TYPE: Final = re.compile(
    r"text|citext|character( varying)?|name|uuid|boolean|smallint|integer|bigint|numeric"
)
# By pg_trigger.tgenabled, beside A.
_FIRES: Final = {"D": "disabled", "R": "only where a replication writes", "O": "not for all writes"}


@probe("contacts_read", "contacts_ids", "contacts_look_up")
def _look_at_contacts(connection: psycopg.Connection[Any], crm: Database) -> Iterator[Line]:
    file = crm.seam.contacts
    with crm.contacts.transaction() if crm.contacts else nullcontext(connection) as reading:
        limit(reading, is_read_only=True)
        try:
            with reading.transaction():
                with seam_session(reading), explained(file):
                    types = column_types(reading, file)
                counted = count_contacts(reading, file)
        except SettingError as error:
            yield _unfit(reading, "contacts_read", "contacts", file, error)
            return
        unread = list(find_unread_columns(reading, file))
        unread += find_texts_of_flags(counted, file)
        yield _contacts_read(types, counted.contacts, unread)
        if problems := list(find_id_problems(counted, file)):
            seen = f"{counted.ids:,} ids in {counted.contacts:,} rows; {counted.longest} bytes"
            yield differs("contacts_ids", seen, said(problems))
        else:
            yield holds("contacts_ids", f"{counted.ids:,} ids, of {counted.longest} bytes at most")
        if slow := list(find_slow_look(reading, file)):
            yield differs("contacts_look_up", "a look at one contact reads all", said(slow))
        else:
            yield holds("contacts_look_up", "by an index, or a table of a few rows")


def _contacts_read(types: dict[str, Any], contacts: int, problems: list[SettingError]) -> Line:
    ours = {name: its for name, its in types.items() if name in COLUMN_NAMES}
    columns = ", ".join(
        f"{name} {its if _PLAIN_TYPE.fullmatch(its) else 'of a type of its own'}"
        for name, its in ours.items()
    )
    seen = f"{contacts:,} rows: {columns}"
    if problems:
        more = len(types) - len(ours)
        seen += f"; and {more} that nothing reads" if more else ""
        return differs("contacts_read", seen, said(problems))
    return holds("contacts_read", seen)


def _unfit(
    connection: psycopg.Connection[Any],
    name: str,
    kind: str,
    file: SeamFile,
    error: SettingError,
) -> Line:
    """A file that the database says no to: for want of a right, or because it does not fit."""
    if not isinstance(error, MissingRight):
        return differs(name, f"{kind}.sql does not fit the CRM's tables", error.problem)
    missing = find_missing_rights(connection, kind, file)
    remedy = said(missing or find_missing_rights(connection, kind, file, error))
    names = placeholders(rung_relations(connection, file))
    exported = without_names(remedy, names) if missing else ""
    return refused(name, "our login lacks a right on the CRM's tables", remedy, exported)


@probe("contacts_replica")
def _look_at_replica(_: psycopg.Connection[Any], crm: Database) -> Iterator[Line]:
    if crm.contacts is None:
        yield not_tried("contacts_replica", "contacts.sql is read through the CRM's connection")
        return
    with crm.contacts.transaction() as reading:
        limit(reading, is_read_only=True)
        found = database.row(reading, "check/replica") or {}
    behind_s = found["behind_s"]
    if not found["is_standby"]:
        yield holds("contacts_replica", "contacts.sql is read from a primary server")
    elif behind_s is None:
        yield differs("contacts_replica", "a replica that hears no primary since it started")
    else:
        told = differs if behind_s > MOST_BEHIND_S else holds
        yield told("contacts_replica", f"a replica, {behind_s:,} s behind")


@probe(
    "contacts_flags",
    "contacts_addresses",
    "shared_addresses",
    needs_schema=True,
    is_read_only=False,
)
def _look_at_addresses(connection: psycopg.Connection[Any], crm: Database) -> Iterator[Line]:
    counted = count_addresses(connection, crm)
    contacts, unknown = f"{counted['contacts']:,} contacts", counted["unknown_flags"]
    flags = f"{contacts}: {counted['flagged']:,} with the flag, {unknown:,} with an empty one"
    yield (differs if unknown else holds)("contacts_flags", flags)
    malformed, none = counted["malformed"], counted["without_address"]
    addresses = f"{contacts}: {malformed:,} with a malformed address, {none:,} without any"
    yield (differs if malformed else holds)("contacts_addresses", addresses)
    shared = f"shared addresses: {counted['shared']:,}, of {counted['sharing']:,} contacts"
    yield (differs if counted["shared"] else holds)("shared_addresses", shared)


@probe("write_back", is_read_only=False)
def _look_at_write_back(connection: psycopg.Connection[Any], crm: Database) -> Iterator[Line]:
    file = crm.seam.write_back
    if file is None:
        yield not_tried("write_back", "there is no write_back.sql: the ids are in ctct_link")
        return
    yield _planned(connection, "write_back", file, find_slow_batches)


@probe("flag_back", is_read_only=False)
def _look_at_flag_back(connection: psycopg.Connection[Any], crm: Database) -> Iterator[Line]:
    file = crm.seam.flag_back
    if file is None:
        yield not_tried("flag_back", "there is no flag_back.sql: the CRM's flag is left alone")
        return
    database.run(connection, "links/stage_flags")
    yield _planned(connection, "flag_back", file, _find_nothing)


def _find_nothing(connection: psycopg.Connection[Any], file: SeamFile) -> Iterator[SettingError]:
    plan_file(connection, file)
    return iter(())


def _planned(
    connection: psycopg.Connection[Any],
    name: str,
    file: SeamFile,
    find_slow: Callable[[psycopg.Connection[Any], SeamFile], Iterator[SettingError]],
) -> Line:
    """Plan a file that writes; nothing of it is run."""
    try:
        with connection.transaction():
            slow = list(find_slow(connection, file))
    except SettingError as error:
        return _unfit(connection, name, name, file, error)
    if slow:
        return differs(name, "each batch reads a table whole", said(slow))
    if ";" in file.code:
        return not_tried(name, "it has several statements, which no plan can be made of")
    return holds(name, "its names, types and rights are right")


@probe("doorbell", "doorbell_enabled", "doorbell_rings", needs_schema=True)
def _look_at_doorbell(connection: psycopg.Connection[Any], crm: Database) -> Iterator[Line]:
    file = crm.seam.doorbell
    if file is None:
        for name in ("doorbell", "doorbell_enabled", "doorbell_rings"):
            yield not_tried(name, "there is no doorbell.sql: each change waits for the next look")
        return
    relations = rung_relations(connection, file)
    bells = database.rows(connection, "crm_contacts/doorbells")
    yield _doorbell_there(connection, file, relations, bells)
    quiet = [bell for bell in bells if bell["enabled"] != "A"]
    if "enable always" not in " ".join(file.code.lower().split()):
        # Who may not alter the table has left that out, knowing what it means.
        quiet = [bell for bell in quiet if bell["enabled"] != "O"]
    if quiet:
        states = ", ".join(sorted({_FIRES[bell["enabled"]] for bell in quiet}))
        remedy = "; ".join(
            f"ALTER TABLE {bell['relation']} ENABLE ALWAYS TRIGGER {_quoted(bell['name'])}"
            for bell in quiet
        )
        yield differs("doorbell_enabled", f"{len(quiet)} of {len(bells)}: {states}", remedy)
    elif bells:
        yield holds("doorbell_enabled", f"all {len(bells)}")
    yield _doorbell_rang(connection, bool(bells))


def _doorbell_there(
    connection: psycopg.Connection[Any],
    file: SeamFile,
    relations: list[Relation],
    bells: list[dict[str, Any]],
) -> Line:
    tables = [each for each in relations if not each.is_view]
    rung = {bell["relation_id"] for bell in bells}
    without = [each for each in tables if each.relation_id not in rung]
    elsewhere = len(rung - {each.relation_id for each in tables})
    seen = f"triggers: {len(bells)}; tables with one: {len(tables) - len(without)} of {len(tables)}"
    if elsewhere:
        seen += f"; tables that doorbell.sql does not name: {elsewhere}, as after a swap"
    if without or not tables:
        problems = find_views(file, relations) or find_missing_rights(connection, "doorbell", file)
        exported = without_names(said(problems), placeholders(relations))
        return differs("doorbell", seen, said(problems) or None, exported)
    if heirs := find_unrung_heirs(connection, file):
        return differs("doorbell", f"{seen}; heirs without: {len(heirs)}", said(heirs))
    try:
        for bell in bells:
            check_bell(file, bell)
    except SettingError as error:
        return differs("doorbell", f"{seen}; a trigger has wrong arguments", str(error))
    return holds("doorbell", seen)


def _doorbell_rang(connection: psycopg.Connection[Any], is_there: bool) -> Line:
    rings = database.row(connection, "check/rings") or {}
    last = rings["last_rang_at"]
    seen = f"it last rang at {last:%Y-%m-%d %H:%M} UTC" if last else "it never rang yet"
    unrung = rings["set_unrung"] + rings["cleared_unrung"]
    if unrung:
        return differs(
            "doorbell_rings",
            f"{seen}; changes that the comparison found and it did not ring for: {unrung:,}",
        )
    if not is_there:
        return not_tried("doorbell_rings", "there is no trigger")
    return holds("doorbell_rings", seen)


def _quoted(name: str) -> str:
    return psycopg.sql.Identifier(name).as_string(None)


@probe("comparison_time", needs_schema=True, is_read_only=False)
def _time_comparison(connection: psycopg.Connection[Any], crm: Database) -> Iterator[Line]:
    """As the jobs read and compare, into temporary tables; nothing of it is kept."""
    began = time.monotonic()
    read_differences(connection, crm)
    took_s = time.monotonic() - began
    ((differing,),) = connection.execute("SELECT count(*) FROM read_contact").fetchall()
    seen = f"{took_s:.1f} s; contacts that differ from what was last seen of them: {differing:,}"
    yield (differs if took_s > MOST_SECONDS else holds)("comparison_time", seen)


@probe("linking_time", needs_schema=True, is_read_only=False)
def _time_linking(connection: psycopg.Connection[Any], _: Database) -> Iterator[Line]:
    contacts = (database.row(connection, "crm_contacts/count") or {})["contacts"]
    if not contacts:
        yield not_tried("linking_time", "no job has looked at the CRM's contacts yet")
        return
    is_whole = state.load(connection, "contacts").full_pass_at is not None
    began = time.monotonic()
    database.stage(connection, "links/stage", "wanted_link", [])
    wanted = database.run(connection, "links/want", {"mirror_is_whole": is_whole})
    took_s = time.monotonic() - began
    seen = f"{took_s:.1f} s; contacts: {contacts:,}, links that would change: {wanted:,}"
    yield (differs if took_s > MOST_SECONDS else holds)("linking_time", seen)


PROBES: Final = (
    _look_at_contacts, _look_at_replica, _look_at_addresses, _look_at_write_back,
    _look_at_flag_back, _look_at_doorbell, _time_comparison, _time_linking,
)  # fmt: skip
