"""The DAGs, a module each; a file of a DAGs folder has them by two lines.

```python
from constant_contact.dags import make_dags  # for Airflow

globals().update(make_dags())
```

Airflow reads only files that hold the words *airflow* and *dag*: hence the comment.
"""

from importlib import import_module
from typing import Final

from airflow.sdk import DAG

from constant_contact.config import accounts

NOUNS: Final = (
    "lists",
    "contacts",
    "activities",
    "opt_outs",
    "list_memberships",
    "approvals",
    "bulk_memberships",
    "opt_ins",
    "erasure",
    "after_restore",
    "check",
    "retention",
)


def make_dags(*nouns: str) -> dict[str, DAG]:
    """Make the DAGs of every account.

    Args:
        nouns: Which of `NOUNS`; all of them, if none is named.

    Returns:
        The DAGs by their ids, which are not names of Python's, but may stand among a module's.

    Raises:
        SettingError: An option is wrong.
    """
    modules = [import_module(f"{__name__}.{noun}") for noun in nouns or NOUNS]
    made = [module.make_dag(account) for module in modules for account in accounts()]
    return {dag.dag_id: dag for dag in made}
