"""What a person starts by hand when something special happened: erasure, a restored CRM."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from constant_contact.store.seam import SHIPPED
from simulator.server import Running
from tests.airflow.airflow_runs import Run
from tests.support import Rows, contact_id, vendor_contact

ANN = contact_id(1)


@pytest.fixture
def ann(simulator: Running, run_dag: Run, add_crm_contact: Callable[..., None]) -> None:
    """A linked contact."""
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    add_crm_contact("c1", "ann@example.com")
    assert run_dag("constant_contact_contacts").state == "success"


@pytest.mark.usefixtures("ann")
def test_a_person_is_erased_by_the_crms_id_and_so_is_the_call_that_looked(
    run_dag: Run, set_do_not_email: Callable[..., None], sql_rows: Rows
) -> None:
    refused = run_dag("constant_contact_erasure", contact_id="c1")
    assert refused.state == "failed"
    assert "may still mail" in refused.log
    set_do_not_email("c1", True, by_contact=True)
    assert run_dag("constant_contact_opt_outs").returned["opt_outs"]["unsubscribed"] == 1
    ran = run_dag("constant_contact_erasure", contact_id="c1")
    assert ran.state == "success"
    assert ran.returned["erasure"]["addresses_suppressed"] == 1
    calls = sql_rows("SELECT path FROM ctct_api_call WHERE dag_id = 'constant_contact_erasure'")
    assert [ANN in each["path"] for each in calls] == [False] * 2
    assert "ann@example.com" not in refused.log + ran.log


@pytest.mark.usefixtures("ann")
def test_after_a_restore_a_lost_flag_is_set_again_by_the_firms_own_statement(
    simulator: Running,
    run_dag: Run,
    sql_rows: Rows,
    connections: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    folder = shutil.copytree(SHIPPED, tmp_path / "crm")
    (folder / "flag_back.sql").write_text(
        "UPDATE crm_contact SET do_not_email = TRUE"
        " FROM changed_flag WHERE crm_contact.contact_id = changed_flag.contact_id"
    )
    connections.setenv("AIRFLOW__CONSTANT_CONTACT__CRM_FOLDER", str(folder))
    simulator.control.unsubscribe(ANN)
    ran = run_dag("constant_contact_after_restore", restored_to="2026-01-31")
    assert ran.state == "success"
    assert ran.returned["flags"] == {"flagged": 1, "not_flagged": 0}
    (ann,) = sql_rows("SELECT do_not_email FROM crm_contact")
    assert ann["do_not_email"]


@pytest.mark.usefixtures("ann")
def test_without_flag_back_a_lost_flag_is_counted_and_the_crm_is_left_alone(
    simulator: Running, run_dag: Run, sql_rows: Rows
) -> None:
    simulator.control.unsubscribe(ANN)
    ran = run_dag("constant_contact_after_restore", restored_to="2026-01-31")
    assert ran.returned["flags"]["not_flagged"] == 1
    (ann,) = sql_rows("SELECT do_not_email FROM crm_contact")
    assert not ann["do_not_email"]


@pytest.mark.usefixtures("ann")
def test_without_the_moment_of_the_backup_a_restore_touches_nothing(
    run_dag: Run, sql_rows: Rows
) -> None:
    sql_rows(
        "INSERT INTO crm_list_membership (contact_id, list_id, action) VALUES ('c1', 'l1', 'add')"
    )
    unsaid = run_dag("constant_contact_after_restore")
    assert unsaid.tasks["settle"] == "failed"
    assert set(unsaid.tasks.values()) == {"failed", "upstream_failed"}
    assert "param restored_to: is empty" in unsaid.log
    (request,) = sql_rows("SELECT status, detail FROM crm_list_membership")
    assert request == {"status": "pending", "detail": None}
