"""The vendor's own SDK reads the whole simulator. It judges what we cannot judge ourselves."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from simulator_client import access_token

if TYPE_CHECKING:
    from simulator.server import Running

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("judge") / "read_everything.py"


def test_the_vendors_sdk_reads_everything_and_finds_the_truth(account: Running) -> None:
    python = Path(os.environ.get("JUDGE_PYTHON", ".local/judge/bin/python"))
    python = python if python.is_absolute() else ROOT / python
    assert python.exists(), f"the vendor's SDK has no environment at {python}; run: make judge"
    run = subprocess.run(
        [str(python), str(SCRIPT), account.url, access_token(account)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found, truth = json.loads(run.stdout), account.control.truth()
    assert found["lists"] == {each["list_id"]: each["members"] for each in truth["lists"]}
    assert found["contact_ids"] == [each["contact_id"] for each in account.control.truth_contacts()]
    live, deleted = truth["contacts"]["live"], truth["contacts"]["deleted"]
    assert found["contacts"] == {"live": live, "deleted": deleted}
    assert found["permissions"]["unsubscribed"] == truth["contacts"]["unsubscribed"]
    assert found["counts"]["total"] == live
    assert (found["campaigns"], found["activities"]) == (truth["campaigns"], truth["activities"])
    assert sorted(found["reported"]) == sorted(truth["reportable_activities"])
    assert {name: found["events"][name] for name in truth["events"]} == truth["events"]
    for name, total in (("opens", "em_opens_all"), ("clicks", "em_clicks_all")):
        assert sum(each[total] for each in found["stats"].values()) == truth["events"][name]
    assert found["events"]["unique_opens"] == sum(
        each["em_opens"] for each in found["stats"].values()
    )
    assert sum(found["summaries"]) == truth["events"]["sends"]
    assert found["campaign_stats"] == found["summaries"]
    assert found["links"] == 4 * len(found["reported"])
    assert found["of_first_contact"] == found["first_contact_rows"] > 0
    assert found["bulk"] == 0
