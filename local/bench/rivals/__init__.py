"""Other ways to do the same, each run by `local.bench.child`."""

from typing import Final

from local.paths import LOCAL

#: the interpreter that has the vendor's SDK, of `make judge`
SDK_PYTHON: Final = LOCAL / "judge" / "bin" / "python"
