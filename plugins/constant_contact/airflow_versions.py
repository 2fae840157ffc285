"""What differs between the versions of Airflow that this package runs on."""

import os
import warnings
from typing import Final

from airflow.sdk.configuration import conf
from airflow.version import version

#: What the tests have run on; the pages use what its api-server has inside.
TRIED: Final = ("3.2", "3.3", "3.4")

#: The states of a task that asks a person, by their names: the first is not in Airflow 3.2, where
#: such a task waits for a trigger as any other does.
ASKING: Final = ("awaiting_input", "deferred")


def warn_if_untried() -> None:
    """Warn of another Airflow than those tried; Airflow shows it with the DAG file."""
    if version.rpartition(".")[0] not in TRIED:
        warnings.warn(
            f"this package was tried with Airflow {', '.join(TRIED)}, not with {version}: "
            "look for a release of it for yours",
            stacklevel=3,
        )


def options_set(section: str) -> set[str]:
    """The names of what is set in a section; Airflow 3.2 overlooks one that is in no file."""
    found = conf.getsection(section)
    if found is not None:
        return set(found)
    prefix = f"AIRFLOW__{section.upper()}__"
    names = (name.removeprefix(prefix) for name in os.environ if name.startswith(prefix))
    return {name.removesuffix("_CMD").removesuffix("_SECRET").lower() for name in names}
