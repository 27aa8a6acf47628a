"""The time zone data of this machine: which version it is, and which calls it no longer reads as they were agreed."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import when

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chaise_cli.domain.booking import Booking

UNKNOWN: Final = "unknown"  # the version of time zone data that does not tell
_VERSION: Final = "# version "
_SERIES: Final = "chaise_cli.domain.booking_series"  # time zone data rarely changes


def shift(call: Booking, now: int) -> dict[str, Any]:
    """The key `shifted` of a call that new zone data parts from its wall clock; nothing of any other."""
    over = call.state not in {"proposed", "confirmed"} or call.last[0] <= now
    if over or call.slot.tzdata == data_version() != UNKNOWN:
        return {}
    series: Any = import_module(_SERIES)
    found = series.shifted(call, now)
    if found is None:
        return {}
    return {"shifted": {"start": when.instant_text(found.start), "by_wall": when.instant_text(found.by_wall)}}


def warnings(calls: Iterable[Mapping[str, Any]]) -> list[str]:
    """A sentence for each of these booking objects that new zone data parts from its wall clock."""
    return [
        f"{call['id']} is agreed for {_local(call, 'start')}; by newer time zone data its wall clock means"
        f" {_local(call, 'by_wall')}: to move it, chaise book {call['id']} --at {call['shifted']['by_wall']}"
        for call in calls
        if "shifted" in call
    ]


def _local(call: Mapping[str, Any], key: str) -> str:
    return when.one_zone(when.read_instant(call["shifted"][key]), call["tz"])


def data_version() -> str:
    """The version of the time zone data that `zoneinfo` uses, such as 2026f; `unknown` when it does not say."""
    zoneinfo: Any = import_module("zoneinfo")  # whoever shows no call need not pay for it
    for folder in zoneinfo.TZPATH:
        if (version := _version_in(Path(folder))) is not None:
            return version
    package: Any = import_module("importlib.util").find_spec("tzdata")
    places = package.submodule_search_locations if package else None
    return next((found for place in places or () if (found := _version_in(Path(place, "zoneinfo")))), UNKNOWN)


def _version_in(folder: Path) -> str | None:
    """What the folder's tzdata.zi says of itself; None for a folder without zones."""
    try:
        with (folder / "tzdata.zi").open(encoding="ascii", errors="replace") as file:
            line = file.readline(80).strip()
    except OSError:
        return UNKNOWN if (folder / "UTC").exists() else None
    return line.removeprefix(_VERSION)[:40] if line.startswith(_VERSION) else UNKNOWN
