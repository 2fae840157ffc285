"""`airflow constant-contact authorize`: a refresh token, in a file that only you may read."""

from argparse import Namespace
from functools import partial

from constant_contact.api.browser import NEXT_STEPS, refresh_token, write_secret
from constant_contact.api.settings import ApiSettings
from constant_contact.cli.connections import account_named, connection, named, one_line


def authorize(args: Namespace) -> None:
    """Wait for the browser; end with status 1 and one line if no refresh token came.

    Nothing here knows which account was authorized before: docs/tokens.md.
    """
    with one_line():
        conn_id = account_named(args.account).constant_contact_conn_id
        found = connection(conn_id)
        settings = ApiSettings.from_connection(
            conn_id=conn_id,
            login=found.login,
            password=found.password,
            host=found.host,
            port=found.port,
            extra=found.extra_dejson,
        )
        token = refresh_token(settings, named(conn_id), partial(print, flush=True))
    write_secret(args.file, token)
    print(NEXT_STEPS.format(file=args.file))
