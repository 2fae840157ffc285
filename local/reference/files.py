"""Which files are made, and whether they are as they should be."""

from collections.abc import Mapping
from pathlib import Path

from constant_contact.sync.check.vendor_assumptions import READS, WRITES
from local.paths import ROOT
from local.reference import assumptions, dags, dbt, errors, licences, settings, tables

_FOLDER = Path("docs/reference")
_SAID = "Made by `make reference`; edit what it is made from."
_HEADS = {".md": f"<!-- {_SAID} -->\n\n", ".yml": f"# {_SAID}\n"}


def documents(server_url: str) -> dict[Path, str]:
    """What each file should hold, by its path in the repository."""
    airflow_dags = dags.load()
    schema = tables.load(server_url)
    whole = {
        _FOLDER / "dags.md": dags.page(airflow_dags),
        _FOLDER / "settings.md": settings.page(),
        _FOLDER / "tables.md": tables.page(schema),
        _FOLDER / "errors.md": errors.page(),
        _FOLDER / "assumptions.md": assumptions.page(READS, WRITES),
        _FOLDER / "licences.md": licences.page(),
        Path("deploy/dbt/sources.yml"): dbt.page(schema),
    }
    return {path: _HEADS[path.suffix] + text for path, text in whole.items()}


def stale(made: Mapping[Path, str]) -> list[str]:
    """The files that do not hold what they should."""
    return [
        str(path)
        for path, text in made.items()
        if not (ROOT / path).exists() or (ROOT / path).read_text(encoding="utf-8") != text
    ]


def write(made: Mapping[Path, str]) -> None:
    """Bring the files up to date."""
    for path, text in made.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
