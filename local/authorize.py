"""`make authorize [ACCOUNT=eu]`: the first authorization of a real account, in your browser.

Reads API key, secret, scopes and redirect URL from `AIRFLOW_CONN_CONSTANT_CONTACT_DEFAULT`, or the
account's. The redirect URL must be registered with the application at Constant Contact and lead to
this machine, such as http://localhost:8910/callback. The refresh token goes into a file that only
you may read: put it into the connection's field refresh_token, and remove the file. Nothing here
knows which account you had before: log in as a user of the same one (docs/tokens.md).

The page *Connection* in the Airflow UI does the same and stores the tokens itself; this is for
those who have no UI.
"""

import os
from functools import partial

from constant_contact.accounts import DEFAULT, Account, accounts_named
from constant_contact.api.browser import NEXT_STEPS, refresh_token, write_secret
from constant_contact.api.settings import ApiSettings
from constant_contact.errors import ConstantContactError, SettingError
from local.paths import LOCAL
from local.stop import USAGE, Stop, command

TOKEN_FILE = LOCAL / "refresh_token"


def main() -> int:
    """Waits for the browser, exchanges the code, keeps the refresh token."""
    account = _account()
    variable = f"AIRFLOW_CONN_{account.constant_contact_conn_id.upper()}"
    settings = _settings(account, variable)
    of_account = "" if account == DEFAULT else f"_{account.name}"
    file = TOKEN_FILE.with_name(TOKEN_FILE.name + of_account)
    try:
        write_secret(file, refresh_token(settings, variable, partial(print, flush=True)))
    except SettingError as error:
        raise Stop(str(error), USAGE) from None
    except ConstantContactError as error:
        raise Stop(str(error)) from None
    print(NEXT_STEPS.format(file=file))
    return 0


def _account() -> Account:
    try:
        return accounts_named(os.environ.get("ACCOUNT", ""))[-1]
    except ValueError as error:
        raise Stop(f"ACCOUNT: {error}", USAGE) from None


def _settings(account: Account, variable: str) -> ApiSettings:
    if not os.environ.get(variable):
        raise Stop(f"{variable} is not set: set it with API key, secret, redirect_url", USAGE)
    # Airflow's own reading of the variable, URI or JSON; its database is not needed
    from airflow.sdk import Connection  # noqa: PLC0415

    value, conn_id = os.environ[variable], account.constant_contact_conn_id
    try:
        conn = (
            Connection.from_json(value, conn_id)
            if value.lstrip().startswith("{")
            else Connection.from_uri(value, conn_id)
        )
        return ApiSettings.from_connection(
            conn_id=conn_id,
            login=conn.login,
            password=conn.password,
            host=conn.host,
            port=conn.port,
            extra=conn.extra_dejson,
        )
    except ConstantContactError as error:
        raise Stop(str(error), USAGE) from None
    except Exception as error:  # noqa: BLE001 (Airflow names no type for a bad value)
        # the error may quote the value, with the secret in it
        raise Stop(
            f"{variable} is no Airflow connection ({type(error).__name__}): write its JSON as in"
            " docs/connect.md, step 2",
            USAGE,
        ) from None


if __name__ == "__main__":
    command(main)
