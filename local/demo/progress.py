"""What goes on right now: a moving line on a terminal, a line a step elsewhere."""

import io
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.status import Status


class Progress:
    """The steps of the demo.

    Attributes:
        output: For `local.terminal.Terminal`, whose messages stand beside the step.
    """

    def __init__(self, console: Console) -> None:
        self.output = _Messages(self._message)
        self._console = console
        self._status = Status("", console=console) if console.is_terminal else None
        self._step = ""

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status:
            self._status.stop()

    def begin(self, step: str) -> None:
        """Something starts that takes a while."""
        self._step = step
        if self._status:
            self._status.update(escape(step))

    def end(self, said: str) -> None:
        """It is done; this line stays."""
        self._console.print(said, highlight=False, markup=False, soft_wrap=True)

    def _message(self, text: str) -> None:
        if self._status and text.strip():
            shown = f"{self._step}  {text.strip()}"[: self._console.width - 4]
            self._status.update(escape(shown))


class _Messages(io.StringIO):
    """Hands on what is written, and keeps none of it."""

    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__()
        self._take = take

    def write(self, text: str) -> int:
        self._take(text)
        return len(text)
