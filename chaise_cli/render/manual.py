"""What `chaise help` knows beside the table of verbs: an example for each, the exit statuses, the limits, the codes."""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache
from typing import Final

from chaise_cli import errors
from chaise_cli.errors import ChaiseError

PACKAGES: Final = ("chaise_cli", "sync")
_RUNS_ON_IMPORT: Final = "__main__"

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "init": (
        "chaise init --name Lisa --role client --currency EUR",
        "chaise init --name CI --role client --key-file ci.key --recovery-out ci.recovery",
    ),
    "whoami": ("chaise whoami --json",),
    "unlock": ("chaise unlock --for 8h",),
    "lock": ("chaise lock",),
    "doctor": ("chaise doctor",),
    "help": ("chaise help Money", "chaise help release", "chaise help exit-codes", "chaise help escrow.over_release"),
    "board": (
        "chaise board create marketing --at ~/Shared/chaise",
        "chaise board join",
        "chaise board invite marketing",
    ),
    "boards": ("chaise boards",),
    "peers": ("chaise peers",),
    "peer": (
        "chaise peer add https://relay.example --invite-file relay.invite",
        "chaise peer remove ~/Shared/chaise",
        "chaise peer serve --listen 127.0.0.1:7413",
    ),
    "profile": (
        'chaise profile --headline "Web developer" --skill python --skill seo --rate 80EUR/hour',
        "chaise profile @james",
    ),
    "service": (
        'chaise service "Landing page" --kind web --price 600EUR --days 5 --skill css',
        "chaise service --close svc-4tq8xm2k",
    ),
    "services": ("chaise services --skill css --max 800EUR",),
    "talents": ("chaise talents --skill seo --max 90EUR",),
    "post": (
        'chaise post "Holiday campaign" --kind marketing --skill seo --budget 1500..2500EUR \\',
        "             --deadline 2026-12-20 --location remote --brief-file brief.md",
        "chaise post --edit post-4tq8xm2k --deadline 2026-12-22",
    ),
    "posts": ("chaise posts --skill seo --min 1000EUR", "chaise posts --state all --with @lisa"),
    "close": ("chaise close post-4tq8xm2k",),
    "invite": ('chaise invite post-4tq8xm2k @james --note "Your portfolio fits"',),
    "propose": (
        'chaise propose post-4tq8xm2k --milestone "Setup=600EUR@2026-12-01" --milestone "Run=1400EUR@2026-12-15"',
    ),
    "deals": ("chaise deals post-4tq8xm2k", "chaise deals --state hired"),
    "shortlist": ("chaise shortlist deal-7k3m9q2x",),
    "decline": ('chaise decline deal-7k3m9q2x --reason "Budget is gone"',),
    "withdraw": ("chaise withdraw deal-7k3m9q2x",),
    "message": ('chaise message deal-7k3m9q2x "Could reporting be its own milestone?"',),
    "messages": ("chaise messages deal-7k3m9q2x",),
    "availability": (
        "chaise availability --toml > hours.toml",
        "chaise availability --set hours.toml",
        "chaise availability --share deal-7k3m9q2x",
    ),
    "book": (
        "chaise book deal-7k3m9q2x --slots --for 30m --in 14d",
        'chaise book deal-7k3m9q2x --at "2026-11-25 15:00" --tz Europe/Berlin --for 30m',
        'chaise book deal-7k3m9q2x --at "2026-11-30 09:00" --every week --times 8',
    ),
    "bookings": ("chaise bookings --ics calls.ics", "chaise bookings --read reply.eml"),
    "calendar": (
        "chaise calendar add ~/.calendars/work",
        "chaise calendar add - --name private < address.txt",
        "chaise calendar refresh",
        "chaise calendar remove work",
    ),
    "calendars": ("chaise calendars",),
    "hire": (
        "chaise hire deal-7k3m9q2x --review-period 14d",
        "chaise hire deal-7k3m9q2x --agent @ada --talent-fee 2.5%",
    ),
    "accept": ("chaise accept deal-7k3m9q2x", "chaise accept book-9wz2k4tq --slot 2"),
    "cancel": (
        "chaise cancel book-9wz2k4tq",
        'chaise cancel book-9wz2k4tq --on "2026-12-07 09:00"',
        "chaise cancel deal-7k3m9q2x/2",
    ),
    "update": ('chaise update deal-7k3m9q2x "Tracking is in"',),
    "deliver": ('chaise deliver deal-7k3m9q2x/1 --file site.tar --note "All criteria met"',),
    "changes": ('chaise changes deal-7k3m9q2x/1 "Pixel missing on /checkout"',),
    "files": ("chaise files deal-7k3m9q2x --fetch ~/Downloads",),
    "fund": ('chaise fund deal-7k3m9q2x/1 --ref "transfer 4711"',),
    "release": (
        "chaise release deal-7k3m9q2x/1",
        "chaise release deal-7k3m9q2x/1 --total 400EUR",
        "chaise release deal-7k3m9q2x/1 --policy release.toml --evidence out",
    ),
    "refund": ("chaise refund deal-7k3m9q2x/1",),
    "balance": ("chaise balance --json", "chaise balance --by month"),
    "journal": (
        "chaise journal --since 2026-01-01 --csv",
        "chaise journal --format hledger --since 2026-01-01 --until 2026-12-31",
    ),
    "rail": (
        "chaise rail due",
        'chaise rail attest op-2m8xk4tq --ref "transfer 4711"',
        "chaise rail attest --statement november.csv --columns date=Day,amount=Sum,currency==EUR,reference=Text",
        "chaise rail reconcile --statement november.csv --format csv",
        "chaise rail sim --listen 127.0.0.1:8899",
    ),
    "policy": (
        "chaise policy check release.toml deal-7k3m9q2x/1 --evidence out",
        "chaise policy test release.toml cases.toml",
        "chaise policy explain run-9d2k4tqx",
        "chaise policy key deal-7k3m9q2x ~/.ssh/id_ed25519.pub",
    ),
    "grant": (
        "chaise grant create --can release --deal deal-7k3m9q2x --max 600EUR --until 2026-12-31 -o ci.key",
        "chaise grant approve grant-5w0p1x9d --total 600EUR",
        "chaise grant revoke grant-5w0p1x9d",
    ),
    "grants": ("chaise grants", "chaise grants deal-7k3m9q2x"),
    "review": ('chaise review deal-7k3m9q2x --stars 5 --recommend --text "On time, and kind"',),
    "reviews": ("chaise reviews @james",),
    "inbox": ("chaise", "chaise inbox --json"),
    "show": ("chaise show deal-7k3m9q2x --terms", "chaise show book-9wz2k4tq --ics call.eml --eml"),
    "log": ("chaise log deal-7k3m9q2x",),
    "agenda": ("chaise agenda",),
    "wait": ("chaise wait deal-7k3m9q2x/1 --until funded --timeout 2h --sync",),
    "sync": ("chaise sync", "chaise sync ~/Shared/chaise", "chaise sync --watch", "chaise sync --status"),
    "relay": ("chaise relay serve --listen 127.0.0.1:8787", "chaise relay invite", "chaise relay invites"),
    "devices": ("chaise devices",),
    "device": (
        "chaise device add --name phone",
        "chaise device join --at ~/Shared/chaise",
        "chaise device rename dev-1apt0pcd phone",
        "chaise device revoke dev-1apt0pcd --recovery-file ~/lisa.recovery",
        "chaise device renew",
    ),
    "agent": (
        "chaise agent run",
        "chaise agent run --once --json",
        "chaise agent move deal-7k3m9q2x",
        "chaise agent move --all --to dev-1apt0pcd",
        "chaise agent settle deal-7k3m9q2x",
        "chaise agent settle deal-7k3m9q2x --last 4tq8xm2k9p1z",
    ),
    "backup": ("chaise backup /media/stick/chaise-2026-11-20", "chaise backup --check /media/stick/chaise-2026-11-20"),
    "restore": ("chaise restore /media/stick/chaise-2026-11-20",),
    "verify": ("chaise verify",),
    "batch": ("chaise batch --atomic < commands.jsonl",),
    "schema": ("chaise schema post",),
    "completion": ("chaise completion bash > ~/.local/share/bash-completion/completions/chaise",),
}
"""Lines a newcomer can type, for every verb."""

EXITS: Final = {
    0: ("done, or done before by the identical request", "go on"),
    1: ("a bug in Chaise", "report it"),
    2: ("wrong usage", "fix the call"),
    3: ("not found, or ambiguous", "fix the id"),
    4: ("locked, wrong key, or no such key", "unlock"),
    5: ("refused by a rule: state, role, funds, deadline", "read error.code"),
    6: ("conflict: the state moved on", "sync, look, retry"),
    7: ("denied by a grant or a policy", "change the policy"),
    8: ("recorded, still waiting for somebody", "wait"),
    9: ("the rail declined", "choose another"),
    10: ("the rail's outcome is unknown", "do not re-send"),
    11: ("verification failed", "stop"),
    12: ("a request id reused with other parameters", "fix the caller"),
    13: ("unreachable; the local write is kept", "retry sync"),
    14: ("written by a newer Chaise", "upgrade"),
    130: ("interrupted", ""),
}

LIMITS: Final = (
    ("a title", "120 characters"),
    ("a name, of a person or a device", "64 characters"),
    ("a handle", "32 letters, digits or -"),
    ("a headline, a location, a reference", "200 characters"),
    ("a kind of work", "40 characters"),
    ("a brief, a bio, a cover, a message", "32000 characters, 48 KiB"),
    ("a review", "6000 characters"),
    ("a skill", "40 characters; 30 skills of one post or person"),
    ("rates and links of a profile", "10 and 20"),
    ("a link", "500 characters"),
    ("an amount", "9007199254740991 of the smallest unit"),
    ("a duration", "3660d; unlock --for 30d"),
    ("times offered for one call", "5"),
    ("times of a check-in", "200, every 1 to 366 days"),
    ("files of one message or delivery", "20"),
    ("milestones of a deal", "100"),
    ("a request id", "128 characters"),
    ("--limit of a list", "10000; 50 when it is not given"),
    ("one event, sealed", "64 KiB"),
)


def example(verb: str) -> str:
    """The lines to begin with."""
    lines = EXAMPLES.get(verb, ())
    return "".join(f"  {line}\n" for line in lines)


def exits() -> str:
    """The exit statuses with what a script should do."""
    rows = [(str(status), means, do) for status, (means, do) in EXITS.items()]
    width = max(len(means) for _, means, _ in rows)
    return "".join(f"{status:>4}  {means:<{width}}  {do}".rstrip() + "\n" for status, means, do in rows)


def limits() -> str:
    """How long texts may be, how many of a thing there may be."""
    width = max(len(what) for what, _ in LIMITS)
    return "".join(f"{what:<{width}}  {most}\n" for what, most in LIMITS)


def code(wanted: str) -> str | None:
    """The explanation of an error code, None when no failure carries it. Imports all of Chaise to find it."""
    found = next((cls for cls in _classes() if vars(cls).get("code") == wanted), None)
    if found is None:
        return None
    means, do = EXITS[found.exit]
    lines = [wanted, *_words(found.__doc__ or ""), "", f"says:  {_named(found.message)}"]
    lines += [f"mend:  {_named(found.hint)}"] if found.hint else []
    lines.append(f"exit:  {found.exit}, {means}" + (f"; a script should: {do}" if do else ""))
    return "".join(f"{line}\n" for line in lines)


def codes() -> list[str]:
    """Every error code."""
    return sorted({str(vars(cls)["code"]) for cls in _classes() if "code" in vars(cls)})


@cache
def _classes() -> list[type[ChaiseError]]:
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith(_RUNS_ON_IMPORT):
                importlib.import_module(module.name)
    return _below(errors.ChaiseError)


def _below(base: type[ChaiseError]) -> list[type[ChaiseError]]:
    return [base, *(cls for child in base.__subclasses__() for cls in _below(child))]


def _words(doc: str) -> list[str]:
    return [line.strip() for line in doc.strip().split("\n\n")[0].splitlines()]


def _named(text: str) -> str:
    """A message before it is filled: `{milestone}` as MILESTONE."""
    named = re.sub(r"(?<!\{)\{(\w+)[^}]*\}", lambda found: found[1].upper(), text)
    return named.replace("{{", "{").replace("}}", "}")
