"""Who may see and do what here: Airflow's own permissions, on our DAGs and connections.

`known_user` is on every route of the app, so that one without any other dependency is still closed
to those who are not signed in.
"""

from typing import Annotated, Any, Literal

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import (
    ConnectionDetails,
    DagAccessEntity,
    DagDetails,
)
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.models.connection import Connection
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException, Request, status
from sqlalchemy.orm import Session

from constant_contact.accounts import Account
from constant_contact.web.frame.accounts import CurrentAccount


def known_user(request: Request, user: GetUserDep) -> None:
    """Keep the user that Airflow knows for `current_user`."""
    request.state.constant_contact_user = user


def current_user(request: Request) -> BaseUser:
    """The user who asks."""
    user: BaseUser = request.state.constant_contact_user
    return user


CurrentUser = Annotated[BaseUser, Depends(current_user)]


def may_read(user: BaseUser, account: Account) -> bool:
    """Whether a user may see an account's pages.

    Reading our tables is reading what our DAGs did. By the name of one: without it, a request
    could name any.
    """
    return _may(user, "GET", account.dag_id("opt_outs"), DagAccessEntity.TASK_LOGS)


def readable_dags(user: BaseUser, session: Session) -> set[str]:
    """The ids of the DAGs that a user may read, as Airflow's own pages filter by them."""
    return get_auth_manager().get_authorized_dag_ids(user=user, session=session)


def may_trigger(user: BaseUser, dag: str | DagDetails) -> bool:
    """Whether a user may start runs of a DAG, by its id or with its team looked up already."""
    return _may(user, "POST", dag, DagAccessEntity.RUN)


def require_trigger(noun: str) -> Any:
    """The dependency of a route that starts runs of an account's DAG, or does what they do."""

    def trigger(user: CurrentUser, account: CurrentAccount) -> None:
        _trigger_of_noun(noun, user, account)

    return Depends(trigger)


def _trigger_of_noun(noun: str, user: CurrentUser, account: CurrentAccount) -> None:
    require(may_trigger(user, account.dag_id(noun)))


def _edit_of_noun(noun: str, user: CurrentUser, account: CurrentAccount) -> None:
    require(may_edit_dag(user, account.dag_id(noun)))


# For routes with a path parameter `noun`, whether or not there is such a DAG.
RequireTriggerOfNoun = Depends(_trigger_of_noun)
RequireEditOfNoun = Depends(_edit_of_noun)


def may_edit_dag(user: BaseUser, dag: str | DagDetails) -> bool:
    """Whether a user may pause and unpause a DAG, by its id or with its team looked up already."""
    return _may(user, "PUT", dag)


def may_answer(user: BaseUser, account: Account) -> bool:
    """Whether a user may answer what Airflow asks about the circuit breaker's holds."""
    return _may(user, "PUT", account.dag_id("approvals"), DagAccessEntity.HITL_DETAIL)


def _answer(user: CurrentUser, account: CurrentAccount) -> None:
    require(may_answer(user, account))


MayAnswer = Depends(_answer)


def may_edit_connection(user: BaseUser, conn_id: str) -> bool:
    """Whether a user may change a connection."""
    details = ConnectionDetails(conn_id=conn_id, team_name=Connection.get_team_name(conn_id))
    return get_auth_manager().is_authorized_connection(method="PUT", details=details, user=user)


def require_edit_connection(user: BaseUser, account: Account) -> None:
    """Refuse who may not change an account's connection, its tokens included.

    Nor may who cannot see the account's pages: some auth managers know no single connection, so
    that who may edit one may edit all.
    """
    conn_id = account.constant_contact_conn_id
    require(may_read(user, account) and may_edit_connection(user, conn_id))


def _may(
    user: BaseUser,
    method: Literal["GET", "POST", "PUT"],
    dag: str | DagDetails,
    entity: DagAccessEntity | None = None,
) -> bool:
    if not isinstance(dag, DagDetails):
        # Where Airflow has several teams, what is one's is closed to the others.
        dag = DagDetails(id=dag, team_name=DagModel.get_team_name(dag))
    return get_auth_manager().is_authorized_dag(
        method=method, access_entity=entity, details=dag, user=user
    )


def require(is_allowed: bool) -> None:
    """Refuse who may not do what is asked.

    Raises:
        HTTPException: 403.
    """
    if not is_allowed:
        raise HTTPException(status.HTTP_403_FORBIDDEN, "Forbidden")
