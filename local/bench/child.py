"""The inside of a measuring process: `python -m local.bench.child MODULE:FUNCTION JSON`.

The function gets a `Gauge` and the JSON's keys; what it returns is the last line printed.
"""

import json
import sys
from importlib import import_module

from local.bench.gauge import Gauge


def main() -> None:
    """Run the function, print its figures."""
    name, arguments = sys.argv[1:]
    module, _, function = name.partition(":")
    gauge = Gauge()
    found = getattr(import_module(module), function)(gauge, **json.loads(arguments))
    print(json.dumps({**gauge.figures(), **found}), flush=True)


if __name__ == "__main__":
    main()
