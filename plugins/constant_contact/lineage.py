"""Lineage of a task for OpenLineage: the tables that it read and filled, and their columns.

Asked for by OpenLineage's provider, where a firm has installed it, when a task has ended. Only then
is it known where a table is: a DAG file may not ask the connection, so our assets have names
and no URIs. A dataset is named as Airflow's own operators on the same connection name it.
"""

from collections.abc import Iterable
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import Asset

from constant_contact.hooks.crm import crm_database
from constant_contact.store import database

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

# Assets that stand for more than the table of their name.
_MORE: Final = {"crm_contact": ("ctct_link",), "ctct_engagement": ("ctct_engagement_stream",)}
# Which columns are copied, by the table that they are copied to.
COPIED: Final = {
    "crm_contact": {"constant_contact_id": "ctct_link.constant_contact_id"},
    "ctct_link": {"constant_contact_id": "ctct_contact.contact_id"},
    "crm_interaction": {
        "contact_id": "ctct_link.contact_id",
        "constant_contact_id": "ctct_engagement.contact_id",
        "campaign_id": "ctct_campaign.campaign_id",
        "campaign_name": "ctct_campaign.name",
        "campaign_activity_id": "ctct_engagement_stream.campaign_activity_id",
        "activity_type": "ctct_engagement_stream.activity_type",
        "occurred_at": "ctct_engagement.occurred_at",
        "link_url": "ctct_engagement.link_url",
        "device_type": "ctct_engagement.device_type",
        "bounce_code": "ctct_engagement.bounce_code",
        "opt_out_reason": "ctct_engagement.opt_out_reason",
    },
}


def operator_lineage(
    crm_conn_id: str, inlets: Iterable[Any], outlets: Iterable[Any]
) -> "OperatorLineage[Any, Any]":
    """Return a task's inputs and outputs, with schemas and the columns that are copied.

    Raises:
        ConstantContactError: The database cannot be asked; OpenLineage logs it.
    """
    from airflow.providers.openlineage.extractors import OperatorLineage  # noqa: PLC0415

    filled = _tables(outlets)
    read = {*_tables(inlets), *(each for table in filled for each in _copied_from(table))}
    given = PostgresHook.get_connection(crm_conn_id)
    authority = PostgresHook.get_openlineage_authority_part(given, default_port=5432)
    with closing(crm_database(crm_conn_id, given)) as crm, crm.transaction() as connection:
        names = {"tables": sorted({*read, *filled})}
        columns = database.rows(connection, "lineage/columns", names)
    datasets = _datasets(f"postgres://{authority}", columns)
    return OperatorLineage(
        inputs=[datasets[table] for table in sorted(read - {*filled}) if table in datasets],
        outputs=[datasets[table] for table in filled if table in datasets],
    )


def _tables(assets: Iterable[Any]) -> list[str]:
    """The tables that assets of ours are: a further account's have its name before the table's."""
    names = [each.name.rpartition(".")[2] for each in assets if isinstance(each, Asset)]
    return list(dict.fromkeys(table for name in names for table in (name, *_MORE.get(name, ()))))


def _copied_from(table: str) -> set[str]:
    return {source.partition(".")[0] for source in COPIED.get(table, {}).values()}


def _datasets(namespace: str, columns: list[dict[str, Any]]) -> dict[str, Any]:
    """The datasets of OpenLineage's, by table."""
    from airflow.providers.common.compat.openlineage.facet import (  # noqa: PLC0415
        ColumnLineageDatasetFacet,
        Dataset,
        DocumentationDatasetFacet,
        Fields,
        InputField,
        SchemaDatasetFacet,
        SchemaDatasetFacetFields,
    )

    names = {
        each["table_name"]: f"{each['database']}.{each['schema']}.{each['table_name']}"
        for each in columns
    }
    made = {}
    for table, name in names.items():
        own = [each for each in columns if each["table_name"] == table]
        fields = [
            SchemaDatasetFacetFields(
                name=each["column_name"],
                type=each["column_type"],
                description=each["column_comment"],
            )
            for each in own
        ]
        facets: dict[str, Any] = {"schema": SchemaDatasetFacet(fields=fields)}
        if comment := own[0]["table_comment"]:
            facets["documentation"] = DocumentationDatasetFacet(description=comment)
        copied = {
            column: Fields(inputFields=[InputField(namespace, names[source], field)])
            for column, (source, _, field) in (
                (column, source.partition(".")) for column, source in COPIED.get(table, {}).items()
            )
            if source in names
        }
        if copied:
            facets["columnLineage"] = ColumnLineageDatasetFacet(fields=copied)
        made[table] = Dataset(namespace=namespace, name=name, facets=facets)
    return made
