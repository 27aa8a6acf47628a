from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from chaise_cli.export.zonedata import Change, NoZoneData, Observance, Zone, _parse, _rule, read_zone, year_of
from tests.unit.export.zone_cases import changes, each_zone

EST = Observance(-5 * 3600, daylight=False, name="EST")
EDT = Observance(-4 * 3600, daylight=True, name="EDT")
FROM, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC)


def moment(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[arg-type, misc]


def test_every_zone_changes_when_zoneinfo_says_so() -> None:
    for name in each_zone():
        ours = [change for change in read_zone(name).changes(moment(2045, 1, 1)) if change.at >= moment(2020, 1, 1)]
        moves = [datetime.fromtimestamp(c.at, UTC) for c in ours if c.before.offset != c.after.offset]
        assert [at for at in moves if at < UNTIL] == changes(ZoneInfo(name), FROM, UNTIL), name


def test_every_observance_has_the_offset_the_flag_and_the_name_of_zoneinfo() -> None:
    for name in each_zone():
        zone = ZoneInfo(name)
        for change in read_zone(name).changes(moment(2040, 1, 1)):
            if change.at < moment(1971, 1, 1):
                continue
            for at, told in ((change.at - 1, change.before), (change.at, change.after)):
                local = datetime.fromtimestamp(at, zone)
                offset = int((local.utcoffset() or timedelta(0)).total_seconds())
                seen = Observance(offset, bool(local.dst()), str(local.tzname()))
                assert told == seen, f"{name} {local}"


@pytest.mark.parametrize(
    "name",
    [
        "", "Nowhere", "america", "America", "Europe/../Europe/Berlin", "/etc/passwd", "..", "Europe/Berlin\n",
        "posix/Europe/Berlin",
        "right/Europe/Berlin", "localtime", "Factory", "posixrules", "zone.tab", "Europe/Bérlin", "A" * 5000, "a\0b",
    ],
)  # fmt: skip
def test_what_is_no_iana_name_is_refused(name: str) -> None:
    with pytest.raises(NoZoneData):
        read_zone(name)


def test_the_search_path_of_the_machine_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Nowhere").write_bytes(tzif([], b"\0\0\x0e\x10\0\0XST\0", "XST-1"))
    monkeypatch.setattr("zoneinfo._tzpath.TZPATH", (str(tmp_path),))
    assert read_zone("Nowhere").opening == Observance(3600, daylight=False, name="XST")
    assert read_zone("Europe/Berlin").rule is not None


def tzif(moments: list[int], types: bytes, footer: str, *, leaps: int = 0, version: bytes = b"2") -> bytes:
    """A small TZif file: every moment begins type 0."""
    header = struct.pack(">4sc15x6L", b"TZif", version, 0, 0, leaps, len(moments), 1, len(types) - 6)
    empty = struct.pack(">4sc15x6L", b"TZif", version, 0, 0, 0, 0, 0, 0)
    body = struct.pack(f">{len(moments)}q", *moments) + bytes(len(moments)) + types + bytes(12 * leaps)
    return empty + header + body + f"\n{footer}\n".encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"TZif", b"# a table\n" * 20, tzif([], b"\0\0\0\0\0\0UTC\0", "UTC0", version=b"\0"),
        tzif([], b"\0\0\0\0\0\0UTC\0", "UTC0", leaps=1), tzif([], b"\0\0\0\0\0\0UTC\0", "not a rule"),
        tzif([], b"\0\0\0\0\0\0UTC\0", "UTC0")[:60],
    ],
)  # fmt: skip
def test_a_file_we_cannot_read_is_not_guessed_at(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Broken").write_bytes(data)
    monkeypatch.setattr("zoneinfo._tzpath.TZPATH", (str(tmp_path),))
    with pytest.raises(NoZoneData):
        read_zone("Broken")


def test_a_file_may_end_without_a_rule() -> None:
    assert _parse(tzif([0], b"\0\0\0\0\0\0UTC\0", "")) == Zone(
        Observance(0, daylight=False, name="UTC"), ((0, Observance(0, daylight=False, name="UTC")),), None
    )


def test_a_change_to_the_same_is_no_change() -> None:
    assert _parse(tzif([0, 5], b"\0\0\0\0\0\0UTC\0", "UTC0")).changes(moment(2030, 1, 1)) == []


@pytest.mark.parametrize(
    ("footer", "start", "end"),
    [
        ("EST5EDT,M3.2.0,M11.1.0", (2028, 3, 12, 7), (2028, 11, 5, 6)),
        ("EST5EDT4,M3.2.0/2:00:00,M11.1.0/+2", (2028, 3, 12, 7), (2028, 11, 5, 6)),
        ("EST5EDT,J60/0,J365/1:30", (2028, 3, 1, 5), (2028, 12, 31, 5, 30)),  # J60 is 1 March in every year
        ("EST5EDT,59/0,364", (2028, 2, 29, 5), (2028, 12, 30, 6)),  # from 0, leap days counted
        ("EST5EDT,M3.4.4/50,M10.5.0/-1", (2028, 3, 25, 7), (2028, 10, 29, 3)),
    ],
)
def test_a_rule_is_read_in_every_form_the_standard_has(
    footer: str, start: tuple[int, ...], end: tuple[int, ...]
) -> None:
    rule = _rule(footer)
    assert rule is not None
    assert rule.changes(2028) == [Change(moment(*start), EST, EDT), Change(moment(*end), EDT, EST)]


def test_daylight_time_all_year_never_changes() -> None:
    zone = Zone(EDT, ((moment(2026, 3, 8, 7), EDT),), _rule("EST5EDT,0/0,J365/25"))
    assert zone.changes(moment(2031, 1, 1)) == []


def test_a_rule_goes_on_where_the_list_ends_and_without_a_list() -> None:
    rule = _rule("EST5EDT,M3.2.0,M11.1.0")
    listed = Zone(EST, ((moment(2027, 6, 1), EDT),), rule).changes(moment(2028, 6, 1))
    assert [change.at for change in listed] == [moment(2027, 6, 1), moment(2027, 11, 7, 6), moment(2028, 3, 12, 7)]
    assert Zone(EST, (), rule).changes(moment(1970, 6, 1)) == [Change(moment(1970, 3, 8, 7), EST, EDT)]


def test_years_are_clamped_to_what_a_calendar_can_hold() -> None:
    assert [year_of(at) for at in (-(2**59), moment(2026, 12, 31, 23), 2**59)] == [1, 2026, 9998]
