"""`make check`: what the jobs rely on, and whether it holds.

On the two connections of the environment where they are set, on the local CRM and the simulator
otherwise. Its options are those of `airflow constant-contact check`.
"""

import os
import sys

from local.stack import local_stack
from local.stop import command


def main() -> int:
    """Says what was found; changes nothing but with `--writes`."""
    with local_stack(os.environ) as stack:
        os.environ.update(stack.environment)
        os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
        # these import Airflow, which must find its environment set
        from airflow.cli.cli_parser import get_parser  # noqa: PLC0415

        from constant_contact.commands import GROUP  # noqa: PLC0415
        from local.metadata import prepare_metadata  # noqa: PLC0415

        prepare_metadata(local=stack.local_metadata)
        asked = get_parser().parse_args([GROUP, "check", *sys.argv[1:]])
        asked.func(asked)
    return 0


if __name__ == "__main__":
    command(main)
