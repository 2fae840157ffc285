"""What the guides tell people to run, runs."""

import re
from pathlib import Path

import psycopg
import pytest

from constant_contact.options import OPTIONS, SECTION

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GUIDE = (DOCS / "operations.md").read_text(encoding="utf-8")
STATEMENTS = [
    statement
    for guide in ("consent", "memberships", "operations", "troubleshooting")
    for statement in re.findall(
        r"```sql\n(.*?)```", (DOCS / f"{guide}.md").read_text(encoding="utf-8"), re.DOTALL
    )
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_of_the_guide_runs(crm_url: str, statement: str) -> None:
    with psycopg.connect(crm_url) as connection:
        connection.execute(statement.encode())


def test_an_option_that_the_guide_names_is_one() -> None:
    named = re.findall(rf"AIRFLOW__{SECTION.upper()}__(\w+)=", GUIDE)
    assert named
    assert {name.lower() for name in named} <= OPTIONS.keys()


def test_a_dag_that_the_guide_names_is_one() -> None:
    named = set(re.findall(r"`(constant_contact_[a-z_]+)`", GUIDE))
    assert named
    assert named <= {path.stem for path in (ROOT / "dags").glob("*.py")}


def test_a_table_that_the_guide_names_is_one(crm_url: str) -> None:
    named = set(re.findall(r"`((?:crm|ctct)_[a-z_]+)[`.]", GUIDE))
    with psycopg.connect(crm_url) as connection:
        rows = connection.execute("SELECT relname FROM pg_class WHERE relkind IN ('r', 'v')")
        known = {name for (name,) in rows}
    assert named - known == set()
