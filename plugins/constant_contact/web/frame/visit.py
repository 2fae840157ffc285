"""A request to a page: who asks, for whose account, and what the page works with.

The type of a route's visit names the permission it needs; a route that starts runs, or answers for
a person, names another by a dependency of `access`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from airflow.api_fastapi.common.db.common import SessionDep
from fastapi import Depends, Request

from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.store.database import Database
from constant_contact.web.frame.access import (
    CurrentUser,
    may_read,
    may_trigger,
    require,
    require_edit_connection,
)
from constant_contact.web.frame.accounts import CurrentAccount
from constant_contact.web.frame.crm import page_hook


@dataclass
class Visit:
    """What a route is given.

    Attributes:
        session: Of Airflow's database.
    """

    request: Request
    user: CurrentUser
    account: CurrentAccount
    session: SessionDep

    @cached_property
    def hook(self) -> ConstantContactHook:
        """The account with the CRM database that its pages share.

        Raises:
            SettingError: There is no such CRM connection.
        """
        return page_hook(self.account)

    @property
    def crm(self) -> Database:
        """The CRM database of `hook`."""
        return self.hook.crm

    def may_trigger(self, noun: str) -> bool:
        """Whether the user may start runs of the account's DAG of a noun."""
        return may_trigger(self.user, self.account.dag_id(noun))


AnyVisit = Annotated[Visit, Depends()]


def _reading(visit: AnyVisit) -> Visit:
    require(may_read(visit.user, visit.account))
    return visit


def _editing(visit: AnyVisit) -> Visit:
    require_edit_connection(visit.user, visit.account)
    return visit


# Of who may see the account's pages; of who may change its connection.
Reading = Annotated[Visit, Depends(_reading)]
Editing = Annotated[Visit, Depends(_editing)]
