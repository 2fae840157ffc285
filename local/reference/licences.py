"""The licences of what the lock installs."""

from local.licences import licence, locked
from local.reference.markdown import table


def page() -> str:
    """One line a package that every interpreter and system gets."""
    return (
        "# Licences\n\n"
        "Of what `requirements.txt` installs, for development too; by each package's metadata.\n"
        "`make licences` fails on one that `local/licences.py` does not allow.\n\n"
        + table(["package", "licence"], [(name, licence(name)) for name in locked(everywhere=True)])
    )
