"""Statistics and summaries: what the vendor counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from simulator_client import Api, assert_shape
from simulator_events import NOBODY, STATS, event, rows

if TYPE_CHECKING:
    from simulator.server import Running


def test_statistics_agree_with_the_trackers(account: Running) -> None:
    api = Api(account)
    activities = account.control.truth()["reportable_activities"][:10]
    body = api.ok(f"{STATS}/{','.join(activities)}")
    assert_shape(body, "CampaignActivityStatsQueryResultEmail")
    assert body["errors"] == []
    for result in body["results"]:
        stats, of = result["stats"], result["campaign_activity_id"]
        opens = rows(api, of, "opens")
        clicks = rows(api, of, "clicks")
        assert stats["em_opens_all"] == len(opens)
        assert stats["em_opens"] == len({each["contact_id"] for each in opens})
        assert stats["em_opens_all_mobile"] == sum(e.get("device_type") == "mobile" for e in opens)
        assert stats["em_opens_all_none"] == sum("device_type" not in e for e in opens)
        assert stats["em_clicks_all"] == len(clicks)
        assert stats["em_clicks"] == len({each["contact_id"] for each in clicks})
        for name in ("sends", "forwards", "optouts", "bounces"):
            found = rows(api, of, name)
            assert stats[f"em_{name}"] == len({each["contact_id"] for each in found})
        lost = stats["em_sends"] - stats["em_opens"] - stats["em_bounces"]
        assert stats["em_not_opened"] == max(0, lost)


def test_statistics_name_unknown_ids_and_refuse_all_for_a_malformed_one(
    api: Api, sent: dict[str, Any]
) -> None:
    body = api.ok(f"{STATS}/{NOBODY},{sent['activity']}")
    assert [each["campaign_activity_id"] for each in body["results"]] == [sent["activity"]]
    assert NOBODY in body["errors"][0]["error_message"]
    answer = api.get(f"{STATS}/{sent['activity']},82ee2c37-c8f8-4974-9560-ef93ad51d58z")
    assert answer.status_code == 404
    assert answer.json()["error_key"]
    eleven = ",".join([sent["activity"]] * 11)
    assert api.get(f"{STATS}/{eleven}").status_code == 400


def test_statistics_of_campaigns_have_percents(account: Running) -> None:
    api = Api(account)
    summaries = api.ok("/reports/summary_reports/email_campaign_summaries")
    ids = [each["campaign_id"] for each in summaries["bulk_email_campaign_summaries"]]
    body = api.ok(f"/reports/stats/email_campaigns/{','.join([*ids, NOBODY])}")
    assert_shape(body, "CampaignStatsQueryResultEmail")
    assert [each["campaign_id"] for each in body["results"]] == ids
    assert len(body["errors"]) == 1
    for result, each in zip(
        body["results"], summaries["bulk_email_campaign_summaries"], strict=True
    ):
        assert result["stats"]["em_sends"] == each["unique_counts"]["sends"]


def test_statistics_lag_behind_the_events_by_a_setting(api: Api, sent: dict[str, Any]) -> None:
    control = api.sim.control
    control.settings(stats_lag_s=3600)
    control.clock(advance_s=7200)
    control.add_events([event(sent, 0, "opens", "13:00:00")])

    def opens() -> int:
        return int(api.ok(f"{STATS}/{sent['activity']}")["results"][0]["stats"]["em_opens_all"])

    assert len(rows(api, sent["activity"], "opens")) == 1
    assert opens() == 0
    control.clock(advance_s=3700)
    assert opens() == 1


def test_summaries_are_newest_first_unique_and_only_of_reported_campaigns(
    account: Running,
) -> None:
    api = Api(account)
    pages = api.pages("/reports/summary_reports/email_campaign_summaries", limit=5)
    for page in pages:
        assert_shape(page, "BulkEmailCampaignSummariesPage")
    found = [each for page in pages for each in page["bulk_email_campaign_summaries"]]
    assert len(found) == 12
    dates = [each["last_sent_date"] for each in found]
    assert dates == sorted(dates, reverse=True)
    emails = api.ok("/emails", limit=500)["campaigns"]
    unreported = {each["campaign_id"] for each in emails} - {each["campaign_id"] for each in found}
    assert len(unreported) == 3


def test_unique_counts_do_not_move_when_the_same_contact_opens_again(
    api: Api, sent: dict[str, Any]
) -> None:
    path = "/reports/summary_reports/email_campaign_summaries"
    api.sim.control.add_events([event(sent, 0, "opens", "13:00:00")])
    before = api.ok(path)["bulk_email_campaign_summaries"]
    api.sim.control.add_events([event(sent, 0, "opens", "14:00:00")])
    assert api.ok(path)["bulk_email_campaign_summaries"] == before
    api.sim.control.add_events([event(sent, 1, "opens", "14:00:00")])
    assert api.ok(path)["bulk_email_campaign_summaries"] != before


@pytest.mark.parametrize(("counts", "opens"), [("activities", 3), ("contacts", 2), ("events", 4)])
def test_summaries_count_by_a_setting(
    api: Api, sent: dict[str, Any], counts: str, opens: int
) -> None:
    resent = api.sim.control.send_campaign(campaign_id=sent["campaign"], role="resend")
    api.sim.control.settings(summary_counts=counts)
    first = [event(sent, who, "opens", f"13:0{minute}:00") for minute, who in enumerate((0, 0, 1))]
    again = event(sent, 1, "opens", "15:00:00")
    again["campaign_activity_id"] = resent["campaign_activity_id"]
    api.sim.control.add_events([*first, again])
    (row,) = api.ok("/reports/summary_reports/email_campaign_summaries")[
        "bulk_email_campaign_summaries"
    ]
    assert row["unique_counts"]["opens"] == opens
