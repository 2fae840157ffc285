"""The tables and views as a source of dbt's, with what the schema promises as its tests."""

from typing import Any

import yaml

from local.reference.tables import Column, Relation

_SOURCE = "constant_contact"
_SAID = (
    "Constant Contact beside the CRM: crm_… is the CRM's side, ctct_… the integration's. "
    "Read, never written by models."
)


def page(relations: list[Relation]) -> str:
    """The file `sources.yml` of a dbt project."""
    source = {
        "name": _SOURCE,
        "description": _SAID,
        "schema": "{{ var('constant_contact_schema', 'public') }}",
        "tables": [_table(relation) for relation in relations],
    }
    text: str = yaml.safe_dump(
        {"version": 2, "sources": [source]}, sort_keys=False, allow_unicode=True, width=100
    )
    return text


def _table(relation: Relation) -> dict[str, Any]:
    keys = [column.name for column in relation.columns if column.is_key]
    said = {"description": relation.comment} if relation.comment else {}
    return {
        "name": relation.name,
        **said,
        "columns": [
            _column(column, is_unique=keys == [column.name]) for column in relation.columns
        ],
    }


def _column(column: Column, *, is_unique: bool) -> dict[str, Any]:
    described = {"name": column.name, "data_type": column.type}
    if words := " ".join(filter(None, [_reference(column), column.comment])):
        described["description"] = words
    tests: list[Any] = [] if column.is_nullable else ["not_null"]
    if is_unique:
        tests.append("unique")
    if column.is_enforced and column.refers_to:
        table, _, field = column.refers_to.partition(".")
        to = f"source('{_SOURCE}', '{table}')"
        tests.append({"relationships": {"to": to, "field": field}})
    return {**described, **({"data_tests": tests} if tests else {})}


def _reference(column: Column) -> str:
    return f"→ {column.refers_to}." if column.refers_to else ""
