"""Which rights a file of the seam lacks on the firm's tables, and the GRANT for each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from constant_contact.errors import SettingError
from constant_contact.store import database
from constant_contact.store.seam import SeamFile


@dataclass(frozen=True)
class Relation:
    """A table or view that a file names, and what the session's role may do with it.

    Attributes:
        relation: Its name with its schema, as SQL writes it.
        inherits: Whether the role has the rights of what it is a member of.
        may_select: Some column of it; `may_update` likewise.
        may_select_all: Each column of it; `may_update_all` likewise.
        hides_rows: Whether a policy may keep rows from the role.
        is_written: Whether the file writes it.
    """

    relation_id: int
    relation: str
    schema_name: str
    role: str
    owner: str
    is_view: bool
    is_owner: bool
    inherits: bool
    may_use_schema: bool
    may_select: bool
    may_update: bool
    may_select_all: bool
    may_update_all: bool
    may_trigger: bool
    hides_rows: bool
    is_written: bool


def named_relations(connection: psycopg.Connection[Any], file: SeamFile) -> list[Relation]:
    """The tables and views that a file names."""
    names = file.relation_names()
    params = {
        "schemas": [schema for schema, _ in names],
        "names": [name for _, name in names],
        "are_written": list(names.values()),
    }
    return [Relation(**row) for row in database.rows(connection, "crm_contacts/rights", params)]


def missing_rights(
    connection: psycopg.Connection[Any], kind: str, file: SeamFile
) -> list[SettingError]:
    """What the session's role lacks for a file of a kind, such as "doorbell", by the catalog."""
    relations = named_relations(connection, file)
    problems = [each for its in relations for each in _problems(kind, file, its)]
    if not problems and kind != "doorbell":
        # Which columns the file needs is not known.
        problems = [each for its in relations for each in _lacking_columns(its)]
    return [file.fault(problem) for problem in problems]


def _problems(kind: str, file: SeamFile, its: Relation) -> Iterator[str]:
    if not its.may_use_schema:
        yield (
            f"{its.role} may not look into the schema {its.schema_name}: "
            f"GRANT USAGE ON SCHEMA {its.schema_name} TO {its.role}"
        )
    if kind == "doorbell":
        if "alter" not in file.code.lower():
            if not its.may_trigger:
                yield (
                    f"{its.role} may not make triggers on {its.relation}: "
                    f"GRANT TRIGGER ON {its.relation} TO {its.role}"
                )
        elif not its.is_owner:
            joining = f"GRANT {its.owner} TO {its.role}; or " if its.inherits else ""
            yield (
                f"only its owner may change {its.relation}: let {its.owner} run this file once, "
                f"after GRANT EXECUTE ON FUNCTION ctct_ring() TO {its.owner}, or {joining}"
                f"remove the ALTER TABLE from it and GRANT TRIGGER ON {its.relation} TO {its.role}"
            )
        return
    if not its.may_select:
        yield (
            f"{its.role} may not read {its.relation}: GRANT SELECT ON {its.relation} TO {its.role}"
        )
    if its.is_written and not its.may_update:
        yield (
            f"{its.role} may not write {its.relation}: "
            f"GRANT UPDATE ON {its.relation} TO {its.role}, or of the one column that it sets, "
            "GRANT UPDATE (…)"
        )
    if its.hides_rows:
        by_view = (
            f"; or read a view of {its.owner}'s over it, with GRANT SELECT on that to {its.role}"
        )
        yield (
            f"row-level security of {its.relation} may hide contacts from {its.role}: "
            f"ALTER ROLE {its.role} BYPASSRLS{'' if its.is_owner else by_view}"
        )


def _lacking_columns(its: Relation) -> Iterator[str]:
    if not its.may_select_all:
        yield (
            f"{its.role} may not read each column of {its.relation}: "
            f"GRANT SELECT ON {its.relation} TO {its.role}, or of the columns that it reads, "
            "GRANT SELECT (…)"
        )
    if its.is_written and not its.may_update_all:
        yield (
            f"{its.role} may not write each column of {its.relation}: "
            f"GRANT UPDATE ON {its.relation} TO {its.role}, or of the one column that it sets, "
            "GRANT UPDATE (…)"
        )
