"""What OpenLineage learns of our tasks, asked by its own provider."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from constant_contact.store.sql import statement
from tests.airflow.airflow_runs import ROOT, load_dags
from tests.support import EU_SCHEMA, Rows


@pytest.fixture
def lineage_of(connections: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Asks for a task's lineage as the provider's listener does."""
    from airflow.providers.openlineage.extractors import ExtractorManager
    from airflow.utils.state import TaskInstanceState

    def ask(dag_id: str, task_id: str) -> Any:
        task = load_dags(ROOT / "dags")[dag_id].get_task(task_id)
        run, state = SimpleNamespace(run_id="a_run"), TaskInstanceState.SUCCESS
        return ExtractorManager().extract_metadata(run, task, state, SimpleNamespace())

    return ask


def names(datasets: list[Any]) -> set[str]:
    return {dataset.name.split(".", 1)[1] for dataset in datasets}


def test_a_task_read_and_filled_tables_of_the_crm_database(
    lineage_of: Callable[..., Any],
) -> None:
    links = lineage_of("constant_contact_contacts", "links")
    assert names(links.inputs) == {"public.ctct_contact"}
    assert names(links.outputs) == {"public.crm_contact", "public.ctct_link"}
    opt_outs = lineage_of("constant_contact_opt_outs", "opt_outs")
    assert names(opt_outs.inputs) == {"public.crm_opt_out_change"}
    assert names(opt_outs.outputs) == {"public.ctct_contact"}


def test_a_dataset_is_the_one_that_airflow_makes_of_an_asset_with_a_uri(
    lineage_of: Callable[..., Any], connections: pytest.MonkeyPatch, sql_rows: Rows
) -> None:
    from airflow.providers.openlineage.utils.utils import translate_airflow_asset
    from airflow.providers.postgres.hooks.postgres import PostgresHook
    from airflow.sdk import Asset

    [dataset] = lineage_of("constant_contact_lists", "lists").outputs
    database = sql_rows("SELECT current_database() AS name")[0]["name"]
    given = PostgresHook.get_connection("crm_default")
    place = PostgresHook.get_openlineage_authority_part(given, default_port=5432)
    same = translate_airflow_asset(
        Asset(uri=f"postgres://{place}/{database}/public/ctct_list"), None
    )
    assert (dataset.namespace, dataset.name) == (same.namespace, same.name)


def test_columns_have_their_types_their_comments_and_where_they_come_from(
    lineage_of: Callable[..., Any],
) -> None:
    found = lineage_of("constant_contact_activities", "interactions")
    [interactions] = found.outputs
    fields = {each.name: each for each in interactions.facets["schema"].fields}
    assert fields["occurred_at"].type == "timestamp with time zone"
    copied = interactions.facets["columnLineage"].fields
    assert {
        (name, source.name.split(".", 1)[1], source.field)
        for name in ("contact_id", "campaign_name", "occurred_at")
        for source in copied[name].inputFields
    } == {
        ("contact_id", "public.ctct_link", "contact_id"),
        ("campaign_name", "public.ctct_campaign", "name"),
        ("occurred_at", "public.ctct_engagement", "occurred_at"),
    }
    read = {source.name for field in copied.values() for source in field.inputFields}
    assert read <= {dataset.name for dataset in found.inputs}
    [lists] = lineage_of("constant_contact_lists", "lists").outputs
    assert "list" in lists.facets["documentation"].description


@pytest.mark.usefixtures("airflow")
def test_every_column_that_is_copied_is_there(sql_rows: Rows) -> None:
    from constant_contact.lineage import COPIED

    reported = {f"{table}.{column}" for table, columns in COPIED.items() for column in columns}
    sources = {source for columns in COPIED.values() for source in columns.values()}
    found = sql_rows(
        "SELECT concat_ws('.', table_name, column_name) AS name FROM information_schema.columns"
        " WHERE table_schema = 'public'"
    )
    assert reported | sources <= {row["name"] for row in found}
    # What is copied word for word in the projection is there.
    projection = statement("interactions/project_new_events")
    assert all(column in projection for column in COPIED["crm_interaction"])


def test_a_further_account_has_the_tables_that_its_connection_sees(
    lineage_of: Callable[..., Any], eu: Any
) -> None:
    [lists] = lineage_of("constant_contact_eu_lists", "lists").outputs
    assert names([lists]) == {f"{EU_SCHEMA}.ctct_list"}


def test_contacts_that_are_in_another_table_are_not_told_as_ours(
    lineage_of: Callable[..., Any], sql_rows: Rows
) -> None:
    sql_rows("ALTER TABLE crm_contact RENAME TO people")
    links = lineage_of("constant_contact_contacts", "links")
    assert names(links.outputs) == {"public.ctct_link"}
