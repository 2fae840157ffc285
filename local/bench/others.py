"""The others beside ours: the bare loop and the vendor's SDK, each measured in a process."""

import sysconfig
from typing import Any

from local.bench.measure import Figures, measured
from local.bench.stage import Vendor
from local.paths import LOCAL

#: the interpreter that has the vendor's SDK, of `make judge`
_SDK_PYTHON = LOCAL / "judge" / "bin" / "python"


def bare_loop(what: str, vendor: Vendor, crm_url: str, **arguments: Any) -> Figures:
    """Run a function of `local.bench.rivals.bare`."""
    return measured(
        f"local.bench.rivals.bare:{what}",
        url=vendor.url,
        token=vendor.access_token(),
        crm_url=crm_url,
        **arguments,
    )


def vendors_sdk(what: str, vendor: Vendor, crm_url: str) -> Figures:
    """Run a function of `local.bench.rivals.sdk`."""
    return measured(
        f"local.bench.rivals.sdk:{what}",
        python=_SDK_PYTHON,
        url=vendor.url,
        token=vendor.access_token(),
        crm_url=crm_url,
        site_packages=sysconfig.get_path("platlib"),
    )
