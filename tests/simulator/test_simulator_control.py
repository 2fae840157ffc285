from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from simulator_client import PATIENCE_S, Api

from simulator.control import Control, ControlError
from simulator.server import Running, running

ROOT = Path(__file__).resolve().parents[2]


def test_the_same_seed_makes_the_same_account(sim: Running) -> None:
    plan = {
        "contacts": 500,
        "lists": 5,
        "campaigns": 4,
        "events": 2000,
        "start": "2025-01-01T00:00:00Z",
        "end": "2026-01-01T00:00:00Z",
    }
    worlds = []
    for seed in (1, 1, 2):
        sim.control.generate(seed=seed, **plan)
        worlds.append((list(sim.control.truth_contacts()), list(sim.control.truth_events())))
    assert worlds[0] == worlds[1]
    assert worlds[0] != worlds[2]


def test_events_come_in_lifelike_proportions_and_exact_number(account: Running) -> None:
    events = account.control.truth()["events"]
    assert sum(events.values()) == 9000
    assert events["sends"] > events["opens"] > events["clicks"] > events["bounces"]
    assert events["bounces"] > events["optouts"] > 0
    sends = [
        (each["contact_id"], each["campaign_activity_id"])
        for each in account.control.truth_events(type="sends")
    ]
    assert len(sends) == len(set(sends))


def test_more_events_than_contacts_can_be_sent_become_opens(sim: Running) -> None:
    made = sim.control.generate(contacts=10, campaigns=2, events=1000)
    assert made["events"] == 1000
    assert sim.control.truth()["events"]["sends"] == 20


def test_who_opted_out_in_an_event_is_unsubscribed(account: Running) -> None:
    for each in account.control.truth_events(type="optouts"):
        contact = account.control.truth_contact(each["contact_id"])
        assert (contact["permission"], contact["opt_out_source"]) == ("unsubscribed", "Contact")
        assert contact["opt_out_date"] == each["created_time"]
        assert contact["lists"] == []


def test_recent_campaigns_were_sent_in_the_last_week(sim: Running) -> None:
    sim.control.clock(now="2026-03-08T00:00:00Z", frozen=True)
    sim.control.generate(contacts=10, campaigns=10, recent_campaigns=4, events=100)
    api = Api(sim)
    summaries = api.ok("/reports/summary_reports/email_campaign_summaries")
    dates = [each["last_sent_date"] for each in summaries["bulk_email_campaign_summaries"]]
    assert sum(each > "2026-03-01" for each in dates) == 4


def test_a_large_account_is_made_and_served_fast(sim: Running) -> None:
    # of this process, the simulator's too, however much of the machine others have
    started = time.process_time()
    sim.control.generate(contacts=200_000, lists=50, campaigns=50, events=200_000)
    assert time.process_time() - started < 10
    api = Api(sim)
    path = api.ok("/contacts", limit=500, include="list_memberships")["_links"]["next"]["href"]
    spent = []
    for _ in range(10):
        api.ok(path)
        spent.append(sim.control.calls()[-1]["ms"])
    assert min(spent) < 15  # 1.5 ms on an idle machine


@pytest.mark.parametrize(
    "plan",
    [
        {"contacts": -1},
        {"lists": 1001},
        {"events": 5, "contacts": 0},
        {"sheep": 3},
        {"start": "2026-01-02", "end": "2026-01-01"},
    ],
)
def test_plans_that_make_no_sense_are_refused(sim: Running, plan: dict[str, object]) -> None:
    with pytest.raises(ControlError):
        sim.control.generate(**plan)


def test_the_clock_can_be_set_frozen_and_advanced(sim: Running) -> None:
    control = sim.control
    assert control.clock(now="2026-01-01T00:00:00Z", frozen=True)["frozen"]
    assert control.clock()["now"] == "2026-01-01T00:00:00.000Z"
    assert control.clock(advance_s=1.5)["now"] == "2026-01-01T00:00:01.500Z"
    control.clock(frozen=False)
    time.sleep(0.02)
    assert control.clock()["now"] > "2026-01-01T00:00:01.500Z"
    with pytest.raises(ControlError):
        control.clock(tomorrow=True)


def test_reset_brings_everything_back_to_the_start() -> None:
    with running(calls_per_second=7, client_secret="s") as sim:
        control = sim.control
        control.generate(contacts=5)
        control.limits(calls_per_second=0, latency_ms=1)
        control.settings(rotating=False, bulk_outcomes=["failed"])
        control.new_secret()
        control.clock(now="2020-01-01", frozen=True)
        control.add_fault("html_503")
        control.reset()
        assert control.truth()["contacts"]["total"] == 0
        assert control.limits()["calls_per_second"] == 7
        settings = control.settings()
        assert (settings["rotating"], settings["client_secret"]) == (True, "s")
        assert settings["bulk_outcomes"] == []
        assert control.clock()["now"] > "2026"
        assert control.faults() == []
        assert control.calls() == []


def test_a_mutation_lasts_until_reset(api: Api) -> None:
    control = api.sim.control
    assert {"point": "link_life", "differs": "a link works once"} in control.mutations()
    control.mutate("link_life", "a link works once")
    control.load(contacts=[{"email": f"{n}@example.com"} for n in range(2)])
    href = api.ok("/contacts", limit=1)["_links"]["next"]["href"]
    assert [api.get(href).status_code for _ in range(2)] == [200, 400]
    control.reset()
    assert control.settings()["links_used_once"] is False
    with pytest.raises(ControlError, match="there is no such mutation"):
        control.mutate("link_life", "a link works never")


@pytest.mark.parametrize(
    "change", [{"rotating": "yes"}, {"colour": 1}, {"next_null_style": "none"}, {"bulk_polls": "2"}]
)
def test_settings_that_make_no_sense_are_refused(sim: Running, change: dict[str, object]) -> None:
    with pytest.raises(ControlError):
        sim.control.settings(**change)


def test_load_refuses_what_refers_to_nothing(sim: Running) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    for records in (
        {"contacts": [{"email": "a@example.com", "list_memberships": [nobody]}]},
        {"events": [{"type": "opens", "campaign_activity_id": nobody, "contact_id": nobody}]},
        {"sheep": [{}]},
    ):
        with pytest.raises(ControlError):
            sim.control.load(**records)  # type: ignore[arg-type]


def test_drafts_can_be_sent_to_lists(sim: Running) -> None:
    control = sim.control
    (list_id,) = control.load(lists=[{"name": "A"}])["lists"]
    control.load(
        contacts=[
            {"email": "a@example.com", "list_memberships": [list_id]},
            {"email": "b@example.com"},
        ]
    )
    draft = {"name": "D", "current_status": "Draft"}
    (campaign,) = control.load(campaigns=[draft])["campaigns"]
    assert control.truth()["reportable_activities"] == []
    sent = control.send_campaign(campaign_id=campaign, list_ids=[list_id])
    assert (sent["campaign_id"], sent["sends"]) == (campaign, 1)
    assert control.truth()["reportable_activities"] == [sent["campaign_activity_id"]]


def test_the_control_client_says_what_was_wrong(sim: Running) -> None:
    with pytest.raises(ControlError, match="there is no contact"):
        sim.control.unsubscribe("00000000-0000-0000-0000-000000000000")


def test_the_command_prints_its_address_when_ready_and_knows_the_seed_token() -> None:
    command = [sys.executable, "-m", "simulator", "--port", "0", "--contacts", "5"]
    command += ["--refresh-token", "seed-token", "--no-rotating", "--token-calls-per-second", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"simulator ready at (http://127\.0\.0\.1:\d+)\n", line)
        assert found, line
        control = Control(found[1])
        assert control.truth()["contacts"]["total"] == 5
        assert control.settings()["rotating"] is False
        answer = requests.post(
            f"{found[1]}/oauth2/default/v1/token",
            data={"grant_type": "refresh_token", "refresh_token": "seed-token"},
            auth=("demo-api-key", "demo-secret"),
            timeout=PATIENCE_S,
        )
        assert answer.json()["refresh_token"] == "seed-token"
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def test_help_tells_of_every_flag() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "simulator", "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    ).stdout
    flags = "port host seed contacts lists campaigns events calls-per-second calls-per-day"
    flags += " latency-ms jitter-ms rotating no-rotating access-token-ttl client-id client-secret"
    flags += " redirect-uri log-level refresh-token"
    for flag in flags.split():
        assert f"--{flag}" in shown


def test_a_renamed_campaign_has_changed(api: Api) -> None:
    control = api.sim.control
    control.clock(now="2026-03-01T00:00:00Z", frozen=True)
    control.generate(contacts=10, campaigns=2, events=50)
    one = api.ok("/emails")["campaigns"][0]
    control.clock(advance_s=60)
    control.rename_campaign(one["campaign_id"], "Another name")
    (changed,) = api.ok("/emails", after_date="2026-03-01T00:00:30Z")["campaigns"]
    renamed = {"name": "Another name", "updated_at": "2026-03-01T00:01:00.000Z"}
    assert changed == one | renamed
    with pytest.raises(ControlError, match="there is no campaign"):
        control.rename_campaign("nowhere", "Another name")
