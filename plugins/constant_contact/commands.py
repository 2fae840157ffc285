"""What a person types to run a command of this package, where it is installed."""

from pathlib import Path
from typing import Final

#: Below `airflow`.
GROUP: Final = "constant-contact"

_ROOT: Final = Path(__file__).resolve().parents[2]
# Of the repository: the image has no Makefile, and an adopter's project no `local`.
_HAS_MAKE: Final = (_ROOT / "Makefile").is_file() and (_ROOT / "local" / "migrate.py").is_file()


def command(name: str) -> str:
    """How to run a command, such as `migrate`, in backquotes: by `make` in the repository only."""
    return f"`make {name}`" if _HAS_MAKE else f"`airflow {GROUP} {name}`"
