"""The task that keeps the grant alive."""

from dataclasses import dataclass

from airflow.sdk import Context

from constant_contact.hooks.constant_contact import ConstantContactHook
from constant_contact.operators.base import ConstantContactOperator
from constant_contact.sync.report import Report


@dataclass
class TokensReport(Report):
    """That there is an access token that should work."""

    usable: int = 1


class TokensOperator(ConstantContactOperator):
    """Uses the refresh token if nothing else did today: one that is never used dies.

    No API call, and a call to the token endpoint only if the stored access token has expired.
    """

    def sync(self, hook: ConstantContactHook, context: Context) -> TokensReport:
        """Have an access token, or fail with what a person must do."""
        hook.access_token()
        return TokensReport()
