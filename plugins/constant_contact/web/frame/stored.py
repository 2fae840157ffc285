"""What the api-server keeps in Airflow's database, encrypted: each an Airflow Variable.

Their keys hold the word "token", so that Airflow shows the value nowhere, its own list of
Variables and its logs included.
"""

from contextlib import AbstractContextManager
from typing import Final

from airflow.configuration import conf
from airflow.models.crypto import get_fernet
from airflow.models.dag import DagModel
from airflow.models.variable import Variable
from airflow.utils.session import create_session
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from constant_contact.accounts import Account
from constant_contact.errors import SettingError
from constant_contact.hooks.constant_contact import VariableTokenStore
from constant_contact.store.tokens import token_lock

# Longer than a refresh takes as a rule: its time limit is 30 s, its answer comes within one.
_WAIT_S: Final = 20


def read(session: Session, account: Account, key: str, *, lock: bool = False) -> str | None:
    """The value of a key; None if there is none, or it cannot be decrypted.

    One that was stored before Airflow had teams becomes the account's team's. With `lock`, others
    are kept from it until the session ends.
    """
    # Asked first: Airflow's own look-up may end a session.
    team = team_of(account)
    found = select(Variable).where(Variable.key == key)
    variable = session.scalar(found.with_for_update() if lock else found)
    if variable is None:
        return None
    variable.team_name = team or variable.team_name
    value: str | None = variable.get_val()
    return value


def write(session: Session, account: Account, key: str, value: str, description: str) -> None:
    """Set the value of a key, for tasks of the account's team only where Airflow has teams.

    Raises:
        SettingError: Airflow has no key to encrypt it with.
    """
    if not get_fernet().is_encrypted:
        raise SettingError(
            "option fernet_key of section core",
            "is empty, so that Airflow would store secrets in plain text; set one, the same for "
            "all components",
        )
    team = team_of(account)
    variable = session.scalar(select(Variable).where(Variable.key == key))
    if variable is None:
        variable = Variable(key=key)  # type: ignore[no-untyped-call]
        session.add(variable)
    variable.set_val(value)
    variable.description = description
    variable.team_name = team
    session.flush()


def team_of(account: Account) -> str | None:
    """The team whose tasks may read what an account has here; None: any task may."""
    if not conf.getboolean("core", "multi_team"):
        return None
    return DagModel.get_team_name(account.dag_id("opt_outs"))


def forget(session: Session, key: str) -> None:
    """Delete a key."""
    session.execute(delete(Variable).where(Variable.key == key))


class StoredTokens(VariableTokenStore):
    """The same Variable that tasks use, for the api-server, which has Airflow's database at hand.

    The session is the store's own: what is saved is committed, whatever becomes of the request.
    """

    def exclusively(self) -> AbstractContextManager[None]:
        """Hold off every other refresh; a person's code is not lost to one that is under way."""
        return token_lock(self._crm, self._conn_id, _WAIT_S)

    def _read(self) -> str | None:
        with create_session(scoped=False) as session:
            return read(session, Account.holding(self._conn_id), self._key)

    def _write(self, text: str) -> None:
        with create_session(scoped=False) as session:
            account = Account.holding(self._conn_id)
            write(session, account, self._key, text, self._description)
