"""The wheel in an Airflow that exists already, under that Airflow's own constraints."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.paths import ROOT
from simulator.server import Running, running
from tests.airflow.airflow_runs import account_connection, crm_connection
from tests.databases import Databases
from tests.install.user import TWO_LINES, VERSIONS, Installation, build_wheel
from tests.support import UNLIMITED, run_rows

pytestmark = [pytest.mark.versions, pytest.mark.timeout(1800)]

LINKED = "SELECT constant_contact_id AS id FROM ctct_link WHERE constant_contact_id IS NOT NULL"
# What an api-server has of plugins: how many of ours, and what did not load.
PLUGINS = """
from airflow.plugins_manager import get_import_errors, get_plugin_info
names = [plugin["name"] for plugin in get_plugin_info()]
print("answer:", names.count("constant_contact"), get_import_errors())
"""
# A night's DAGs, one after the other, as `airflow dags test` runs each.
NIGHT = """
import json
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
DagBundlesManager().sync_bundles_to_db()
bag = DagBag()
assert not bag.import_errors, bag.import_errors
sync_bag_to_db(bag, "dags-folder", None)
nouns = "lists", "contacts", "activities", "opt_outs", "list_memberships", "retention"
states = {}
for noun in nouns:
    dag = bag.dags[f"constant_contact_{noun}"]
    for task in dag.tasks:
        task.retries = 0
    states[noun] = str(dag.test().state)
print("answer:", json.dumps(states))
"""
# The overview, without a login and for a user of Airflow, with a row for a DAG; what it links to.
PAGES = """
from airflow.api_fastapi.app import create_app, get_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from starlette.testclient import TestClient
client = TestClient(create_app(apps="core"), follow_redirects=False)
token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="viewer", role="VIEWER"))
path = "/constant-contact/"
page = client.get(path, headers={"Authorization": f"Bearer {token}"})
css = client.get("/constant-contact/static/style.css")
has_row = '<tr id="lists"' in page.text
print("answer:", client.get(path).status_code, page.status_code, has_row, css.status_code)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def vendor(version: str) -> Iterator[Running]:
    with running() as simulator:
        simulator.control.limits(**UNLIMITED)
        simulator.control.generate(seed=9, contacts=600, lists=4, campaigns=3, events=2000)
        yield simulator


@pytest.fixture(scope="module")
def crm(version: str, databases: Databases) -> Iterator[str]:
    """A database in which nothing of ours is yet."""
    name = databases.create_empty()
    yield databases.url(name)
    databases.drop(name)


@pytest.fixture(scope="module")
def user(
    version: str, built: Path, databases: Databases, vendor: Running, crm: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:  # fmt: skip
    """Airflow with our wheel, both connections, a DAG file of two lines; and no schema yet."""
    name = databases.create_empty()
    url = databases.url(name).replace("postgresql://", "postgresql+psycopg2://")
    made = Installation(tmp_path_factory.mktemp("user") / "project", url)
    made.install(version, built)
    (made.home / "dags" / "ours.py").write_text(TWO_LINES)
    made.set(
        {
            "AIRFLOW_CONN_CRM_DEFAULT": crm_connection(crm),
            "AIRFLOW_CONN_CONSTANT_CONTACT_DEFAULT": account_connection(vendor),
        }
    )
    migrated = made.run("airflow", "db", "migrate")
    assert migrated.status == 0, migrated.said
    yield made
    shutil.rmtree(made.home)
    databases.drop(name)


def test_airflow_knows_provider_form_options_and_commands(user: Installation, version: str) -> None:
    assert user.python("import airflow; print('answer:', airflow.__version__)") == version
    providers = user.run("airflow", "providers", "list", "--output", "json").said
    assert "airflow-provider-constant-contact" in providers
    hooks = user.run("airflow", "providers", "hooks", "--output", "json").said
    assert "constant_contact.hooks.constant_contact.ConstantContactHook" in hooks
    option = user.run("airflow", "config", "get-value", "constant_contact", "call_log_days")
    assert option.out.splitlines()[-1] == "90"
    assert "migrate" in user.run("airflow", "constant-contact", "--help").said


def test_the_simulator_and_what_make_runs_stay_in_the_repository(user: Installation) -> None:
    found = (
        "from importlib.util import find_spec\n"
        "print('answer:', [name for name in ('simulator', 'local') if find_spec(name)])"
    )
    assert user.python(found) == "[]"


def test_the_plugin_is_registered_once_whatever_the_plugins_folder_has(user: Installation) -> None:
    assert user.python(PLUGINS) == "1 {}"
    shutil.copytree(ROOT / "plugins", user.home / "plugins")
    try:
        assert user.python(PLUGINS) == "1 {}"
    finally:
        shutil.rmtree(user.home / "plugins")


def test_after_one_command_a_night_runs_and_the_pages_answer(
    user: Installation, vendor: Running, crm: str
) -> None:
    too_early = user.run("python", "-c", NIGHT)
    assert "run `airflow constant-contact migrate`" in too_early.said
    assert "make migrate" not in too_early.said
    assert vendor.control.calls() == []

    migrated = user.run("airflow", "constant-contact", "migrate")
    assert migrated.status == 0, migrated.said
    assert "the CRM of connection crm_default is up to date" in migrated.said
    for number, contact in zip(range(100), vendor.control.truth_contacts(), strict=False):
        run_rows(
            crm,
            "INSERT INTO crm_contact (contact_id, preferred_email) VALUES (%s, %s)",
            f"c{number}",
            contact["email"],
        )
    assert set(json.loads(user.python(NIGHT)).values()) == {"success"}
    (shown,) = run_rows(crm, "SELECT count(*) AS n FROM crm_interaction")
    linked = {row["id"] for row in run_rows(crm, LINKED)}
    assert shown["n"] == sum(e["contact_id"] in linked for e in vendor.control.truth_events()) > 0

    assert user.python(PAGES) == "401 200 True 200"


def test_the_schema_is_made_where_no_airflow_runs(
    user: Installation, databases: Databases, tmp_path: Path
) -> None:
    name = databases.create_empty()
    elsewhere = user.with_settings(
        {
            "AIRFLOW_HOME": str(tmp_path),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/none.db",
            "AIRFLOW_CONN_CRM_DEFAULT": crm_connection(databases.url(name)),
        }
    )
    migrated = elsewhere.run("airflow", "constant-contact", "migrate")
    assert migrated.status == 0, migrated.said
    assert "is up to date" in migrated.said
    assert not (tmp_path / "none.db").exists()
    databases.drop(name)


def test_the_repositorys_folders_alone_have_the_plugin_and_the_dags(
    version: str, built: Path, databases: Databases, tmp_path: Path
) -> None:
    name = databases.create_empty()
    url = databases.url(name).replace("postgresql://", "postgresql+psycopg2://")
    project = Installation(tmp_path / "project", url)
    project.install(version, built)
    project.uninstall("airflow-provider-constant-contact")
    for folder in ("dags", "plugins", "include"):
        shutil.copytree(ROOT / folder, project.home / folder, dirs_exist_ok=True)
    assert project.python(PLUGINS) == "1 {}"
    dags = "from airflow.dag_processing.dagbag import DagBag; print('answer:', len(DagBag().dags))"
    assert project.python(dags) == str(len([*(ROOT / "dags").glob("*.py")]))
    shutil.rmtree(project.home)
    databases.drop(name)
