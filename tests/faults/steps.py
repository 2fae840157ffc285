"""What is made up for a history: its steps, and the people in it."""

from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.faults.world import ADDRESSES

number = st.integers(0, 5)
address = st.sampled_from(ADDRESSES)


class Step:
    """A method of a `History` or of a `Firm`, and its arguments."""

    def __init__(self, name: str, arguments: dict[str, Any]) -> None:
        self._name = name
        self._arguments = arguments

    def __repr__(self) -> str:
        return f"{self._name}({', '.join(f'{k}={v!r}' for k, v in self._arguments.items())})"

    def happen(self, to: object) -> None:
        getattr(to, self._name)(**self._arguments)


def step(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.fixed_dictionaries(arguments).map(partial(Step, name))
