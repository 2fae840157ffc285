"""Looks at the CRM's server, our sessions there, and our own tables."""

import json
from collections.abc import Iterator
from typing import Any, Final

import psycopg

from constant_contact.commands import command
from constant_contact.errors import SettingError
from constant_contact.store import database
from constant_contact.store.accounts import are_of
from constant_contact.store.database import Database
from constant_contact.store.migrations import load_versions, schema_indexes, unknown_version
from constant_contact.store.requirements import find_problems, load_server, missing_grants
from constant_contact.store.session import SETTINGS
from constant_contact.sync.check.assumptions import Line
from constant_contact.sync.check.crm_lines import differs, holds, probe, without_names

# As the key has them, whatever the server's locale makes of I, Ä and ß.
_KEYS: Final = {
    " TITLE@Example.com": "title@example.com",
    "JÄGER@EXAMPLE.COM": "jäger@example.com",
    "Straße@example.com": "straße@example.com",
}
_MARK: Final = "constant_contact check {}"


@probe("server_version", "server_writable", "server_encoding", "tables_schema", is_read_only=False)
def _look_at_server(connection: psycopg.Connection[Any], _: Database) -> Iterator[Line]:
    server = load_server(connection)
    problems = dict(find_problems(server))
    names = {
        server["database"]: "{database}",
        server["login"]: "{role}",
        server["search_path"]: "{search_path}",
        server["schema"]: "{schema}",
        **dict.fromkeys(server["elsewhere"], "{schema}"),
    }
    seen = {
        "server_version": f"PostgreSQL {server['version'] // 10_000}.{server['version'] % 10_000}",
        "server_writable": (
            "a standby"
            if server["is_standby"]
            else "read-only for our login"
            if server["is_read_only"]
            else "it takes writes"
        ),
        "server_encoding": server["encoding"],
        "tables_schema": (
            "the search_path names no schema that our login may use"
            if server["schema"] is None
            else "our tables, or the CRM's, are in another schema that is in sight"
            if server["elsewhere"]
            else "one schema"
        ),
    }
    for name, fact in seen.items():
        problem = problems.get(name)
        if problem is None:
            yield holds(name, fact)
        else:
            exported = without_names(problem.problem, names)
            yield differs(name, fact, problem.problem, exported)


@probe("table_rights")
def _look_at_rights(connection: psycopg.Connection[Any], _: Database) -> Iterator[Line]:
    grants = missing_grants(connection)
    if not grants:
        yield holds("table_rights", "each right that the jobs need")
        return
    names = {
        each: placeholder
        for each, placeholder in _identifiers(connection)
        if each not in {"public", "ctct_link"}
    }
    remedy = "; ".join(grants)
    seen = f"{len(grants)} GRANT{'s are' if len(grants) > 1 else ' is'} missing"
    yield differs("table_rights", seen, remedy, without_names(remedy, names))


def _identifiers(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Names as the GRANTs write them, and what an export has for each."""
    ((schema, base, role),) = connection.execute(
        "SELECT quote_ident(current_schema()), quote_ident(current_database()),"
        " quote_ident(current_user)"
    ).fetchall()
    return [(schema, "{schema}"), (base, "{database}"), (role, "{role}")]


@probe("collation_version")
def _look_at_place(connection: psycopg.Connection[Any], _: Database) -> Iterator[Line]:
    place = database.row(connection, "check/place") or {}
    if place["has_changed"]:
        yield differs("collation_version", f"{place['provider']}, and it has changed since")
    else:
        yield holds("collation_version", f"{place['provider']}, as when the database was made")


@probe("address_case", needs_schema=True)
def _look_at_case(connection: psycopg.Connection[Any], _: Database) -> Iterator[Line]:
    place = database.row(connection, "check/place") or {}
    found = database.rows(connection, "check/keys", {"addresses": list(_KEYS)})
    wrong = sum(row["email_key"] != key for row, key in zip(found, _KEYS.values(), strict=True))
    seen = f"locale {place['locale']} of {place['provider']} makes {found[0]['folded']} of IÄ"
    if wrong:
        yield differs("address_case", f"{seen}; {wrong} of {len(_KEYS)} keys are wrong")
    else:
        yield holds("address_case", f"{seen}; the keys are right")


@probe("session_settings")
def _look_at_settings(connection: psycopg.Connection[Any], crm: Database) -> Iterator[Line]:
    # The check's own time limits stand for ours.
    wanted = {name: value for name, value in crm.settings.items() if not name.endswith("_timeout")}
    params = {"settings": json.dumps({name: wanted[name] for name in SETTINGS if name in wanted})}
    unsettled = [row["name"] for row in database.rows(connection, "check/unsettled", params)]
    ours = {name.lower() for name in SETTINGS}
    given = [
        row["name"]
        for row in database.rows(connection, "check/given_settings")
        if row["name"].lower() in ours
    ]
    if unsettled:
        yield differs("session_settings", f"not as we set them: {', '.join(unsettled)}")
        return
    overridden = f"of the role and the database overridden: {', '.join(given)}" if given else ""
    yield holds("session_settings", overridden or "the role and the database give none of ours")


@probe("direct_session")
def _look_at_sessions(_: psycopg.Connection[Any], crm: Database) -> Iterator[Line]:
    """Mark two sessions: behind a pooler that lends one process to both, a mark is the other's.

    PgBouncer lends the process that became free last; tried with 1.18, in both modes.
    """
    with crm.session() as first, crm.session() as second:
        marked = database.row(first, "check/mark_session", {"mark": _MARK.format(1)}) or {}
        database.row(second, "check/mark_session", {"mark": _MARK.format(2)})
        again = database.row(first, "check/session_mark") or {}
        if again != marked:
            yield differs("direct_session", "two of our sessions share a process of the server")
        elif first.info.backend_pid != again["backend"]:
            yield holds("direct_session", "a pooler lends each session a process of its own")
        else:
            yield holds("direct_session", "no pooler in between")


@probe("notices")
def _look_at_notices(connection: psycopg.Connection[Any], _: Database) -> Iterator[Line]:
    prepared = (database.row(connection, "check/notices") or {})["prepared_transactions"]
    seen = f"max_prepared_transactions is {prepared}"
    yield differs("notices", seen) if prepared else holds("notices", seen)


@probe("schema_version")
def _look_at_versions(connection: psycopg.Connection[Any], _: Database) -> Iterator[Line]:
    known = load_versions(connection)
    if known.unknown:
        seen = f"{known.unknown[-1]}, which is newer"
        remedy = unknown_version(known.unknown)
        yield differs("schema_version", seen, remedy, remedy)
    elif not known.applied:
        yield differs("schema_version", "there is no schema of ours yet")
    elif known.missing:
        count = len(known.missing)
        lacking = f"lacks {known.missing[0]}" + (f" and {count - 1} more" if count > 1 else "")
        yield differs("schema_version", f"{known.applied[-1]}; it {lacking}")
    else:
        yield holds("schema_version", known.applied[-1])


def look_at_owner(
    conn_id: str, connection: psycopg.Connection[Any], crm: Database
) -> Iterator[Line]:
    """Tell whether the tables are those of the account `conn_id`."""
    try:
        is_claimed = are_of(connection, conn_id, crm.name)
    except SettingError as error:
        yield differs(
            "own_tables", "they are another account's, or several are in sight", str(error)
        )
        return
    seen = "of this account" if is_claimed else "of no account yet; the first job claims them"
    yield holds("own_tables", seen)


@probe("our_indexes", needs_schema=True)
def _look_at_indexes(connection: psycopg.Connection[Any], _: Database) -> Iterator[Line]:
    known = load_versions(connection)
    ours = schema_indexes([each for each in known.applied if each not in known.unknown])
    rows = database.rows(connection, "check/lacking_indexes", {"names": list(ours)})
    lacking = [row["name"] for row in rows]
    if not lacking:
        yield holds("our_indexes", f"all {len(ours)}")
        return
    # One that is there without use keeps its name.
    remedy = "; ".join(f"DROP INDEX IF EXISTS {name}; {ours[name]}" for name in lacking)
    yield differs("our_indexes", f"missing or invalid: {', '.join(lacking)}", remedy, remedy)


@probe("kept_up")
def _look_at_sizes(connection: psycopg.Connection[Any], _: Database) -> Iterator[Line]:
    sizes = database.row(connection, "check/sizes") or {}
    seen = (
        f"the database has {_megabytes(sizes['database_bytes'])}, our {sizes['our_tables']} tables "
        f"{_megabytes(sizes['our_bytes'])} of it"
    )
    if sizes["is_kept_up"]:
        yield holds("kept_up", seen)
    else:
        yield differs("kept_up", f"autovacuum or track_counts is off; {seen}")


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.0f} MB"


PROBES: Final = (
    _look_at_server, _look_at_place, _look_at_case, _look_at_settings, _look_at_sessions,
    _look_at_notices, _look_at_versions, _look_at_rights, _look_at_indexes, _look_at_sizes,
)  # fmt: skip
NO_SCHEMA: Final = f"there is no schema of ours yet: {command('migrate')} makes it"
