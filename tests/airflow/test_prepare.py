"""What `make up` puts into Airflow's database before Airflow starts."""

import json

import pytest

from constant_contact.get_provider_info import get_provider_info
from local.simulator import Account
from tests.support import CONN_ID


@pytest.mark.usefixtures("airflow")
def test_the_demos_account_can_be_edited_and_is_made_anew_each_time() -> None:
    from airflow.models import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    from local.prepare import keep_connection

    keep_connection(Account("http://127.0.0.1:1", "of-last-time", 1).airflow_connection())
    keep_connection(Account("http://127.0.0.1:2", "of-today", 1).airflow_connection(8090))
    with create_session() as session:
        row = session.query(Connection).filter_by(conn_id=CONN_ID).one()
        assert (row.conn_type, row.host, row.port) == (
            "constant_contact",
            "http://127.0.0.1:2",
            443,
        )
        extra = row.extra_dejson
        session.execute(delete(Connection))
    assert extra["refresh_token"] == "of-today"
    # The form shows only what is stored.
    (connection_type,) = get_provider_info()["connection-types"]
    assert extra.keys() == connection_type["conn-fields"].keys()
    assert json.dumps(extra).count("http://localhost:8090/constant-contact/oauth2/callback") == 1
