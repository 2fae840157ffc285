"""Which lists a contact is in, as one number per contact.

Few combinations of lists occur, so each is stored once and a contact's column holds its number.
Filters and counts then work on combinations, and on whole columns with numpy.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


class Memberships:
    """The combinations of lists that occur."""

    def __init__(self) -> None:
        self.combinations: list[tuple[int, ...]] = [()]
        self._numbers: dict[tuple[int, ...], int] = {(): 0}

    def number(self, lists: Iterable[int]) -> int:
        """The number of this combination; the order of joining is kept, repeats are not."""
        key = tuple(dict.fromkeys(lists))
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.combinations)
            self.combinations.append(key)
        return found

    def in_any(self, column: NDArray[np.int32], lists: set[int]) -> NDArray[np.bool_]:
        """For each contact of the column: is it in at least one of the lists?"""
        hits = np.fromiter(
            (not lists.isdisjoint(each) for each in self.combinations),
            dtype=np.bool_,
            count=len(self.combinations),
        )
        return hits[column]

    def counts(self, column: NDArray[np.int32], lists: int) -> list[int]:
        """Members of each of the first `lists` lists."""
        totals = [0] * lists
        for combination, members in zip(
            self.combinations,
            np.bincount(column, minlength=len(self.combinations)).tolist(),
            strict=True,
        ):
            if members:
                for each in combination:
                    totals[each] += members
        return totals
