"""Whose page it is: the path names an account of the option, else it is the default one.

The pages of an account `eu` are those of the default one, below `/accounts/eu`.
"""

from typing import Annotated, Final

from fastapi import Depends, HTTPException, Request, status

from constant_contact.accounts import DEFAULT, Account
from constant_contact.config import accounts
from constant_contact.errors import SettingError

# Each page is at both: in the path only, so that no query and no form says whose it is.
PREFIXES: Final = ("", "/accounts/{account}")
_OTHERS: Final = "/accounts/"


def known_account(request: Request) -> None:
    """Keep the account that the path names.

    Raises:
        HTTPException: 404; the option `accounts` names no such account.
        SettingError: The option is wrong.
    """
    name = request.path_params.get("account")
    account = DEFAULT if name is None else account_named(name)
    if account is None:
        raise HTTPException(
            status.HTTP_404_NOT_FOUND,
            "There is no such account: the option accounts of the section [constant_contact] names "
            "those that are there besides the default one.",
        )
    turn_to(request, account)


def account_named(name: str) -> Account | None:
    """The account of a name; None: the option does not name it.

    Raises:
        SettingError: The option is wrong.
    """
    return next((account for account in accounts() if account.name == name), None)


def turn_to(request: Request, account: Account) -> None:
    """From here on the request is about this account."""
    request.state.constant_contact_account = account


def current_account(request: Request) -> Account:
    """The account that is asked for."""
    account: Account = request.state.constant_contact_account
    return account


CurrentAccount = Annotated[Account, Depends(current_account)]


def account_if_known(request: Request) -> Account | None:
    """The account that is asked for; None where a problem came before it was known."""
    return getattr(request.state, "constant_contact_account", None)


def names_account(request: Request) -> bool:
    """Whether the path is below those of other accounts, be there such a page or not."""
    return _OTHERS in request.url.path


def several_accounts() -> tuple[Account, ...]:
    """All accounts, if there are more than the default one; none where the option is wrong."""
    try:
        found = accounts()
    except SettingError:
        # The overview says so; the other pages of the default account need no other.
        return ()
    return found if len(found) > 1 else ()
