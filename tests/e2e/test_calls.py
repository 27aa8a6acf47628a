from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from chaise_cli.domain import booking_acts
from chaise_cli.domain.body import replace
from chaise_cli.session import zones
from tests.e2e.hired import fund, settle
from tests.e2e.people import Person, exchange

AT, LATER = "2026-11-25 15:00", "2026-11-26 15:00"
UTC, UTC_LATER = "2026-11-25T14:00:00Z", "2026-11-26T14:00:00Z"


@pytest.fixture
def call(lisa: Person, james: Person, deal: str) -> str:
    """Lisa has offered two times; James knows it."""
    made = lisa.does("book", deal, "--at", AT, "--at", LATER, "--url", "https://meet.example/x", "--note", "Kick-off")
    exchange(lisa, james)
    return str(made["id"])


def confirmed(lisa: Person, james: Person, call: str) -> None:
    james.does("accept", call)
    exchange(lisa, james)


def test_an_offer_says_both_zones_before_it_is_signed(lisa: Person, deal: str) -> None:
    answer = lisa.run("book", deal, "--at", AT, "--json")
    assert "25 Nov 2026 15:00 Berlin (+01:00) · 09:00 New York (-05:00)" in answer.err
    made = answer.data
    assert (made["state"], made["start"], made["end"], made["tz"]) == (
        "proposed",
        UTC,
        "2026-11-25T14:30:00Z",
        "Europe/Berlin",
    )
    assert (made["turn"], made["offers"], made["sequence"]) == ("talent", 1, 0)
    assert answer.json["next"][0]["command"] == f"chaise accept {made['id']}"


def test_the_zone_comes_from_the_option(lisa: Person, deal: str) -> None:
    made = lisa.does("book", deal, "--at", "2026-11-25 09:00", "--tz", "America/New_York", "--for", "1h")
    assert (made["start"], made["end"], made["tz"]) == (UTC, "2026-11-25T15:00:00Z", "America/New_York")


def test_a_call_is_confirmed_by_the_other_side(lisa: Person, james: Person, call: str) -> None:
    (waiting,) = [item for item in james.does("inbox") if item["kind"] == "call"]
    assert waiting["next"] == f"chaise accept {call}"
    taken = james.run("accept", call, "--slot", "2", "--json")
    assert "26 Nov 2026 09:00 New York (-05:00) · 15:00 Berlin (+01:00)" in taken.err
    assert (taken.data["state"], taken.data["start"]) == ("confirmed", UTC_LATER)
    assert james.run("accept", call, "--slot", "2", "--json").json["replayed"]
    exchange(lisa, james)
    assert [(each["state"], each["start"]) for each in lisa.does("bookings")] == [("confirmed", UTC_LATER)]


def test_a_slot_may_be_named_by_its_time(james: Person, call: str) -> None:
    taken = james.does("accept", call, "--at", "2026-11-26 09:00")
    assert taken["start"] == UTC_LATER


def test_a_counter_offer_keeps_the_call_and_its_length(lisa: Person, james: Person, call: str) -> None:
    countered = james.does("book", call, "--at", "2026-11-27 10:00")
    assert (countered["id"], countered["offers"], countered["turn"]) == (call, 2, "client")
    assert (countered["start"], countered["end"]) == ("2026-11-27T15:00:00Z", "2026-11-27T15:30:00Z")
    assert countered["url"] == "https://meet.example/x"
    exchange(lisa, james)
    assert lisa.does("accept", call)["state"] == "confirmed"


def test_a_confirmed_call_is_moved_only_by_both(lisa: Person, james: Person, call: str) -> None:
    confirmed(lisa, james, call)
    moved = lisa.does("book", call, "--at", LATER)
    assert (moved["state"], moved["start"]) == ("confirmed", UTC)
    assert [slot["start"] for slot in moved["move"]] == [UTC_LATER]
    exchange(lisa, james)
    assert james.does("accept", call)["start"] == UTC_LATER


def test_no_is_said_in_three_ways(lisa: Person, james: Person, deal: str, call: str) -> None:
    assert james.fails("withdraw", call).code == "booking.not_your_turn"
    assert james.does("decline", call, "--reason", "away")["reason"] == "declined"
    other = lisa.does("book", deal, "--at", AT)["id"]
    assert lisa.does("withdraw", other)["reason"] == "withdrawn"
    third = lisa.does("book", deal, "--at", AT)["id"]
    exchange(lisa, james)
    confirmed(lisa, james, third)
    off = lisa.does("cancel", third, "--reason", "ill")
    assert (off["state"], off["reason"], off["late"]) == ("cancelled", "ill", False)
    assert lisa.run("cancel", third, "--json").json["replayed"]


def test_the_talents_time_is_given_once_over_all_deals(lisa: Person, james: Person, deal: str, call: str) -> None:
    confirmed(lisa, james, call)
    post = lisa.does("post", "Other", "--kind", "ads")["id"]
    exchange(lisa, james)
    other = james.does("propose", post, "--price", "100EUR")["id"]
    exchange(lisa, james)
    second = lisa.run("book", other, "--at", AT, "--json")
    assert any("at the same time as" in warning for warning in second.json["warnings"])
    exchange(lisa, james)
    refused = james.fails("accept", second.data["id"])
    assert (refused.code, refused.exit, refused.error["details"]["booking"]) == ("booking.overlap", 5, call)
    assert refused.error["message"] == "the talent is taken from 2026-11-25T14:00:00Z to 2026-11-25T14:30:00Z"
    told = james.run("book", other, "--at", "2026-11-25 09:15")
    assert told.exit == 5
    start, end = ("25 Nov 2026 09:00 New York (-05:00)", "25 Nov 2026 09:30 New York (-05:00)")
    assert f"error: the talent is taken from {start} to {end} [booking.overlap]" in told.err
    assert james.does("book", other, "--at", "2026-11-25 09:30")["state"] == "proposed"
    assert james.does("accept", second.data["id"], "--allow-overlap")["state"] == "confirmed"


def test_an_open_offer_of_the_talent_reserves_its_times(lisa: Person, james: Person, deal: str) -> None:
    james.does("book", deal, "--at", "2026-11-25 09:00", "--at", "2026-11-26 09:00")
    post = lisa.does("post", "Other", "--kind", "ads")["id"]
    exchange(lisa, james)
    other = james.does("propose", post, "--price", "100EUR")["id"]
    assert james.fails("book", other, "--at", "2026-11-26 09:15").code == "booking.overlap"


def test_how_a_call_went_is_said_afterwards(lisa: Person, james: Person, call: str) -> None:
    confirmed(lisa, james, call)
    assert lisa.fails("book", call, "--met").code == "booking.too_early"
    lisa.now = james.now = "2026-11-25T16:00:00Z"
    assert [item["next"] for item in lisa.does("inbox") if item["kind"] == "call_outcome"] == [
        f"chaise book {call} --met"
    ]
    assert lisa.does("book", call, "--no-show", "talent")["state"] == "no_show"
    exchange(lisa, james)
    disputed = james.does("book", call, "--met")
    assert disputed["contested"]
    assert james.fails("book", call, "--no-show", "@nobody").code == "person.unknown"


def test_a_lapsed_offer_is_named_and_cannot_be_accepted(lisa: Person, james: Person, call: str) -> None:
    lisa.now = james.now = "2026-11-23T12:00:00Z"
    refused = james.fails("accept", call)
    assert (refused.code, refused.exit) == ("booking.lapsed", 5)
    assert james.does("bookings")[0]["lapsed"]
    assert [item["kind"] for item in lisa.does("inbox")] == ["call_lapsed"]


def test_a_call_with_a_post_or_a_person_opens_the_talk(lisa: Person, james: Person, board: str) -> None:
    post = lisa.does("post", "Campaign", "--kind", "ads")["id"]
    exchange(lisa, james)
    by_post = james.does("book", post, "--at", "2026-11-25 09:00")
    assert james.does("show", by_post["deal"])["post"] == post
    exchange(lisa, james)
    by_person = lisa.does("book", "@james", "--at", LATER)
    assert by_person["deal"] == by_post["deal"]


def test_bookings_are_filtered_and_sorted(lisa: Person, deal: str, call: str) -> None:
    other = lisa.does("book", deal, "--at", "2026-11-24 15:00")["id"]
    assert ids(lisa.does("bookings")) == [call, other]
    assert ids(lisa.does("bookings", "--sort", "start")) == [other, call]
    assert ids(lisa.does("bookings", deal, "--limit", "1")) == [call]
    assert ids(lisa.does("bookings", "--since", "2026-11-25")) == [call]
    assert ids(lisa.does("bookings", "--state", "confirmed")) == []
    assert ids(lisa.does("bookings", "--with", "@james", "--state", "proposed")) == [call, other]
    assert lisa.fails("bookings", "--state", "lost").code == "usage.not_a_choice"


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in found]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], "booking.nothing_said"),
        (["--at", AT, "--met"], "booking.nothing_said"),
        (["--at", "2026-11-25"], "time.needs_time"),
        (["--at", "tomorrow"], "time.unreadable"),
        (["--at", AT, "--at", AT], "booking.bad_slots"),
        ([part for n in range(6) for part in ("--at", f"2026-11-25 1{n}:00")], "booking.bad_slots"),
        (["--at", AT, "--for", "90s"], "booking.bad_length"),
        (["--at", AT, "--for", "2d"], "booking.bad_length"),
        (["--at", AT, "--url", "http://meet.example"], "usage.bad_url"),
        (["--at", AT, "--tz", "CET"], "time.unknown_zone"),
        (["--at", AT, "--until", "2026-11-26 15:00"], "booking.bad_until"),
        (["--at", "2026-03-29 02:30", "--tz", "Europe/Berlin"], "time.does_not_exist"),
        (["--met"], "booking.outcome_of_call"),
    ],
)
def test_a_wrong_call_is_refused_by_name(lisa: Person, deal: str, options: list[str], code: str) -> None:
    answer = lisa.fails("book", deal, *options)
    assert (answer.code, answer.exit) == (code, 2)
    assert lisa.does("bookings") == []


def test_a_past_time_is_refused(lisa: Person, deal: str) -> None:
    refused = lisa.fails("book", deal, "--at", "2026-11-19 15:00")
    assert (refused.code, refused.exit) == ("booking.past", 5)


def test_slots_that_were_not_offered_are_refused(james: Person, call: str) -> None:
    for options in (["--slot", "3"], ["--at", "2026-11-25 10:00"]):
        assert james.fails("accept", call, *options).code == "booking.no_such_slot"
    assert james.fails("accept", call, "--slot", "1", "--at", "2026-11-25 09:00").code == "booking.two_choices"
    assert james.fails("accept", call, "--slot", "9").code == "usage.bad_call"
    assert james.fails("accept", call, "--terms", "x").code == "usage.not_for_this"


def test_calls_are_written_as_a_private_file_alike_on_every_run(
    lisa: Person, james: Person, deal: str, call: str, tmp_path: Path
) -> None:
    path = tmp_path / "calls.ics"
    james.does("bookings", "--ics", str(path), "--name", "Work")
    first = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    text = first.decode().replace("\r\n ", "")
    assert "SUMMARY:Call with Lisa" in text
    assert "STATUS:TENTATIVE" in text
    assert "NAME:Work" in text
    assert "https://meet.example/x" in text
    assert "METHOD:PUBLISH\r\n" in text, "Lisa, who made the offer, gave her address"
    assert "ORGANIZER;CN=Lisa:mailto:lisa@example.org" in text
    assert "ATTENDEE" not in text, "as RFC 5546 has it"
    assert text.count("BEGIN:VEVENT") == 2, "the other offered time is an entry of its own"
    james.does("bookings", "--ics", str(path), "--name", "Work")
    assert path.read_bytes() == first
    uid = james.does("show", call)["uid"]
    assert f"UID:{uid}\r\n" in first.decode()
    confirmed(lisa, james, call)
    lisa.does("show", call, "--ics", str(path), "--private")
    private = path.read_bytes().decode()
    assert "SUMMARY:Busy" in private
    assert "Lisa" not in private
    assert "meet.example" not in private
    assert "METHOD" not in private, "which needs an organizer"
    assert f"UID:{uid}\r\n" in private


def test_a_dash_is_stdout_which_then_has_the_calendar_alone(
    lisa: Person, james: Person, deal: str, call: str, tmp_path: Path
) -> None:
    path = tmp_path / "out"
    for verb in (["bookings"], ["agenda"], ["show", call], ["show", call, "--private"]):
        lisa.does(*verb, "--ics", str(path))
        answer = lisa.run(*verb, "--ics", "-")
        assert (answer.exit, answer.out.encode()) == (0, path.read_bytes())
        for format_ in ("--json", "--ids"):
            refused = lisa.run(*verb, "--ics", "-", format_)
            assert (refused.exit, refused.out) == (2, "")
    lisa.does("show", call, "--ics", str(path), "--method", "publish")
    answer = lisa.run("show", call, "--ics", "-", "--method", "publish")
    assert (answer.exit, answer.out.encode()) == (0, path.read_bytes())
    assert answer.err.endswith("written as PUBLISH; chaise sends nothing\n")
    refused = lisa.run("bookings", "--ics", "-", "--csv")
    assert (refused.exit, refused.out) == (2, "")
    assert "choose one of --ics -, --csv [usage.one_format]" in refused.err


def test_how_somebody_keeps_to_calls_is_said_of_them_by_ones_own_deals(
    lisa: Person, james: Person, deal: str, call: str
) -> None:
    confirmed(lisa, james, call)
    assert lisa.does("show", "@james")["reliability"] is None
    james.now = "2026-11-25T13:00:00Z"  # an hour before, where two were asked for
    assert james.does("cancel", call, "--reason", "ill")["late"]
    exchange(lisa, james)
    kept = {"met": 0, "missed": 0, "late": 1}
    assert lisa.does("show", "@james")["reliability"] == james.does("profile")["reliability"] == kept
    assert lisa.does("profile")["reliability"] is None
    assert re.search(r"calls: +1 cancelled late or lost\n", lisa.run("show", "@james").out)
    assert "reliability" not in lisa.does("talents")[0], "which says what boards say"


def test_a_slot_records_which_zone_data_it_was_worked_out_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "zoneinfo"
    folder.mkdir()
    monkeypatch.setattr("zoneinfo.TZPATH", (str(folder),))
    packaged = zones.data_version()
    assert re.fullmatch(r"20[0-9]{2}[a-z]", packaged), "an empty folder gives no zones, so the package's count"
    (folder / "tzdata.zi").write_text("# version 2019c\n# more\n")
    assert zones.data_version() == "2019c"
    (folder / "tzdata.zi").unlink()
    (folder / "UTC").touch()
    assert zones.data_version() == "unknown"


def test_a_calendar_that_cannot_be_written_is_an_error(lisa: Person, deal: str, call: str, tmp_path: Path) -> None:
    refused = lisa.fails("bookings", "--ics", str(tmp_path / "none" / "calls.ics"))
    assert (refused.code, refused.exit) == ("calendar.unwritable", 2)
    assert lisa.fails("show", deal, "--ics", str(tmp_path / "x.ics")).code == "usage.not_for_this"


# Check-ins


def checkin(lisa: Person, james: Person, deal: str, *options: str) -> str:
    """Three Wednesdays at three in Berlin, agreed by both."""
    made = lisa.does("book", deal, "--at", AT, "--every", "week", "--times", "3", *options)
    exchange(lisa, james)
    confirmed(lisa, james, made["id"])
    return str(made["id"])


def test_a_checkin_is_one_booking_that_is_offered_taken_shown_and_moved_as_one(
    lisa: Person, james: Person, deal: str
) -> None:
    call = checkin(lisa, james, deal)
    shown = james.does("show", call)
    assert shown["repeats"] == {
        "days": 7,
        "starts": [UTC, "2026-12-02T14:00:00Z", "2026-12-09T14:00:00Z"],
        "skipped": [],
    }
    assert (shown["state"], shown["start"]) == ("confirmed", UTC)
    assert "every week, 3 times, the last on 9 Dec 2026 09:00 New York (-05:00)" in james.run("show", call).out
    assert "and 2 times more" in james.run("bookings").out
    assert [item["at"] for item in james.does("agenda", "--kind", "call")] == shown["repeats"]["starts"]
    assert ids(james.does("bookings", "--since", "2026-12-08")) == [call]
    assert ids(james.does("bookings", "--since", "2026-12-10")) == []
    moved = james.does("book", call, "--at", "2026-11-26 09:00", "--every", "2w", "--times", "2")
    assert moved["move_repeats"]["starts"] == [UTC_LATER, "2026-12-10T14:00:00Z"]
    assert "every 14 days, 2 times" in james.run("show", call).out
    exchange(lisa, james)
    assert lisa.does("accept", call)["repeats"]["starts"] == [UTC_LATER, "2026-12-10T14:00:00Z"]


def test_one_call_in_the_place_of_a_checkin_is_said_to_end_all_its_times(
    lisa: Person, james: Person, deal: str
) -> None:
    call = checkin(lisa, james, deal)
    warned = james.run("book", call, "--at", "2026-11-27 09:00", "--json").json["warnings"]
    assert [one for one in warned if f"of all 3 times of the check-in; chaise cancel {call} --on TIME" in one]
    offered = lisa.does("book", deal, "--at", LATER, "--every", "week", "--times", "2")["id"]
    warned = lisa.run("book", offered, "--at", LATER, "--json").json["warnings"]
    assert [one for one in warned if "of all 2 times of the check-in" in one], "so before it is agreed"
    james.does("availability", "--set", "-", stdin='zone = "America/New_York"\nhours.mon = ["09:00-10:00"]')
    free = james.run("book", call, "--slots", "--json")
    assert (len(free.data), free.json["next"]) == (4, []), "no step that would end the other times"
    exchange(lisa, james)
    assert "would repeat: no: one call in the place of all times" in lisa.run("show", call).out


def test_a_call_is_not_warned_of_for_being_at_its_own_old_time(lisa: Person, james: Person, deal: str) -> None:
    call = checkin(lisa, james, deal)
    moved = lisa.run("book", call, "--at", "2026-11-25 15:15", "--every", "week", "--times", "3", "--json")
    assert (moved.exit, moved.json["warnings"]) == (0, [])
    other = lisa.run("book", deal, "--at", "2026-12-02 15:15", "--allow-overlap", "--json")
    assert [one for one in other.json["warnings"] if call in one]


def test_one_time_of_a_checkin_is_called_off(lisa: Person, james: Person, deal: str, tmp_path: Path) -> None:
    call = checkin(lisa, james, deal)
    assert james.fails("book", deal, "--at", "2026-12-02 09:15").code == "booking.overlap"
    off = lisa.does("cancel", call, "--on", "2026-12-02 15:00")
    assert off["repeats"]["skipped"] == ["2026-12-02T14:00:00Z"]
    lisa.does("show", call, "--ics", str(tmp_path / "one.ics"))
    text = (tmp_path / "one.ics").read_bytes().decode().replace("\r\n ", "")
    assert "RRULE:FREQ=WEEKLY;INTERVAL=1;COUNT=3\r\n" in text
    assert "EXDATE;TZID=Europe/Berlin:20261202T150000\r\n" in text
    assert text.count("BEGIN:VEVENT") == 1
    assert lisa.run("cancel", call, "--on", "2026-12-02 15:00", "--json").json["replayed"]
    assert "left out:" in lisa.run("show", call).out
    exchange(lisa, james)
    assert james.does("book", deal, "--at", "2026-12-02 09:15")["state"] == "proposed"
    assert lisa.fails("cancel", call, "--on", "2026-12-03 15:00").code == "booking.no_such_time"
    assert lisa.fails("cancel", call, "--on", AT, "--reason", "ill").code == "booking.on_reason"
    assert lisa.fails("accept", call, "--at", AT).code == "booking.wrong_state"


def test_a_wrong_checkin_is_refused_by_name(lisa: Person, deal: str) -> None:
    wrong: list[tuple[list[str], str, int]] = [
        (["--at", AT, "--every", "week"], "booking.one_time", 2),
        (["--at", AT, "--times", "3"], "booking.one_time", 2),
        (["--at", AT, "--at", LATER, "--every", "week", "--times", "3"], "booking.one_time", 2),
        (["--at", AT, "--every", "90m", "--times", "3"], "booking.bad_step", 2),
        (["--at", AT, "--every", "500d", "--times", "3"], "booking.bad_repeat", 2),
        (["--at", AT, "--every", "often", "--times", "3"], "time.not_a_duration", 2),
        (["--met", "--every", "week", "--times", "3"], "booking.nothing_said", 2),
        (["--at", "2026-11-29 02:30", "--every", "day", "--times", "200"], "booking.irregular", 5),
    ]
    for options, code, status in wrong:
        answer = lisa.fails("book", deal, *options)
        assert (answer.code, answer.exit) == (code, status)
    assert lisa.does("bookings") == []


def test_lists_warn_where_newer_zone_data_reads_a_call_otherwise(
    lisa: Person, deal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call was signed as three in Berlin when Berlin was thought to be two hours ahead of UTC that day."""
    real = booking_acts.slot_at
    monkeypatch.setattr(
        booking_acts,
        "slot_at",
        lambda start, *more: replace(real(start, *more), start=start - 3_600_000, tzdata="2020a"),
    )
    made = lisa.does("book", deal, "--at", AT)
    monkeypatch.undo()
    answer = lisa.run("bookings", "--json")
    (shown,) = answer.data
    assert shown["shifted"] == {"start": "2026-11-25T13:00:00Z", "by_wall": UTC}
    (warning,) = [one for one in answer.json["warnings"] if made["id"] in one]
    assert warning == (
        f"{made['id']} is agreed for 25 Nov 2026 14:00 Berlin (+01:00); by newer time zone data its wall clock means"
        f" 25 Nov 2026 15:00 Berlin (+01:00): to move it, chaise book {made['id']} --at {UTC}"
    )
    assert lisa.run("show", made["id"], "--json").json["warnings"] == answer.json["warnings"]
    moved = lisa.does("book", made["id"], "--at", UTC)
    assert "shifted" not in moved


def test_a_paid_call_is_a_milestone_that_names_it_and_by_itself_moves_no_money(
    lisa: Person, james: Person, deal: str, call: str
) -> None:
    confirmed(lisa, james, call)
    asked = ("--milestone", "Consultation=90EUR", "--criterion", f"1=call {call}")
    terms = lisa.does("hire", deal, *asked)["terms_hash"]
    settle(lisa, james)
    james.does("accept", deal, "--terms", terms)
    settle(lisa, james)
    fund(lisa, f"{deal}/1", "90.00 EUR")
    settle(lisa, james)
    lisa.now = james.now = "2026-11-25T16:00:00Z"
    james.does("book", call, "--met")
    lisa.does("book", call, "--met")
    settle(lisa, james)
    paid = james.does("show", f"{deal}/1")
    assert (paid["state"], paid["held"]["text"], paid["criteria"]) == ("funded", "90.00 EUR", [f"call {call}"])
    james.does("deliver", f"{deal}/1", "--note", "we spoke")
    settle(lisa, james)
    lisa.does("release", f"{deal}/1", "--confirm", "90.00 EUR to @james")
    settle(lisa, james)
    assert james.does("show", f"{deal}/1")["released"]["text"] == "90.00 EUR"


def test_a_checkin_offered_in_a_deal_that_is_over_is_not_taken_and_is_taken_back(
    lisa: Person, james: Person, board: str
) -> None:
    post = lisa.does("post", "Campaign", "--budget", "1500..2500EUR")["id"]
    exchange(lisa, james)
    deal = james.does("propose", post, "--milestone", "Setup=600EUR@2026-12-20")["id"]
    exchange(lisa, james)
    call = lisa.does("book", deal, "--at", LATER, "--every", "week", "--times", "3")["id"]
    exchange(lisa, james)
    james.does("withdraw", deal)
    refused = james.fails("accept", call)
    assert (refused.code, refused.exit) == ("booking.deal_over", 5)
    settle(lisa, james)
    assert james.does("show", call)["state"] == "declined"
    assert james.does("inbox", "--kind", "call") == []
