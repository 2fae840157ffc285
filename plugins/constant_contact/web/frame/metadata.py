"""Airflow's own database as pages may use it: with short patience, and no harm to what follows."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from constant_contact.errors import QueryTooSlow


@contextmanager
def short(session: Session) -> Iterator[None]:
    """Let no statement of the block take longer than a page may; only for what reads.

    Raises:
        QueryTooSlow: One did, or the database does not answer; the session can be used again.
    """
    try:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("SET LOCAL statement_timeout = '3s'"))
        yield
    except SQLAlchemyError as error:
        session.rollback()
        raise QueryTooSlow(
            "Airflow's own database did not answer in the time of a page "
            f"({type(error).__name__}); load the page again in a moment"
        ) from None
