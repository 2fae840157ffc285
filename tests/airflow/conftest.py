"""Airflow itself, in this process: set up once, and imported only after that."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.engagement.interactions import project_interactions
from simulator.server import Running
from tests.airflow.airflow_runs import (
    ROOT,
    Ran,
    Start,
    account_connection,
    crm_connection,
    load_dags,
    of_account,
    pause_all,
)
from tests.airflow.questions import PEOPLE, Question, runs
from tests.airflow.site import Site
from tests.databases import Databases
from tests.simulator.nights import JOBS
from tests.support import CONN_ID, EU_CONN_ID, EU_SCHEMA, Rows, contact_id, vendor_contact


@pytest.fixture(scope="session")
def airflow(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[pytest.MonkeyPatch]:
    """Airflow's environment, with a migrated metadata database of its own."""
    name = databases.create_empty()
    home = tmp_path_factory.mktemp("airflow")
    url = databases.url(name).replace("postgresql://", "postgresql+psycopg2://")
    patch = pytest.MonkeyPatch()
    for variable, value in {
        "AIRFLOW_HOME": str(home),
        # 30 by default; the first file brings all imports, which a busy machine takes long for
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__FERNET_KEY": "cnVubmluZy10ZXN0cy1uZWVkLWEta2V5LW9mLTMyYng=",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
        # RFC 7518 wants 64 bytes
        "AIRFLOW__API_AUTH__JWT_SECRET": "signs the tokens of the tests... " * 2,
        "AIRFLOW__API__SECRET_KEY": "signs the forms of the tests",
    }.items():
        patch.setenv(variable, value)
    from airflow.sdk.execution_time import supervisor

    # Airflow 3.2 makes the API of its tasks again for each of them, which takes seconds
    one_api = cache(supervisor.in_process_api_server)
    patch.setattr(supervisor, "in_process_api_server", one_api)
    # as `airflow db migrate` does, without a second process that imports Airflow first
    from airflow.utils.db import upgradedb

    upgradedb()
    _exempt_from_collection()
    yield patch
    patch.undo()
    databases.drop(name)


def _exempt_from_collection() -> None:
    """Airflow's million objects live as long as the process: no collection looks at them again."""
    gc.collect()
    gc.freeze()


def forget_tokens() -> None:
    """A test before this one had an account of its own."""
    from airflow.models import Variable
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(Variable))


def forget_runs() -> None:
    """Or the overview of a later test names what failed in this one."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(DagRun))


@contextmanager
def _own_masks() -> Iterator[None]:
    """What Airflow masks in logs for one test is forgotten at its end.

    Each secret that it meets is one more branch of a regular expression, compiled again with all
    that came before.
    """
    from airflow._shared.secrets_masker import _secrets_masker as core
    from airflow.sdk._shared.secrets_masker import _secrets_masker as sdk

    before = [(masker, set(masker.patterns), masker.replacer) for masker in (core(), sdk())]
    yield
    for masker, patterns, replacer in before:
        masker.patterns, masker.replacer = patterns, replacer


@pytest.fixture
def connections(
    airflow: pytest.MonkeyPatch, simulator: Running, crm_url: str
) -> Iterator[pytest.MonkeyPatch]:
    """Both connections, as a data engineer sets them; a test may set others."""
    forget_tokens()
    with pytest.MonkeyPatch.context() as patch, _own_masks():
        patch.setenv("AIRFLOW_CONN_CRM_DEFAULT", crm_connection(crm_url))
        patch.setenv(f"AIRFLOW_CONN_{CONN_ID.upper()}", account_connection(simulator))
        yield patch


@pytest.fixture
def eu(
    connections: pytest.MonkeyPatch,
    eu_simulator: Running,
    crm_url: str,
) -> Running:
    """The second account, as a data engineer sets it up; returns its vendor."""
    eu_simulator.control.settings(client_id="eu-api-key")
    connections.setenv("AIRFLOW__CONSTANT_CONTACT__ACCOUNTS", "eu")
    connections.setenv("AIRFLOW_CONN_CRM_EU", crm_connection(crm_url, search_path=EU_SCHEMA))
    connections.setenv(
        f"AIRFLOW_CONN_{EU_CONN_ID.upper()}",
        account_connection(eu_simulator, login="eu-api-key"),
    )
    return eu_simulator


@pytest.fixture
def start_dag(connections: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Runs a DAG as `make run` does, as far as it comes, watched as by the api-server."""
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session
    from sqlalchemy import update

    from constant_contact.web.overview.waiting import follow
    from local.dag_run import ForegroundRun
    from local.run_date import When
    from local.terminal import Terminal

    follow()
    dags = load_dags(ROOT / "dags")
    with create_session() as session:
        # As at first: a test before this one may have switched DAGs on, or had another account's.
        gone = DagModel.dag_id.not_in(list(dags))
        on = [dag_id for dag_id, dag in dags.items() if dag.is_paused_upon_creation is False]
        paused = DagModel.dag_id.not_in(on)
        session.execute(update(DagModel).values(is_paused=paused, is_stale=gone))
    forget_runs()

    def start(dag_id: str, **conf: Any) -> Any:
        when = When(datetime.now(UTC), None)
        terminal = Terminal(tmp_path / "run.log")
        return ForegroundRun(dags[dag_id], when, conf, terminal).execute()

    yield start
    forget_runs()


@pytest.fixture
def run_jobs(
    connections: pytest.MonkeyPatch, simulator: Running, client: Client, crm: Database
) -> Callable[..., None]:
    """Runs jobs without their DAGs, which take a second each, for tests of what a page shows."""
    jobs = JOBS | {"interactions": lambda _client, crm: project_interactions(crm)}

    def run(*names: str) -> None:
        for name in names:
            jobs[name](client, crm)
        # The client's grant has ended the connection's.
        connections.setenv(f"AIRFLOW_CONN_{CONN_ID.upper()}", account_connection(simulator))

    forget_runs()
    return run


@pytest.fixture
def dags_on(start_dag: Callable[..., Any]) -> Iterator[None]:
    """Airflow knows our DAGs, and they are switched on."""
    pause_all(False)
    yield
    pause_all(True)


@pytest.fixture
def run_dag(
    connections: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Ran]]:
    """Runs a DAG of dags/ through Airflow, of the default account or another; one try a task."""

    def run(dag_id: str, folder: Path = ROOT / "dags", account: str = "", **conf: Any) -> Ran:
        dag = load_dags(folder / f"{dag_id}.py", retries=0)[of_account(dag_id, account)]
        capfd.readouterr()
        finished = dag.test(run_conf=conf)
        instances = finished.get_task_instances()
        out, err = capfd.readouterr()
        return Ran(
            str(finished.state),
            {each.task_id: str(each.state) for each in instances},
            {each.task_id: each.xcom_pull(task_ids=each.task_id) for each in instances},
            out + err,
        )

    yield run
    forget_runs()


@pytest.fixture(scope="session")
def site(airflow: pytest.MonkeyPatch) -> Site:
    """Our pages, through Airflow's own app."""
    made = Site()
    _exempt_from_collection()
    return made


@pytest.fixture
def mirror(sql_rows: Rows) -> Callable[..., None]:
    """Puts a contact into the mirror."""

    def add(**columns: Any) -> None:
        columns = {
            "contact_id": contact_id(1), "email_address": "ann@example.com",
            "permission_to_send": "implicit", "list_ids": [],
        } | columns  # fmt: skip
        marks = ", ".join(["%s"] * len(columns))
        sql_rows(
            f"INSERT INTO ctct_contact ({', '.join(columns)}, mirrored_at) VALUES ({marks}, now())",
            *columns.values(),
        )

    return add


@pytest.fixture
def command(
    airflow: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command through Airflow's own parser; returns status, output and errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        from airflow.cli.cli_parser import get_parser

        args = get_parser().parse_args(["constant-contact", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            args.func(args)
        out, err = capsys.readouterr()
        if isinstance(ended.value.code, str):
            return 1, out, f"{err}{ended.value.code}\n"
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def mass_opt_out(
    simulator: Running,
    connections: pytest.MonkeyPatch,
    add_crm_contact: Callable[..., None],
    set_do_not_email: Callable[..., None],
) -> Running:
    """More people than the breaker lets pass are flagged at once."""
    connections.setenv("AIRFLOW__CONSTANT_CONTACT__BREAKER_CONTACTS", "3")
    numbers = range(1, PEOPLE + 1)
    simulator.control.load(
        contacts=[vendor_contact(number, f"p{number}@example.com") for number in numbers]
    )
    for number in numbers:
        add_crm_contact(
            f"c{number}", f"p{number}@example.com", constant_contact_id=contact_id(number)
        )
        set_do_not_email(f"c{number}", True, "moved | to ann@example.com")
    return simulator


@pytest.fixture
def asked(mass_opt_out: Running, start_dag: Start, site: Site) -> Question:
    """The breaker has stopped, and the next run has put the question."""
    assert start_dag("constant_contact_opt_outs").state == "success"
    assert start_dag("constant_contact_opt_outs").state == "success"
    assert runs() == ["hold_1"]
    question = Question(site)
    question.run("ask", "approval")
    return question
