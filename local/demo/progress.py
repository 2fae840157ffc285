"""What goes on right now: a moving line on a terminal, a line a step elsewhere."""

from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.status import Status


class Progress:
    """The steps of the demo."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = Status("", console=console) if console.is_terminal else None
        self._step = ""

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def begin(self, step: str) -> None:
        """Something starts that takes a while."""
        self._step = step
        if self._status:
            self._status.update(escape(step))

    def show(self, message: str) -> None:
        """A message of a task, beside the step."""
        if self._status:
            shown = f"{self._step}  {message}"[: self._console.width - 4]
            self._status.update(escape(shown))

    def end(self, said: str) -> None:
        """It is done; this line stays."""
        self._console.print(said, highlight=False, markup=False, soft_wrap=True)
