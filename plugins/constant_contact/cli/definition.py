"""The commands, as Airflow's parser takes them from a provider; each loads its code when run."""

from pathlib import Path
from typing import Final

from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand, lazy_load_command

from constant_contact.accounts import DEFAULT
from constant_contact.commands import GROUP

_ACCOUNT: Final = Arg(  # type: ignore[no-untyped-call]
    ("--account",),
    help="One that the option accounts names; without it the default account.",
    default=DEFAULT.name,
)
_FILE: Final = Arg(  # type: ignore[no-untyped-call]
    ("--file",),
    help="Where the refresh token is written, readable by you only.",
    type=Path,
    default=Path("refresh_token"),
)
_CHECK_FILE: Final = Arg(  # type: ignore[no-untyped-call]
    ("--file",),
    help="Where the check is written, in Markdown: without addresses, secrets, hosts or names.",
    type=Path,
)
_TEST_CONTACT: Final = Arg(  # type: ignore[no-untyped-call]
    ("--test-contact-id",),
    help="A contact of the CRM whose address reaches only you, for --write.",
    default="",
)
_WRITE: Final = Arg(  # type: ignore[no-untyped-call]
    ("--write",),
    help="Yes, try writes at Constant Contact too: a list and a contact are made and deleted.",
    action="store_true",
)


def get_cli_commands() -> list[GroupCommand]:
    """Airflow calls this by the key `cli` of what the provider says of itself."""
    return [
        GroupCommand(
            name=GROUP,
            help="Constant Contact for a CRM in PostgreSQL",
            subcommands=(
                ActionCommand(
                    name="migrate",
                    help="Bring the CRM's schema up to date, of each account",
                    description=(
                        "Applies what is missing of the schema to the database of crm_default and "
                        "of each account's connection, and tries the files of crm_folder without "
                        "changing a row. Running it again does nothing."
                    ),
                    func=lazy_load_command("constant_contact.cli.migrate.migrate"),
                    args=(),
                ),
                ActionCommand(
                    name="check",
                    help="Check what the jobs rely on, in the CRM and at Constant Contact",
                    description=(
                        "Reads the CRM's database and makes a few calls, and tells of each thing "
                        "whether it holds, what it means for the jobs and what to do. Changes "
                        "nothing without --write. Ends with status 1 only if it could not be run."
                    ),
                    func=lazy_load_command("constant_contact.cli.check.check"),
                    args=(_ACCOUNT, _CHECK_FILE, _TEST_CONTACT, _WRITE),
                ),
                ActionCommand(
                    name="authorize",
                    help="Get a refresh token where the Airflow UI cannot be used",
                    description=(
                        "Prints a page to open in a browser on this machine, whose address the "
                        "connection's redirect_url has to lead to."
                    ),
                    func=lazy_load_command("constant_contact.cli.authorize.authorize"),
                    args=(_ACCOUNT, _FILE),
                ),
            ),
        )
    ]
