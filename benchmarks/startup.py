"""What a command costs as a process: CPU time as a multiple of the bare interpreter's, beside programs people know."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import world
from benchmarks.measure import Figure, child_cpu, interleaved
from chaise_cli.ids import public

READ_BAR: Final = 8.0
SIGN_BAR: Final = 10.0
BARE: Final = "bare interpreter"
POSTS: Final = 50
MESSAGES: Final = 20
_KHAL: Final = """
[calendars]
[[work]]
path = {calendar}
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
[sqlite]
path = {cache}
"""
_SCRIPT: Final = "import sys\nfrom chaise_cli.cli import main\nsys.exit(main())\n"


def figures(folder: Path, rounds: int, notes: list[str]) -> list[Figure]:
    """The ratios, best of `rounds` interleaved runs each; `notes` gets the peers that could not be shown."""
    deal = _home(folder)
    environment = _environment(folder)
    chaise = _installed(folder, environment)
    verbs: dict[str, Sequence[str]] = {
        "posts --json": ["posts", "--json"],
        "message": ["message", deal, "The next report comes on Friday."],
        "whoami --json": ["whoami", "--json"],
        "deals --json": ["deals", "--json"],
        "inbox --json": ["inbox", "--json"],
        "messages --json": ["messages", deal, "--json"],
        "show --json": ["show", deal, "--json"],
        "log --json": ["log", deal, "--json"],
        "bookings --json": ["bookings", "--json"],
    }
    commands = {BARE: [sys.executable, "-c", "pass"]}
    commands |= {f"chaise {name}": [*chaise, *argv] for name, argv in verbs.items()}
    peers = _peers(folder, notes)
    commands |= peers
    runs: dict[str, Callable[[], float]] = {
        name: partial(child_cpu, argv, environment) for name, argv in commands.items()
    }
    for run in runs.values():
        run()  # compiles, fills the cache of the unlocked key, and makes khal read its calendar
    best = interleaved(runs, rounds)
    found = [Figure(BARE, best[BARE] * 1000, "ms of CPU")]
    for name in list(commands)[1:]:
        bar = None if name in peers else READ_BAR if "--json" in name else SIGN_BAR
        found.append(Figure(name, best[name] / best[BARE], "× bare", bar))
    return found


def _home(folder: Path) -> str:
    """Lisa's home, with posts and a deal; the deal's public id."""
    lisa, james = world.person(folder, "Lisa", "client"), world.person(folder, "James", "talent")
    board = world.board(lisa, member=james)
    world.posts(lisa, board, POSTS)
    deal = world.deal(lisa, world.counterpart(james), board.id)
    world.messages(lisa, deal, MESSAGES)
    lisa.close()
    james.close()
    return public("deal", deal.id)


def _environment(folder: Path) -> dict[str, str]:
    """What every program runs in: nothing of this shell that speeds up or slows down, and a folder for the key."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    private = folder / "run"
    private.mkdir(mode=0o700)
    return kept | {
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(private),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "CHAISE_HOME": str(folder / "lisa"),
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),  # compiled by the first run, wherever sources may be written
    }


def _installed(folder: Path, environment: dict[str, str]) -> list[str]:
    """The installed console script, or what it would be."""
    script = Path(sys.executable).with_name("chaise")
    if script.exists():
        return [str(script)]
    made = folder / "chaise.py"
    made.write_text(_SCRIPT)
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    return [sys.executable, str(made)]


def _peers(folder: Path, notes: list[str]) -> dict[str, list[str]]:
    """The programs to compare with that are installed, each with something to show; `notes` gets the others."""
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found: dict[str, list[str]] = {}
    for name, argv in (("khal", _khal(folder)), ("gh", ["--version"]), ("sqlite-utils", _tables(folder))):
        program = shutil.which(name, path=beside)
        if program is None:
            notes.append(f"{name} is not installed, so it is not shown")
        else:
            found[f"{name} {argv[0]}"] = [program, *argv]
    return found


def _khal(folder: Path) -> list[str]:
    """`khal list` of a calendar with one entry."""
    calendar = folder / "calendar"
    calendar.mkdir()
    (folder / "config" / "khal").mkdir(parents=True)
    (folder / "config" / "khal" / "config").write_text(_KHAL.format(calendar=calendar, cache=folder / "khal.db"))
    entry = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench", "BEGIN:VEVENT", "UID:one", "SUMMARY:Call",
        "DTSTAMP:20260101T000000Z", "DTSTART:20260102T100000Z", "DTEND:20260102T110000Z", "END:VEVENT",
        "END:VCALENDAR", "",
    )  # fmt: skip
    (calendar / "one.ics").write_text("\r\n".join(entry))
    return ["list", "2026-01-01", "7d"]


def _tables(folder: Path) -> list[str]:
    """`sqlite-utils tables` of a plain database."""
    path = folder / "plain.db"
    database = sqlite3.connect(path)
    database.executescript("CREATE TABLE one(a); CREATE TABLE two(b);")
    database.close()
    return ["tables", str(path)]
