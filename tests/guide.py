"""What docs/your-crm.md shows, as files: so that the guide and the tests cannot drift apart."""

import re
from pathlib import Path
from typing import Final

GUIDE: Final = Path(__file__).resolve().parents[1] / "docs" / "your-crm.md"
TABLE: Final = "the CRM's table"
_EXAMPLE: Final = re.compile(r"^### (.+?)\n(.*?)(?=^##)", re.DOTALL | re.MULTILINE)
_OTHER: Final = re.compile(r"```sql\n(?!-- )(.*?)```", re.DOTALL)
_BLOCK: Final = re.compile(r"```sql\n-- (.+?)\n(.*?)```", re.DOTALL)


def examples() -> dict[str, dict[str, str]]:
    """By heading: the SQL of each block, by what its first line says it is."""
    return {
        heading: dict(_BLOCK.findall(body))
        for heading, body in _EXAMPLE.findall(GUIDE.read_text(encoding="utf-8"))
    }


def other_statements() -> list[str]:
    """The SQL that stands outside the examples."""
    return _OTHER.findall(GUIDE.read_text(encoding="utf-8"))


def write_files(example: dict[str, str], folder: Path) -> Path:
    """Put the files of an example into a folder; returns it."""
    for name, text in example.items():
        if name != TABLE:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return folder
