"""After runs that went well and badly: no secret, token or email address where people look."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from simulator.server import Running
from tests.airflow.airflow_runs import Run, account_connection
from tests.support import CONN_ID, Rows, contact_id, vendor_contact

ACCOUNT = f"AIRFLOW_CONN_{CONN_ID.upper()}"
# Whatever has it is an address; the rest are tokens and secrets.
MARK = "zqxmarked"
SECRETS = ("demo-secret", "hunter2zqx")
# Where these are at home: people's addresses, and tokens that Airflow has encrypted.
AT_HOME = {"crm_contact", "ctct_link", "ctct_contact", "ctct_bulk_activity_row", "variable"}
PEOPLE = 12


def address(number: int) -> str:
    return f"p{number}.{MARK}@example.com"


@pytest.fixture
def people(
    simulator: Running,
    add_crm_contact: Callable[..., None],
    set_do_not_email: Callable[..., None],
    sql_rows: Rows,
) -> Running:
    """An account and a CRM whose addresses are marked, with flags set and cleared."""
    control = simulator.control
    control.load(
        lists=[{"list_id": contact_id(900), "name": "News"}],
        contacts=[vendor_contact(number, address(number)) for number in range(1, PEOPLE)],
        campaigns=[
            {
                "campaign_id": contact_id(500),
                "name": "News",
                "current_status": "Done",
                "created_at": "2026-01-01T00:00:00Z",
                "updated_at": "2026-01-01T00:00:00Z",
                "last_sent_date": "2026-01-01T00:00:00Z",
                "type_code": 10,
                "campaign_activities": [
                    {"role": "primary_email", "campaign_activity_id": contact_id(501)}
                ],
            }
        ],
        events=[
            {
                "type": kind,
                "campaign_activity_id": contact_id(501),
                "contact_id": contact_id(number),
                "created_time": f"2026-01-0{number}T10:00:00Z",
            }
            for kind in ("sends", "opens")
            for number in range(1, 8)
        ],
    )
    for number in range(1, PEOPLE):
        add_crm_contact(f"c{number}", f" {address(number).upper()}", first_name="Ann")
    for number in range(1, 4):
        set_do_not_email(f"c{number}", True, f"wrote from {address(number)}", by_contact=True)
    # Known ones, and new ones: one by one and by import.
    for number in range(4, PEOPLE + 12):
        if number >= PEOPLE:
            add_crm_contact(f"c{number}", address(number), last_name="Lee")
        sql_rows(
            "INSERT INTO crm_list_membership (contact_id, list_id) VALUES (%s, %s)",
            f"c{number}", contact_id(900),
        )  # fmt: skip
    return simulator


def talkative(simulator: Running, token: str) -> list[dict[str, Any]]:
    """Replies that say more than they should, for each kind of call."""
    loose = (
        f"{address(7)} and {address(8).replace('@', '%40')}, Authorization: Bearer {token}, "
        f'client_secret=demo-secret {{"refresh_token": "{token}"}} (it is {token})'
    )
    array = [{"error_key": "contacts.api.conflict", "error_message": loose}]
    html = f"<html><a href='mailto:{address(9)}'>{loose}</a></html>"
    return [
        {"match": {"path": "contact_lists"}, "params": {"status": 503, "body": html}},
        {"match": {"path": "contacts", "method": "GET"}, "params": {"status": 500, "body": array}},
        {"match": {"method": "PUT"}, "params": {"status": 400, "body": array}},
        {"match": {"path": "tracking/opens"}, "params": {"status": 404, "body": array}},
        {"match": {"path": "stats"}, "params": {"status": 400, "body": array}},
        {"match": {"path": "summaries"}, "params": {"status": 502, "body": html}},
        {
            "match": {"method": "POST", "path": "/activities"},
            "params": {"status": 400, "body": array},
        },
    ]


def shown_in(url: str) -> Iterator[tuple[str, str]]:
    """Every table of a database as text, but those where the marked values are at home."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        for (table,) in tables:
            if table not in AT_HOME:
                # A reason is the CRM's own word, and goes to the vendor as it is.
                for (row,) in connection.execute(
                    f"SELECT (to_jsonb(t) - 'reason')::text FROM \"{table}\" AS t"
                ):
                    yield table, row


def forbidden(text: str, tokens: set[str]) -> set[str]:
    """What a text holds that it must not."""
    return {each for each in (MARK, *SECRETS, *tokens) if each.lower() in text.lower()}


def stored_tokens() -> set[str]:
    from airflow.models import Variable
    from airflow.utils.session import create_session

    with create_session() as session:
        pairs = [json.loads(each.get_val()) for each in session.query(Variable)]
    return {pair[name] for pair in pairs for name in ("access_token", "refresh_token")}


@pytest.mark.slow
def test_nothing_people_look_at_holds_a_secret_a_token_or_an_address(
    people: Running,
    connections: pytest.MonkeyPatch,
    run_dag: Run,
    sql_rows: Rows,
    crm_url: str,
) -> None:
    control = people.control
    seed = control.grant()
    connections.setenv(ACCOUNT, account_connection(people, extra={"refresh_token": seed}))
    tokens = {seed}
    ran = []

    def run_all() -> None:
        for noun in (
            "lists",
            "contacts",
            "activities",
            "opt_outs",
            "list_memberships",
            "retention",
        ):
            ran.append(run_dag(f"constant_contact_{noun}"))
        tokens.update(stored_tokens())

    for fault in talkative(people, seed):
        control.add_fault("status", times=2, **fault)
    run_all()
    # The access token ends in the middle, the key is refused, the grant is gone, the CRM is away.
    control.expire_access_tokens()
    run_all()
    connections.setenv(ACCOUNT, account_connection(people, password="hunter2zqx"))
    ran.append(run_dag("constant_contact_lists"))
    dead = {"refresh_token": f"{MARK}-dead-token"}
    connections.setenv(ACCOUNT, account_connection(people, extra=dead))
    ran.append(run_dag("constant_contact_lists"))
    away = {"conn_type": "postgres", "host": "127.0.0.1", "port": 9, "password": "hunter2zqx"}
    connections.setenv("AIRFLOW_CONN_CRM_DEFAULT", json.dumps(away))
    ran.append(run_dag("constant_contact_lists"))

    states = [each.state for each in ran]
    assert "success" in states
    assert "failed" in states
    assert any("<email>" in row["reply_body"] for row in sql_rows(
        "SELECT coalesce(reply_body, '') AS reply_body FROM ctct_api_call"
    ))  # fmt: skip
    for one in ran:
        assert forbidden(one.log + json.dumps(one.returned, default=str), tokens) == set()
    for place in (crm_url, metadata_url()):
        for table, row in shown_in(place):
            assert (table, forbidden(row, tokens)) == (table, set())
    for file in log_files():
        assert (file, forbidden(file.read_text(errors="replace"), tokens)) == (file, set())
    for row in sql_rows("SELECT detail FROM crm_opt_out_change"):
        assert forbidden(row["detail"] or "", tokens) == set()


def metadata_url() -> str:
    from airflow.configuration import conf

    url = conf.get_mandatory_value("database", "sql_alchemy_conn")
    return url.replace("postgresql+psycopg2://", "postgresql://")


def log_files() -> list[Path]:
    from airflow.configuration import conf

    folder = Path(conf.get_mandatory_value("logging", "base_log_folder"))
    return [file for file in folder.rglob("*") if file.is_file()]
