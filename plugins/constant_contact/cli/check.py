"""`airflow constant-contact check`: what the jobs rely on, and whether it holds here."""

import sys
from argparse import Namespace
from contextlib import closing

from constant_contact.cli.connections import CommandHook, account_named, one_line
from constant_contact.errors import SettingError
from constant_contact.sync.check.results import as_file
from constant_contact.sync.check.run import Writes, run_check


def check(args: Namespace) -> None:
    """Print a line for each thing; end with status 1 and one line if the check could not be run."""
    with one_line():
        account = account_named(args.account)
        writes = Writes(args.test_contact_id, args.write)
        hook = CommandHook(account.constant_contact_conn_id, account.crm_conn_id)
        # Not the hook's own, which wants our schema and its account's tables.
        with closing(hook), closing(hook.open_crm(account.crm_conn_id)) as crm:
            checked, report = run_check(crm, hook.client, hook.constant_contact_conn_id, writes)
        for line in checked.lines:
            print(line)
        print(report)
        if args.file:
            try:
                args.file.write_text(as_file(checked), encoding="utf-8")
            except OSError as error:
                raise SettingError(
                    "--file", f"{args.file} cannot be written ({error.strerror})"
                ) from None
            print(f"written into {args.file}, fit to be sent")
    sys.exit(0)
