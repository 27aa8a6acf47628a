"""Reads calendar files with vobject, recurring-ical-events or libical; run by a Python that has them, never imported.

Usage: python read_with_others.py READER < {"name": text, …} > {"name": {method, wrong, entries: [{uid, start, …}]}, …}
start and end are seconds since 1970, UTC; of a check-in there is an entry for each of its times. `wrong` is what
libical has against the file by the tables of RFC 5546.
"""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from importlib import import_module
from typing import Any, Final
from zoneinfo import ZoneInfo


def read_with_vobject(text: str) -> dict[str, Any]:
    """It trusts the VTIMEZONE of the file, but keeps those of files read before."""
    vobject: Any = import_module("vobject")
    getattr(vobject.icalendar, "__tzidMap").clear()
    vobject.icalendar.registerTzid("UTC", vobject.icalendar.utc)
    root = vobject.readOne(text)
    events = root.contents.get("vevent", [])
    entries = [_of_vobject(event) | times for event in events for times in _times_of_vobject(event)]
    return {"method": _first(root, "method"), "entries": entries}


def _times_of_vobject(event: Any) -> list[dict[str, float]]:
    if "dtstart" not in event.contents:
        return [{}]
    start = event.dtstart.value
    length = (event.dtend.value.timestamp() if "dtend" in event.contents else start.timestamp()) - start.timestamp()
    recurs = "rrule" in event.contents or "rdate" in event.contents
    starts = event.getrruleset(addRDate=True) if recurs else [start]
    return [{"start": one.timestamp(), "end": one.timestamp() + length} for one in starts]


def _of_vobject(event: Any) -> dict[str, Any]:
    return {
        "uid": event.uid.value,
        "sequence": int(event.sequence.value),
        "status": _first(event, "status"),
        "summary": _first(event, "summary"),
        "organizer": _first(event, "organizer"),
        "transparent": _first(event, "transp") == "TRANSPARENT",
        "attendees": sorted(
            [one.value, one.params.get("PARTSTAT", [""])[0]] for one in event.contents.get("attendee", [])
        ),
        "alarms": len(event.contents.get("valarm", [])),
    }


def _first(component: Any, name: str) -> str | None:
    return next((str(line.value) for line in component.contents.get(name, [])), None)


def answer_with_vobject(text: str) -> dict[str, Any]:
    """What a calendar program sends back when its owner says yes: the invitation with few changes."""
    vobject: Any = import_module("vobject")
    root = vobject.readOne(text)
    root.method.value = "REPLY"
    event = root.vevent
    event.dtstamp.value = datetime(2026, 12, 1, tzinfo=vobject.icalendar.utc)
    for other in event.contents["attendee"][:]:
        if other.params["PARTSTAT"] == ["NEEDS-ACTION"]:
            other.params["PARTSTAT"] = ["ACCEPTED"]
        else:
            event.remove(other)
    return {"text": root.serialize()}


def read_with_recurring_ical_events(text: str) -> dict[str, Any]:
    """It expands every entry, and looks zones up by name."""
    icalendar: Any = import_module("icalendar")
    expander: Any = import_module("recurring_ical_events")
    root = icalendar.Calendar.from_ical(text.encode())
    found = expander.of(root).between((1970, 1, 1), (2100, 1, 1))
    return {"method": root.get("METHOD"), "entries": [_of_icalendar(event) for event in found]}


def _of_icalendar(event: Any) -> dict[str, Any]:
    attendees = event.get("ATTENDEE", [])
    several = attendees if isinstance(attendees, list) else [attendees]
    return {
        "uid": str(event["UID"]),
        "sequence": int(event["SEQUENCE"]),
        "start": event.start.timestamp(),
        "end": event.end.timestamp(),
        "status": event.get("STATUS"),
        "summary": str(event["SUMMARY"]),
        "organizer": event.get("ORGANIZER"),
        "transparent": event.get("TRANSP") == "TRANSPARENT",
        "attendees": sorted([str(one), str(one.params.get("PARTSTAT", ""))] for one in several),
        "alarms": len(event.walk("VALARM")),
    }


def busy_with_recurring_ical_events(text: str) -> dict[str, Any]:
    """Ms at which its owner, who lives in Berlin, is busy from 2026 on: [begin, end] for each occurrence."""
    icalendar: Any = import_module("icalendar")
    import_module("icalendar.timezone").tzp.use_default()  # it keeps the zones of files read before
    expander: Any = import_module("recurring_ical_events")
    root = icalendar.Calendar.from_ical(text.encode())
    found = expander.of(root).between((2025, 12, 20), (2027, 2, 20))
    free = {("STATUS", "CANCELLED"), ("TRANSP", "TRANSPARENT")}
    busy = [event for event in found if not free & {(name, event.get(name)) for name, _ in free}]
    return {"busy": [[_ms(event.start), _ms(event.end)] for event in busy]}


def _ms(moment: date) -> int:
    """A day begins at midnight, and what names no zone is in Berlin."""
    moment = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    return round((moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo("Europe/Berlin"))).timestamp() * 1_000)


class _Time(ctypes.Structure):
    """`struct icaltimetype` of libical 3."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("year", "month", "day", "hour", "minute", "second", "is_date", "daylight")),
        ("zone", ctypes.c_void_p),
    )


class _Span(ctypes.Structure):
    """`struct icaltime_span` of libical 3."""

    _fields_ = (("start", ctypes.c_long), ("end", ctypes.c_long), ("is_busy", ctypes.c_int))


_VEVENT, _VALARM = 4, 10  # icalcomponent_kind
_EACH: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(_Span), ctypes.c_void_p)


def read_with_libical(text: str) -> dict[str, Any]:
    """It trusts the VTIMEZONE of the file, and knows what each METHOD must and must not have."""
    lib = _libical()
    root = lib.icalparser_parse_string(text.encode())
    lib.icalrestriction_check(root)
    events = _components(lib, root, _VEVENT)
    method = next((value for name, value, _ in _properties(lib, root) if name == "METHOD"), None)
    entries = [_of_libical(lib, event) | times for event in events for times in _times_of_libical(lib, event)]
    return {"method": method, "wrong": list(_wrong(lib, root)), "entries": entries}


def _wrong(lib: Any, root: int) -> Iterator[str]:
    for component in (root, *_components(lib, root, _VEVENT)):
        yield from (value for name, value, _ in _properties(lib, component) if name == "X-LIC-ERROR")


def _libical() -> Any:
    lib = ctypes.CDLL("libical.so.3")
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    lib.icalparser_parse_string.restype = pointer
    lib.icalparser_parse_string.argtypes = [text]
    lib.icalrestriction_check.argtypes = [pointer]
    for kind in ("component", "property"):
        first, following = (getattr(lib, f"icalcomponent_get_{which}_{kind}") for which in ("first", "next"))
        first.restype = following.restype = pointer
        first.argtypes = following.argtypes = [pointer, ctypes.c_int]
    for name in ("icalproperty_get_property_name", "icalproperty_get_value_as_string"):
        getattr(lib, name).restype = text
        getattr(lib, name).argtypes = [pointer]
    lib.icalproperty_get_parameter_as_string.restype = text
    lib.icalproperty_get_parameter_as_string.argtypes = [pointer, text]
    for name in ("icalcomponent_get_dtstart", "icalcomponent_get_dtend"):
        getattr(lib, name).restype = _Time
        getattr(lib, name).argtypes = [pointer]
    lib.icaltime_as_timet_with_zone.restype = ctypes.c_longlong
    lib.icaltime_as_timet_with_zone.argtypes = [_Time, pointer]
    lib.icaltime_from_string.restype = _Time
    lib.icaltime_from_string.argtypes = [text]
    lib.icalcomponent_foreach_recurrence.restype = None
    lib.icalcomponent_foreach_recurrence.argtypes = [pointer, _Time, _Time, _EACH, pointer]
    return lib


def _components(lib: Any, parent: int, kind: int) -> Iterator[int]:
    found = lib.icalcomponent_get_first_component(parent, kind)
    while found:
        yield found
        found = lib.icalcomponent_get_next_component(parent, kind)


def _properties(lib: Any, component: int) -> Iterator[tuple[str, str, int]]:
    """Name, value and address of every property."""
    found = lib.icalcomponent_get_first_property(component, 0)
    while found:
        value = lib.icalproperty_get_value_as_string(found) or b""
        yield lib.icalproperty_get_property_name(found).decode(), value.decode(), found
        found = lib.icalcomponent_get_next_property(component, 0)


def _of_libical(lib: Any, event: int) -> dict[str, Any]:
    values = {name: value for name, value, _ in _properties(lib, event)}
    attendees = []
    for name, value, at in _properties(lib, event):
        if name == "ATTENDEE":
            attendees.append([value, (lib.icalproperty_get_parameter_as_string(at, b"PARTSTAT") or b"").decode()])
    return {
        "uid": values["UID"],
        "sequence": int(values["SEQUENCE"]),
        "status": values.get("STATUS"),
        "summary": values.get("SUMMARY"),
        "organizer": values.get("ORGANIZER"),
        "transparent": values.get("TRANSP") == "TRANSPARENT",
        "attendees": sorted(attendees),
        "alarms": len(list(_components(lib, event, _VALARM))),
    }


def _times_of_libical(lib: Any, event: int) -> list[dict[str, int]]:
    names = {name for name, _, _ in _properties(lib, event)}
    if "DTSTART" not in names:
        return [{}]
    if not names & {"RRULE", "RDATE"}:
        start, end = lib.icalcomponent_get_dtstart(event), lib.icalcomponent_get_dtend(event)
        pair = (lib.icaltime_as_timet_with_zone(one, one.zone) for one in (start, end))
        return [dict(zip(("start", "end"), pair, strict=True))]
    found: list[dict[str, int]] = []

    def each(_component: int, span: Any, _data: int) -> None:
        found.append({"start": span.contents.start, "end": span.contents.end})

    first, last = (lib.icaltime_from_string(text) for text in (b"20200101T000000Z", b"20500101T000000Z"))
    lib.icalcomponent_foreach_recurrence(event, first, last, _EACH(each), None)
    return found


READERS: Final[dict[str, Callable[[str], dict[str, Any]]]] = {
    "vobject": read_with_vobject,
    "recurring-ical-events": read_with_recurring_ical_events,
    "vobject-answer": answer_with_vobject,
    "libical": read_with_libical,
    "busy": busy_with_recurring_ical_events,
}

if __name__ == "__main__":
    read = READERS[sys.argv[1]]
    json.dump({name: read(text) for name, text in json.load(sys.stdin).items()}, sys.stdout)
