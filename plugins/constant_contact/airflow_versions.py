"""What differs between the versions of Airflow that this package runs on."""

import warnings
from typing import Final

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
