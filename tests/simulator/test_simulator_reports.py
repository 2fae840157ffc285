from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from simulator_client import Api, assert_shape
from simulator_events import NOBODY, STATS, event, rows, tracking

if TYPE_CHECKING:
    from simulator.server import Running

SHAPES = {
    "sends": "SendsTrackingActivitiesPage",
    "opens": "OpensTrackingActivitiesPage",
    "unique_opens": "OpensTrackingActivitiesPage",
    "didnotopens": "DidNotOpensTrackingActivitiesPage",
    "clicks": "ClicksTrackingActivitiesPage",
    "forwards": "ForwardsTrackingActivitiesPage",
    "optouts": "OptoutsTrackingActivitiesPage",
    "bounces": "BouncesTrackingActivitiesPage",
}


@pytest.mark.parametrize("tracker", SHAPES)
def test_trackers_have_the_contracts_shape_and_all_events_newest_first(
    account: Running, tracker: str
) -> None:
    api = Api(account)
    truth = account.control.truth()
    found: list[dict[str, Any]] = []
    for activity in truth["reportable_activities"]:
        pages = api.pages(tracking(activity, tracker), limit=100)
        for page in pages:
            assert_shape(page, SHAPES[tracker])
        of_one = [each for page in pages for each in page["tracking_activities"]]
        times = [each["created_time"] for each in of_one]
        assert times == sorted(times, reverse=True)
        assert {each["campaign_activity_id"] for each in of_one} <= {activity}
        found += of_one
    assert found
    if tracker in truth["events"]:
        assert len(found) == truth["events"][tracker]
        expected = account.control.truth_events(type=tracker)

        def key(each: dict[str, Any]) -> tuple[Any, ...]:
            return tuple(each.get(n) for n in ("contact_id", "created_time", "url_id"))

        assert Counter(map(key, found)) == Counter(map(key, expected))


def test_unique_opens_show_the_last_open_and_didnotopens_the_rest(
    api: Api, sent: dict[str, Any]
) -> None:
    opens = [
        event(sent, 0, "opens", "13:00:00"),
        event(sent, 0, "opens", "15:00:00", device_type="mobile"),
        event(sent, 1, "opens", "14:00:00"),
    ]
    api.sim.control.add_events(opens)
    unique = rows(api, sent["activity"], "unique_opens")
    assert [(each["contact_id"], each["created_time"][11:13]) for each in unique] == [
        (sent["ids"][0], "15"),
        (sent["ids"][1], "14"),
    ]
    assert unique[0]["device_type"] == "mobile"
    assert "device_type" not in unique[1]
    (rest,) = rows(api, sent["activity"], "didnotopens")
    assert rest["contact_id"] == sent["ids"][2]
    assert rest["tracking_activity_type"] == "em_didnotopens"
    assert rest["created_time"] == "2026-03-01T12:00:00.000Z"


def test_late_events_appear_at_their_place_and_identical_rows_may_occur(
    api: Api, sent: dict[str, Any]
) -> None:
    control = api.sim.control
    control.add_events([event(sent, 0, "opens", at) for at in ("13:00:00", "15:00:00")])
    control.add_events([event(sent, 1, "opens", "14:00:00")] * 2)
    found = rows(api, sent["activity"], "opens", limit=1)
    assert [each["created_time"][11:13] for each in found] == ["15", "14", "14", "13"]
    assert found[1] == found[2]


def test_new_events_shift_the_pages_of_a_tracker(api: Api, sent: dict[str, Any]) -> None:
    control = api.sim.control
    control.add_events([event(sent, 0, "opens", f"13:00:0{n}") for n in range(4)])
    first = api.ok(tracking(sent["activity"], "opens"), limit=2)
    control.add_events([event(sent, 1, "opens", "16:00:00")])
    second = api.ok(first["_links"]["next"]["href"])
    assert second["tracking_activities"][0] == first["tracking_activities"][1]


def test_clicks_carry_their_link_and_can_be_had_by_url_id(api: Api, sent: dict[str, Any]) -> None:
    links = ["https://a.example/", "https://b.example/"]
    clicks = [event(sent, n % 2, "clicks", f"13:00:0{n}", link_url=links[n % 2]) for n in range(4)]
    api.sim.control.add_events([*clicks, event(sent, 1, "clicks", "13:01:00", link_url=links[0])])
    found = rows(api, sent["activity"], "clicks")
    url_id = next(each["url_id"] for each in found if each["link_url"] == links[0])
    assert isinstance(url_id, str)
    assert len(rows(api, sent["activity"], "clicks", url_id=url_id, limit=1)) == 3
    assert api.get(tracking(sent["activity"], "clicks"), url_id="x").status_code == 400
    report = api.ok(f"/reports/email_reports/{sent['activity']}/links")
    assert_shape(report, "EmailLinks")
    counts = {each["link_url"]: each["unique_clicks"] for each in report["link_click_counts"]}
    assert counts == {links[0]: 2, links[1]: 1}
    path = f"/reports/email_reports/{sent['activity']}/links"
    everything = api.ok(path, no_clicks="true")["link_click_counts"]
    assert [each["unique_clicks"] for each in everything].count(0) == 1


def test_bounces_can_be_had_by_code_and_name_the_current_address(
    api: Api, sent: dict[str, Any]
) -> None:
    control = api.sim.control
    codes = [event(sent, n, "bounces", "12:01:00", bounce_code=c) for n, c in enumerate("BVF")]
    control.add_events(codes)
    control.update_contact(sent["ids"][0], email="new@example.com")
    path = tracking(sent["activity"], "bounces")
    found = api.ok(path, bounce_code=["B", "F"])["tracking_activities"]
    assert {each["bounce_code"] for each in found} == {"B", "F"}
    moved = next(each for each in found if each["bounce_code"] == "B")
    assert moved["email_address"] == "ann@example.com"
    assert moved["current_email_address"] == "new@example.com"
    assert api.get(path, bounce_code="Q").status_code == 400


def test_rows_keep_the_address_of_the_send_and_tell_of_deletion(
    api: Api, sent: dict[str, Any]
) -> None:
    control = api.sim.control
    control.update_contact(sent["ids"][0], email="new@example.com")
    control.delete_contact(sent["ids"][1])
    control.purge_contact(sent["ids"][2])
    found = {each["contact_id"]: each for each in rows(api, sent["activity"], "sends")}
    assert found[sent["ids"][0]]["email_address"] == "ann@example.com"
    assert "deleted_at" not in found[sent["ids"][0]]
    assert len(found[sent["ids"][1]]["deleted_at"]) == 10
    assert found[sent["ids"][2]]["deleted_at"]


def test_an_unsubscribe_from_an_email_is_in_its_tracker(api: Api, sent: dict[str, Any]) -> None:
    api.sim.control.unsubscribe(
        sent["ids"][0], reason="enough", campaign_activity_id=sent["activity"]
    )
    (row,) = rows(api, sent["activity"], "optouts")
    assert row["opt_out_reason"] == "enough"
    assert api.ok(f"{STATS}/{sent['activity']}")["results"][0]["stats"]["em_optouts"] == 1


def test_roles_and_statuses_have_other_names_by_a_setting(api: Api, sent: dict[str, Any]) -> None:
    names = {"role_names": {"primary_email": "lead"}, "status_names": {"Done": "Sent"}}
    api.sim.control.settings(**names)
    shown = api.ok(f"/emails/{sent['campaign']}")
    assert shown["current_status"] == "Sent"
    assert [each["role"] for each in shown["campaign_activities"]] == ["lead", "permalink"]
    assert rows(api, sent["activity"], "sends")


def test_emails_have_drafts_tests_and_automated_ones_which_no_report_knows(
    account: Running,
) -> None:
    api = Api(account)
    page = api.ok("/emails", limit=500)
    assert_shape(page, "PagedEmailCampaignResponse")
    created = [each["created_at"] for each in page["campaigns"]]
    assert created == sorted(created, reverse=True)
    odd = [
        each
        for each in page["campaigns"]
        if each["current_status"] == "Draft" or each["type_code"] in (1, 57)
    ]
    assert len(odd) == 3
    for each in odd:
        one = api.ok(f"/emails/{each['campaign_id']}")
        assert_shape(one, "EmailCampaign")
        for activity in one["campaign_activities"]:
            of = activity["campaign_activity_id"]
            assert api.get(tracking(of, "sends")).status_code == 404
            assert len(api.ok(f"{STATS}/{of}")["errors"]) == 1


@pytest.mark.parametrize(
    "kind", [{"type_code": 57, "type": "A_B_TEST"}, {"type_code": 1, "type": "Automated"}]
)
def test_a_sent_ab_test_or_automated_email_is_not_reported(
    api: Api, sent: dict[str, Any], kind: dict[str, Any]
) -> None:
    made = api.sim.control.send_campaign(name="Odd", contact_ids=sent["ids"], **kind)
    assert made["sends"] == 3
    assert api.get(tracking(made["campaign_activity_id"], "sends")).status_code == 404
    body = api.ok("/reports/summary_reports/email_campaign_summaries")
    ids = [each["campaign_id"] for each in body["bulk_email_campaign_summaries"]]
    assert ids == [sent["campaign"]]


def test_permalinks_have_no_reports_and_resends_do(account: Running) -> None:
    api = Api(account)
    summaries = api.ok("/reports/summary_reports/email_campaign_summaries")
    campaign = summaries["bulk_email_campaign_summaries"][0]["campaign_id"]
    codes = {
        each["role"]: api.get(tracking(each["campaign_activity_id"], "sends")).status_code
        for each in api.ok(f"/emails/{campaign}")["campaign_activities"]
    }
    assert codes == {"primary_email": 200, "resend": 200, "permalink": 404}


def test_emails_filter_by_their_update_and_show_removed_ones(api: Api) -> None:
    days = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z")
    api.sim.control.load(
        campaigns=[
            {"name": day, "created_at": day, "updated_at": day, "current_status": status}
            for day, status in zip(days, ("Done", "Removed", "Draft"), strict=True)
        ]
    )

    def names(**query: str) -> list[str]:
        return [each["name"] for each in api.ok("/emails", **query)["campaigns"]]

    assert names() == list(reversed(days))
    assert names(after_date=days[0]) == [days[2], days[1]]
    assert names(after_date=days[0], before_date=days[2]) == [days[1]]
    path = "/reports/summary_reports/email_campaign_summaries"
    assert len(api.ok(path)["bulk_email_campaign_summaries"]) == 1
    assert api.get(f"/emails/{NOBODY}").status_code == 404


def test_the_activity_of_one_contact(api: Api, sent: dict[str, Any]) -> None:
    api.sim.control.add_events(
        [event(sent, 0, "opens", "13:00:00"), event(sent, 0, "clicks", "13:00:01")]
    )
    path = f"/reports/contact_reports/{sent['ids'][0]}/activity_details"
    page = api.ok(path, tracking_activities_list="em_sends,em_opens,em_clicks", limit=2)
    assert_shape(page, "ContactTrackingActivitiesPage")
    kinds = [each["tracking_activity_type"] for each in page["tracking_activities"]]
    assert kinds == ["em_clicks", "em_opens"]
    assert page["tracking_activities"][0]["campaign_activity_name"] == "March"
    assert len(api.ok(page["_links"]["next"]["href"])["tracking_activities"]) == 1
    as_array = api.ok(path, tracking_activity_type=["em_sends", "em_opens"])
    assert len(as_array["tracking_activities"]) == 2
    assert api.get(path).status_code == 400
    assert api.get(path, tracking_activities_list="em_looks").status_code == 400
    assert api.get(path, tracking_activities_list="em_sends", limit=101).status_code == 400
    other = f"/reports/contact_reports/{NOBODY}/activity_details"
    assert api.get(other, tracking_activities_list="em_sends").status_code == 404


@pytest.mark.parametrize(
    ("style", "links"),
    [
        ("absent", {}),
        ("null", {"next": None}),
        ("href_null", {"next": {"href": None}}),
        ("no_links", None),
    ],
)
def test_the_last_page_can_say_so_in_several_ways(
    api: Api, sent: dict[str, Any], style: str, links: Any
) -> None:
    api.sim.control.settings(next_null_style=style)
    assert api.ok(tracking(sent["activity"], "sends")).get("_links") == links
    assert "_links" in api.ok(tracking(sent["activity"], "optouts"))
    assert "_links" in api.ok(tracking(sent["activity"], "bounces"))


def test_unknown_activities_are_404_as_a_single_object(api: Api) -> None:
    answer = api.get(tracking(NOBODY, "opens"))
    assert answer.status_code == 404
    assert answer.json()["error_key"] == "not_found"
