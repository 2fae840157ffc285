"""The accounts of Constant Contact: each is a pair of Airflow connections and a set of DAGs.

No Airflow here: `config.accounts` reads the option, this says what it means.
"""

import re
from dataclasses import dataclass
from typing import Final

# A part of DAG ids, connection ids, names of environment variables and of a schema. No underscore:
# no account's DAG may have the name of another's.
_NAME: Final = re.compile(r"[a-z][a-z0-9]{0,29}")


#: The folder of selections beside those of the accounts: no account has its name.
SELECTIONS: Final = "selections"

#: Where the api-server has our pages.
PAGES: Final = "/constant-contact"


@dataclass(frozen=True)
class Account:
    """One account, by the name that its connections and DAGs have."""

    name: str

    @classmethod
    def of_crm(cls, crm_conn_id: str) -> "Account":
        """The account of a CRM connection; of one outside the option, its id is the name."""
        return cls(crm_conn_id.removeprefix("crm_"))

    @classmethod
    def holding(cls, constant_contact_conn_id: str) -> "Account":
        """The account of a connection with a key; of one outside the option, its id is the name."""
        return cls(constant_contact_conn_id.removeprefix("constant_contact_"))

    @property
    def constant_contact_conn_id(self) -> str:
        """The connection with key, secret and refresh token."""
        return f"constant_contact_{self.name}"

    @property
    def crm_conn_id(self) -> str:
        """The connection to the CRM database that sees this account's tables."""
        return f"crm_{self.name}"

    @property
    def tags(self) -> list[str]:
        """The tags that all DAGs of this account have."""
        return ["constant_contact"] if self == DEFAULT else ["constant_contact", self.name]

    @property
    def pages(self) -> str:
        """Where this account's pages are, below those of the default one."""
        return "" if self == DEFAULT else f"/accounts/{self.name}"

    def dag_id(self, noun: str) -> str:
        """The id of this account's DAG of `noun`, such as `opt_outs`."""
        return f"{self._prefix}{noun}"

    def asset(self, table: str) -> str:
        """The name of the asset that one of this account's tables is."""
        return table if self == DEFAULT else f"{self.name}.{table}"

    def gauge(self, name: str) -> str:
        """The name of a gauge of this account's: StatsD keeps one figure a name, without tags."""
        return ".".join(["constant_contact", *([] if self == DEFAULT else [self.name]), name])

    def runbook(self, doc: str | None) -> str:
        """A DAG file's docstring, as it reads for this account."""
        doc = doc or ""
        if self == DEFAULT:
            return doc
        heading, _, rest = doc.replace(DEFAULT.dag_id(""), self._prefix).partition("\n")
        return (
            f"{heading}: account {self.name}\n\nConnections `{self.constant_contact_conn_id}` and "
            f"`{self.crm_conn_id}`; the tables are those that `{self.crm_conn_id}` sees.\n{rest}"
        )

    @property
    def _prefix(self) -> str:
        return "constant_contact_" if self == DEFAULT else f"constant_contact_{self.name}_"


DEFAULT: Final = Account("default")


def accounts_named(names: str) -> tuple[Account, ...]:
    """The default account, then those of a list with commas between the names.

    Raises:
        ValueError: A name is malformed, or given twice.
    """
    given = [name for name in map(str.strip, names.split(",")) if name]
    for name in given:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is no name of an account: small letters and digits, a letter first, "
                "30 at most"
            )
        if name == DEFAULT.name:
            raise ValueError(f"{name!r} is always there; name the others only")
        if name == SELECTIONS:
            raise ValueError(f"{name!r} is the folder of your selections; choose another name")
        if given.count(name) > 1:
            raise ValueError(f"{name!r} is there twice")
    return (DEFAULT, *map(Account, given))
