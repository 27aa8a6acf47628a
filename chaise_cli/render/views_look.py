"""Views of what waits, comes and happened, and of how things are: inbox, agenda, log, sync, relay, verify, doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.domain import when
from chaise_cli.render import views_money
from chaise_cli.render.document import Block, Cell, Column, Fields, Prose, Table, View
from chaise_cli.render.eye import Eye, handle, named

if TYPE_CHECKING:
    from chaise_cli.shapes import (
        AgendaItem,
        Backup,
        Doctor,
        InboxItem,
        LogEntry,
        Place,
        RailSim,
        Relay,
        RelayEntry,
        Round,
        Serving,
        Sync,
        SyncStatus,
        Verify,
    )


def _inbox_row(item: InboxItem, eye: Eye) -> list[Cell]:
    waits = item["waits_for"]
    text = eye.ids(item["text"]) + (f", waits for {waits}" if waits else "")
    return [text, eye.at(item["until"]), eye.ids(item["next"])]


def _inbox_page(item: InboxItem, eye: Eye) -> list[Block]:
    text, until, command = (str(cell) for cell in _inbox_row(item, eye))
    return [Fields([("what", text), ("until", until), ("next", command)])]


def _agenda_row(item: AgendaItem, eye: Eye) -> list[Cell]:
    return [_agenda_times(item, eye), item["kind"], eye.ids(item["of"]), eye.ids(item["consequence"])]


def _agenda_times(item: AgendaItem, eye: Eye) -> tuple[str, ...]:
    """The reader's clock and that of the zone it is meant in; a deadline at the end of a day as that day."""
    ms = when.read_instant(item["at"])
    meant = (when.one_zone if item["kind"] == "call" else when.deadline_text)(ms, item["tz"])
    return (meant,) if item["tz"] == eye.tz else (eye.when(item["at"]), meant)


def _agenda_page(item: AgendaItem, eye: Eye) -> list[Block]:
    pairs = [
        ("at", eye.deadline(item["at"], item["tz"])),
        ("kind", item["kind"]),
        ("of", eye.ids(item["of"])),
        ("then", eye.ids(item["consequence"])),
    ]
    return [Fields(pairs)]


def _log_row(entry: LogEntry, eye: Eye) -> list[Cell]:
    status = entry["status"] + (f": {entry['reason']}" if entry["reason"] else "")
    where = [entry["delivery"], eye.ids(entry["device"]), eye.ids(entry["space"])]
    who = handle(entry["by"]) + (f" by {eye.ids(entry['grant'])}" if entry["grant"] else "")
    return [eye.at(entry["at"]), who, entry["kind"], status, *where]


def _log_page(entry: LogEntry, eye: Eye) -> list[Block]:
    pairs = [
        ("event", entry["id"]),
        ("kind", entry["kind"]),
        ("by", named(entry["by"], eye)),
        ("grant", eye.ids(entry["grant"] or "")),
        ("device", eye.ids(entry["device"])),
        ("at", eye.when(entry["at"])),
        ("place", f"{entry['seq']} on its chain, lamport {entry['lamport']}"),
        ("status", entry["status"]),
        ("reason", entry["reason"] or ""),
        ("delivery", entry["delivery"]),
        ("history", "its device also wrote another one here" if entry["branch"] else ""),
        ("space", entry["space"]),
    ]
    return [Fields(pairs)]


def _sync_row(sync: Sync, _eye: Eye) -> list[Cell]:
    return [f"{len(sync['peers'])} places"]


def _sync_page(sync: Sync | Serving, _eye: Eye) -> list[Block]:
    rows = [
        [peer["peer"], str(peer["sent"]), str(peer["received"]), str(peer["rejected"]), peer["state"]]
        for peer in sync["peers"]
    ]
    problems = "\n".join(f"{peer['peer']}: {problem}" for peer in sync["peers"] for problem in peer["problems"])
    return [Table(_SYNC, rows), *_problems(problems)]


def _serving_row(serving: Serving, _eye: Eye) -> list[Cell]:
    return [serving["at"]]


def _status_row(status: SyncStatus, _eye: Eye) -> list[Cell]:
    return [f"{len(status['spaces'])} spaces"]


def _status_page(status: SyncStatus, eye: Eye) -> list[Block]:
    """Counts a space; of events those that are nowhere else, the oldest first."""
    rows: list[list[Cell]] = [
        [
            eye.ids(space["space"]),
            *(str(space[key]) for key in ("events", "local", "placed", "seen", "pending")),
            eye.at(space["oldest"]["at"]) if space["oldest"] else "",
        ]
        for space in status["spaces"]
    ]
    local = [event for event in reversed(status["events"]) if event["delivery"] == "local"]
    blocks: list[Block] = [Table(_STATUS, rows)]
    if local:
        here: list[list[Cell]] = [
            [eye.at(one["at"]), one["kind"], eye.ids(one["space"])] for one in local[:_MOST_LOCAL]
        ]
        more = len(local) - len(here)
        blocks.append(Table(_LOCAL, here, "Only here" + (f", and {more} more" if more else "")))
    return blocks


def _place_row(place: Place, eye: Eye) -> list[Cell]:
    synced = eye.at(place["synced_at"]) if place["synced_at"] else "never"
    state = place["problem"] or (f"caught: {place['caught'][-1]['code']}" if place["caught"] else "")
    return [place["peer"], place["kind"], "yes" if place["auto"] else "", synced, str(place["unsent"]), state]


def _place_page(place: Place, eye: Eye) -> list[Block]:
    pairs = [
        ("place", place["peer"]),
        ("kind", place["kind"]),
        ("by itself", "yes" if place["auto"] else "no"),
        ("synced", eye.when(place["synced_at"]) if place["synced_at"] else "never"),
        ("boards", ", ".join(place["boards"])),
        ("spaces", str(place["spaces"])),
        ("not there", f"{place['unsent']} events" if place["unsent"] else ""),
    ]
    caught = "\n".join(f"{eye.when(one['at'])}: {one['code']}" for one in place["caught"])
    return [Fields(pairs), *_problems(place["problem"] or ""), *([Prose("Caught at", caught)] if caught else [])]


def _verify_row(verify: Verify, _eye: Eye) -> list[Cell]:
    return [f"{verify['events']} events"]


def _verify_page(verify: Verify, eye: Eye) -> list[Block]:
    found = str(len(verify["problems"])) if verify["problems"] else "none"
    counts = [
        ("events", str(verify["events"])),
        ("spaces", str(verify["spaces"])),
        ("files", str(verify["files"] or "")),
        (
            "share",
            f"{verify['subset']}, {'with' if verify['pages'] else 'without'} the pages" if verify["subset"] else "",
        ),
        ("problems", found),
    ]
    blocks: list[Block] = [Fields(counts)]
    if verify["balances"]:
        columns, row, _page, _nothing = views_money.VIEWS["balance"]
        blocks.append(Table(columns(eye), [row(balance, eye) for balance in verify["balances"]], "Balances"))
    forks = "\n".join(eye.ids(fork) for fork in verify["forks"])
    blocks += [Prose("Several histories", forks)] if forks else []
    return [*blocks, *_problems("\n".join(eye.ids(problem) for problem in verify["problems"]))]


def _backup_row(backup: Backup, _eye: Eye) -> list[Cell]:
    return [backup["file"]]


def _backup_page(backup: Backup, eye: Eye) -> list[Block]:
    newer = backup["newer_here"]
    pairs = [
        ("file", backup["file"]),
        ("size", f"{backup['size']} bytes"),
        ("at", eye.when(backup["at"]) if backup["at"] else "unknown"),
        ("of", eye.ids(backup["identity"] or "unknown")),
        ("device", eye.ids(backup["device"] or "unknown")),
        ("holds", f"{backup['events']} events in {backup['spaces']} spaces, {backup['files']} files"),
        ("not in it", "" if newer is None else f"{newer} events of this home"),
    ]
    return [Fields(pairs), *_problems("\n".join(eye.ids(problem) for problem in backup["problems"]))]


def _relay_row(relay: Relay, _eye: Eye) -> list[Cell]:
    return [relay["url"] or relay["invite"] or relay["withdrawn"] or ""]


def _relay_page(relay: Relay, _eye: Eye) -> list[Block]:
    if relay["url"]:
        return [Fields([("listening on", relay["url"])])]
    if relay["withdrawn"]:
        return [Fields([("withdrawn", relay["withdrawn"])])]
    return [Prose("", relay["invite"] or "")]  # alone on its line, as a file for `peer add` wants it


def _sim_row(sim: RailSim, _eye: Eye) -> list[Cell]:
    return [sim["url"]]


def _sim_page(sim: RailSim, _eye: Eye) -> list[Block]:
    return [Fields([("listening on", sim["url"]), ("file", sim["store"])])]


def _run_row(run: Round, _eye: Eye) -> list[Cell]:
    clawed = f", {run['reversed']} clawed back" if run["reversed"] else ""
    return [f"{len(run['consented'])} consented, {run['moved']} moved, {run['declined']} declined{clawed}"]


def _run_page(run: Round, eye: Eye) -> list[Block]:
    pairs = [("holds from now", eye.ids(", ".join(run["consented"]))), ("moved", str(run["moved"]))]
    pairs += [("declined", str(run["declined"]))]
    pairs += [("clawed back", str(run["reversed"]))] if run["reversed"] else []
    return [Fields(pairs), *_problems("\n".join(eye.ids(problem) for problem in run["problems"]))]


def _invite_row(invite: RelayEntry, _eye: Eye) -> list[Cell]:
    return [invite["id"]]


def _invite_page(invite: RelayEntry, _eye: Eye) -> list[Block]:
    return [Fields([("invite", invite["id"])])]


def _doctor_row(doctor: Doctor, _eye: Eye) -> list[Cell]:
    return [f"{len(doctor['checks'])} checks"]


def _doctor_page(doctor: Doctor, _eye: Eye) -> list[Block]:
    rows = [
        ["ok" if check["ok"] else "failed", check["name"], check["value"], check["origin"]]
        for check in doctor["checks"]
    ]
    hints = "\n".join(f"{check['name']}: {check['hint']}" for check in doctor["checks"] if not check["ok"])
    return [Table(_DOCTOR, rows), *([Prose("To mend", hints)] if hints else [])]


def _problems(text: str) -> list[Block]:
    return [Prose("Problems", text)] if text else []


_SYNC: Final = [
    Column("PLACE", flex=True),
    Column("SENT", right=True),
    Column("RECEIVED", right=True),
    Column("REJECTED", right=True),
    Column("STATE"),
]
_STATUS: Final = [
    Column("SPACE"),
    Column("EVENTS", right=True),
    Column("ONLY HERE", right=True),
    Column("AT PLACES", right=True),
    Column("SEEN", right=True),
    Column("PENDING", right=True),
    Column("OLDEST ONLY HERE", drop=1),
]
_LOCAL: Final = [Column("AT"), Column("EVENT"), Column("SPACE")]
_MOST_LOCAL: Final = 20
_PLACE: Final = [
    Column("PLACE", flex=True),
    Column("KIND"),
    Column("AUTO", drop=1),
    Column("SYNCED"),
    Column("NOT THERE", right=True),
    Column("PROBLEM", flex=True),
]
_DOCTOR: Final = [Column("STATE"), Column("CHECK"), Column("VALUE", flex=True), Column("FROM", flex=True, drop=1)]
_AGENDA: Final = [Column("AT"), Column("KIND"), Column("OF"), Column("THEN", wrap=True)]


def _inbox_columns(eye: Eye) -> list[Column]:
    return [Column("WAITING", flex=True), Column(eye.column("UNTIL"), drop=1), Column("NEXT")]


def _log_columns(eye: Eye) -> list[Column]:
    return [
        Column(eye.column("AT")),
        Column("BY", flex=True),
        Column("EVENT"),
        Column("STATUS", wrap=True),
        Column("DELIVERY"),
        Column("DEVICE", flex=True, drop=2),
        Column("SPACE", drop=1),
    ]


def _lone(title: str) -> list[Column]:
    return [Column(title)]


VIEWS: Final = {
    "inbox_item": View(_inbox_columns, _inbox_row, _inbox_page, "nothing waits for you"),
    "agenda_item": View(lambda _eye: _AGENDA, _agenda_row, _agenda_page, "nothing is coming up"),
    "log_entry": View(_log_columns, _log_row, _log_page, "no events yet"),
    "place": View(lambda _eye: _PLACE, _place_row, _place_page, "no places to sync with: chaise peer add WHERE"),
    "sync": View(lambda _eye: _lone("SYNC"), _sync_row, _sync_page, "no places to sync with"),
    "relay": View(lambda _eye: _lone("RELAY"), _relay_row, _relay_page, "no relay"),
    "relay_entry": View(lambda _eye: _lone("INVITE"), _invite_row, _invite_page, "no invites"),
    "sync_status": View(lambda _eye: _lone("STATUS"), _status_row, _status_page, "no events yet"),
    "serving": View(lambda _eye: _lone("SERVING"), _serving_row, _sync_page, "nobody is served"),
    "round": View(lambda _eye: _lone("ROUND"), _run_row, _run_page, "no round"),
    "sim": View(lambda _eye: _lone("SIM"), _sim_row, _sim_page, "no sim"),
    "verify": View(lambda _eye: _lone("VERIFY"), _verify_row, _verify_page, "nothing to verify"),
    "backup": View(lambda _eye: _lone("BACKUP"), _backup_row, _backup_page, "no backup"),
    "doctor": View(lambda _eye: _lone("DOCTOR"), _doctor_row, _doctor_page, "nothing to check"),
}
