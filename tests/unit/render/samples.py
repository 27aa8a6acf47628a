"""One object of every shape, as a command would hand it over."""

from __future__ import annotations

from typing import Any, Final

from chaise_cli.domain.money import parse

DEAL: Final = "deal-7k3m9q2xabcdefghjkmnpqrstv"
OTHER_DEAL: Final = "deal-7k3m9q2xzbcdefghjkmnpqrstv"
POST: Final = "post-4tq8xm2kabcdefghjkmnpqrstv"
LISA: Final = {"id": "id-11s4abcdefghjkmnpqrstvwxyz", "handle": "lisa", "name": "Lisa"}
JAMES: Final = {"id": "id-1ame5bcdefghjkmnpqrstvwxyz", "handle": "james", "name": "James"}


def eur(text: str) -> dict[str, object]:
    return parse(text, "EUR").shape()


def milestone(n: int, title: str, amount: str, state: str, held: str = "0") -> dict[str, object]:
    return {
        "id": f"{DEAL}/{n}",
        "deal": DEAL,
        "n": n,
        "title": title,
        "amount": eur(amount),
        "due": "2026-12-01T23:00:00Z",
        "tz": "Europe/Berlin",
        "criteria": ["Pixel fires on /checkout", "Report matches the shop"],
        "final": state != "delivered",
        "state": state,
        "funded": eur(held),
        "held": eur(held),
        "released": eur("0"),
        "refunded": eur("0"),
        "payable": eur("0"),
        "paid_out": eur("0"),
        "reversed": eur("0"),
        "review_deadline": "2026-12-15T14:00:00Z" if state == "delivered" else None,
        "files": [{"name": "site.tar", "size": 1_234_567, "digest": "sha256-9f86d081884c7d65", "fetched": True}],
        "may": [{"who": "client", "verb": "release", "until": "2026-12-15T14:00:00Z"}],
    }


def _booking() -> dict[str, object]:
    slots = [
        {"n": 1, "start": "2026-11-25T14:00:00Z", "end": "2026-11-25T14:30:00Z", "tz": "Europe/Berlin"},
        {"n": 2, "start": "2026-11-26T23:30:00Z", "end": "2026-11-27T00:00:00Z", "tz": "Europe/Berlin"},
    ]
    return {
        "id": "book-9wz2abcdefghjkmnpqrstvwxyz",
        "deal": DEAL,
        "organizer": LISA | {"tz": "Europe/Berlin"},
        "attendees": [JAMES | {"tz": "America/New_York"}],
        "final": True,
        "start": "2026-11-25T14:00:00Z",
        "end": "2026-11-25T14:30:00Z",
        "tz": "Europe/Berlin",
        "url": "https://meet.example/x",
        "uid": "3f2a9c",
        "sequence": 0,
        "turn": "talent",
        "offers": 1,
        "slots": slots,
        "state": "proposed",
    }


def _deal() -> dict[str, object]:
    totals = {name: eur("0") for name in ("funded", "held", "released", "refunded", "disputed", "reversed")}
    return {
        "id": DEAL,
        "post": POST,
        "title": "Holiday campaign",
        "client": LISA,
        "talent": JAMES,
        "agent": None,
        "agent_device": None,
        "secured": False,
        "currency": "EUR",
        "terms_hash": "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
        "cover": "I have done two of these.\nReferences on request.",
        "valid_until": None,
        "final": True,
        "contested": False,
        "state": "hired",
        "milestones": [
            milestone(1, "Setup", "600", "delivered", "600"),
            milestone(2, "Run the campaign and report every week", "1400", "planned"),
        ],
        "totals": totals | {"funded": eur("600"), "held": eur("600")},
        "may": [{"who": "client", "verb": "fund", "until": None}, {"who": "talent", "verb": "update", "until": None}],
    }


PAYMENT: Final = {
    "line": 2,
    "booked": "2026-12-01",
    "amount": eur("600"),
    "text": "op-r3x3a5ebcdef Setup",
    "party": "Lisa GmbH",
    "ref": "bank 2026-12-01 4711",
    "ops": ["op-r3x3a5ebcdefghjkmnpqrstvwx"],
    "why": None,
}
RAIL_LINE: Final = {
    "at": "2026-12-01T00:00:00Z",
    "ref": "sim-000007",
    "kind": "hold",
    "amount": eur("600"),
    "cost": eur("0"),
    "text": "chaise-8v2wye855hggft4rqm466gwz7g",
}
RAIL_ENTRY: Final = {
    "event": "8v2wye855hggft4rqm466gwz7g",
    "deal": DEAL,
    "at": "2026-12-01T00:00:00Z",
    "ref": "sim-000008",
    "text": f"held for {DEAL}/1",
    "amount": eur("600"),
    "cost": eur("0"),
}
SAMPLES: Final[dict[str, dict[str, Any]]] = {
    "identity": LISA
    | {
        "role": "client",
        "currency": "EUR",
        "tz": "Europe/Berlin",
        "device": {"id": "dev-1apt0pcdefghjkmnpqrstvwxyz", "name": "laptop"},
        "home": "~/.local/share/chaise",
        "unlocked_until": "2026-11-20T18:00:00Z",
    },
    "device": {
        "id": "dev-1apt0pcdefghjkmnpqrstvwxyz",
        "name": "laptop",
        "kind": "admin",
        "since": "2026-11-20T12:00:00Z",
        "state": "this",
        "agent_of": 3,
        "seen": "2026-11-21T12:00:00Z",
    },
    "pairing": {
        "until": "2026-11-20T12:10:00Z",
        "via": ["~/Shared/chaise"],
        "limited": False,
        "code_file": "~/code",
        "device": {"id": "dev-1apt0pcdefghjkmnpqrstvwxyz", "name": "phone"},
    },
    "board": {
        "id": "board-m4rketabcdefghjkmnpqrstvwx",
        "name": "marketing",
        "at": ["~/Shared/chaise"],
        "members": 12,
    },
    "profile": {
        "id": "id-1ame5bcdefghjkmnpqrstvwxyz",
        "person": JAMES,
        "headline": "Web developer who measures",
        "bio": "Ten years of shops.\n\nI answer within a day.",
        "skills": ["seo", "ads", "python"],
        "rates": [{"price": eur("80"), "per": "hour"}],
        "location": "New York",
        "links": ["https://james.example"],
        "tz": "America/New_York",
        "email": None,
    },
    "service": {
        "id": "svc-4kd1tabcdefghjkmnpqrstvwxy",
        "person": JAMES,
        "title": "SEO audit",
        "kind": "marketing",
        "price": eur("450"),
        "days": 5,
        "skills": ["seo"],
    },
    "post": {
        "id": POST,
        "board": "board-m4rketabcdefghjkmnpqrstvwx",
        "title": "Holiday campaign",
        "kind": "marketing",
        "skills": ["seo", "ads"],
        "budget": {"min": eur("1500"), "max": eur("2500")},
        "deadline": "2026-12-20T23:00:00Z",
        "tz": "Europe/Berlin",
        "location": "remote",
        "brief": "# What we need\n\n- Tracking on every page\n- A weekly report",
        "client": LISA,
        "version": 1,
        "state": "open",
        "deals": 3,
    },
    "deal": _deal(),
    "milestone": milestone(1, "Setup", "600", "delivered", "600"),
    "op": {
        "id": "op-r3x3a5ebcdefghjkmnpqrstvwx",
        "request_id": None,
        "kind": "release",
        "amount": eur("600"),
        "total": eur("600"),
        "to": JAMES,
        "state": "authorized",
        "ref": None,
        "grant": "grant-c1k3yabcdefghjkmnpqrstvwxy",
    },
    "grant": {
        "id": "grant-c1k3yabcdefghjkmnpqrstvwxy",
        "deal": DEAL,
        "name": "ci",
        "by": LISA,
        "can": ["release"],
        "milestone": f"{DEAL}/1",
        "max": eur("600"),
        "per_day": eur("200"),
        "spent": eur("100"),
        "until": "2026-12-31T23:00:00Z",
        "approvals": {"need": 1, "of": [LISA, JAMES]},
        "approved": [{"by": JAMES, "milestone": f"{DEAL}/1", "total": eur("600")}],
        "delivered_for_ms": 86_400_000,
        "policy": "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd",
        "state": "active",
        "final": False,
        "file": "ci.key",
    },
    "file": {"name": "site.tar", "size": 1_234_567, "digest": "sha256-9f86d081884c7d65", "fetched": False},
    "journal_entry": {
        "at": "2026-12-01T09:00:00Z",
        "text": "hold for Setup",
        "ref": "transfer 4711",
        "postings": [
            {"account": "assets:rail:manual", "amount": eur("600")},
            {"account": f"liabilities:escrow:{DEAL}:1", "amount": (-parse("600EUR")).shape()},
        ],
    },
    "booking": _booking(),
    "availability": {
        "zone": "Europe/Berlin",
        "hours": [{"day": "mon", "hours": ["09:00-12:00", "13:00-17:00"]}, {"day": "tue", "hours": []}],
        "days": [{"day": "2026-12-24", "hours": []}],
        "calls": [
            {
                "name": "intro",
                "lengths": [30, 60],
                "step": 30,
                "before": 0,
                "after": 15,
                "notice": 240,
                "window": 30,
                "per_day": 3,
                "per_week": None,
                "place": "https://meet.example/x",
            }
        ],
    },
    "free_slot": {
        "start": "2026-11-25T14:00:00Z",
        "end": "2026-11-25T14:30:00Z",
        "tz": "Europe/Berlin",
        "theirs": "America/New_York",
    },
    "message": {
        "id": "msg-h3xx0abcdefghjkmnpqrstvwxy",
        "deal": DEAL,
        "by": LISA,
        "at": "2026-11-24T09:30:00Z",
        "text": "Could reporting be its own milestone?\nThat would help our budget.",
        "files": [],
    },
    "review": {
        "id": "rev-5tar5abcdefghjkmnpqrstvwxy",
        "deal": DEAL,
        "by": LISA,
        "about": JAMES,
        "stars": 5,
        "recommend": True,
        "text": "Delivered early, explained everything.",
        "state": "open",
        "secured": False,
        "agent": LISA,
        "self_paid": True,
    },
    "policy": {
        "name": "release.toml",
        "digest": "NW5cbYHnS7yDVd4svZBlA0Gu9pmG_9UEEGQHobxdPd8",
        "rules": 1,
        "files": ["build/junit.xml"],
        "milestone": f"{DEAL}/1",
        "verdict": {"verdict": "wait", "total": None, "reasons": ["build/junit.xml is not there"]},
    },
    "policy_case": {
        "name": "all well",
        "expect": "allow",
        "wanted": eur("600"),
        "ok": False,
        "verdict": "wait",
        "total": None,
        "reasons": ["build/junit.xml is not there"],
    },
    "run": {
        "id": "run-9d2k4tqxabcdefghjkmnpqrstv",
        "deal": DEAL,
        "milestone": f"{DEAL}/1",
        "by": LISA,
        "at": "2026-12-01T09:00:00Z",
        "policy": "NW5cbYHnS7yDVd4svZBlA0Gu9pmG_9UEEGQHobxdPd8",
        "verdict": "allow",
        "total": eur("600"),
        "reasons": ["build/junit.xml: 24 ran, 0 failed, 0 skipped"],
        "delivery": "4tq8xm2k9p1z4tq8xm2k9p1z4t",
        "files": [{"name": "release.toml", "size": 92, "digest": "NW5cbYHnS7yD", "fetched": True}],
        "status": "valid",
        "reason": None,
        "again": {"verdict": "deny", "total": None, "reasons": ["build/junit.xml: 24 ran, 1 failed, 0 skipped"]},
        "differs": ["the policy says deny, the record allow"],
    },
    "balance": {"currency": "EUR"}
    | dict.fromkeys(("refunded", "disputed", "payable", "paid_out", "released", "reversed"), eur("0"))
    | dict.fromkeys(("funded", "held"), eur("600")),
    "balance_by": {"deal": None, "person": JAMES, "month": None, "currency": "EUR"}
    | dict.fromkeys(("refunded", "disputed", "payable", "paid_out", "released", "reversed"), eur("0"))
    | dict.fromkeys(("funded", "held"), eur("600")),
    "reconciliation": {
        "rail": "sim",
        "since": None,
        "until": None,
        "agreed": 3,
        "unbooked": [RAIL_LINE],
        "unshown": [RAIL_ENTRY],
        "differing": [{"ref": "sim-000009", "lines": [RAIL_LINE], "entries": [RAIL_ENTRY]}],
        "own": [RAIL_LINE | {"kind": "deposit"}],
        "sums": [{"currency": "EUR", "statement": eur("600"), "book": eur("600"), "difference": eur("0")}],
    },
    "statement": {
        "lines": 2,
        "attested": [PAYMENT],
        "known": [],
        "unmatched": [PAYMENT | {"line": 3, "ops": [], "why": "other_amount"}],
        "due": [],
    },
    "inbox_item": {
        "id": DEAL,
        "deal": DEAL,
        "kind": "delivered",
        "text": f"@james delivered {DEAL}/1 Setup",
        "at": "2026-12-01T09:00:00Z",
        "waits_for": None,
        "until": "2026-12-15T14:00:00Z",
        "next": f"chaise release {DEAL}/1",
    },
    "agenda_item": {
        "at": "2026-12-15T14:00:00Z",
        "tz": "Europe/Berlin",
        "kind": "review",
        "of": f"{DEAL}/1",
        "consequence": "Pays James 600.00 EUR unless you ask for changes or dispute",
    },
    "log_entry": {
        "id": "b5bb9d8014a0f9b1",
        "space": DEAL,
        "kind": "work.delivered",
        "by": JAMES,
        "device": "dev-1apt0pcdefghjkmnpqrstvwxyz",
        "seq": 7,
        "lamport": 19,
        "at": "2026-12-01T09:00:00Z",
        "status": "void",
        "reason": "nothing was funded",
        "delivery": "seen",
        "branch": True,
        "grant": "grant-c1k3yabcdefghjkmnpqrstvwxy",
    },
    "calendar_copy": {
        "uid": "6zre2rcvqekckgw5b6d5b7xzfx0dsj7q",
        "calendar": "https://cal.example/lisa/calls/",
        "booking": "book-9wz2abcdefghjkmnpqrstvwxyz",
        "did": "moved",
        "start": "2026-11-25T14:00:00Z",
        "end": "2026-11-25T14:30:00Z",
        "command": "chaise book book-9wz2abcdefghjkmnpqrstvwxyz --at 2026-11-25T15:00+01:00 --tz Europe/Berlin",
    },
    "pushed_calendar": {
        "url": "https://cal.example/lisa/calls/",
        "user": "lisa",
        "private": False,
        "entries": 12,
        "changed": 1,
        "pushed_at": "2026-12-01T09:00:00Z",
        "pulled_at": None,
    },
    "place": {
        "peer": "https://relay.example",
        "kind": "relay",
        "auto": True,
        "synced_at": "2026-12-01T09:00:00Z",
        "boards": ["marketing"],
        "spaces": 12,
        "unsent": 3,
        "problem": "https://relay.example cannot be reached",
        "caught": [{"code": "relay.split", "at": "2026-12-01T09:00:00Z"}],
    },
    "calendar": {
        "name": "calendar.example",
        "kind": "web",
        "where": "https://calendar.example/…",
        "tentative": False,
        "email": "james@example.org",
        "every": "1h",
        "read_at": "2026-12-01T09:00:00Z",
        "until": "2028-01-05T00:00:00Z",
        "entries": 120,
        "skipped": 2,
        "busy": 97,
        "stale": True,
        "problem": "it answers 404",
    },
    "sync": {
        "peers": [
            {
                "peer": "~/Shared/chaise",
                "sent": 3,
                "received": 12,
                "rejected": 1,
                "state": "done",
                "problems": ["an event of dev-1apt0pcdefghjkmnpqrstvwxyz has a wrong signature"],
            }
        ]
    },
    "backup": {
        "file": "/backups/lisa",
        "size": 52_311,
        "at": "2026-11-20T12:00:00Z",
        "identity": "id-xxcnt81gabcdefghjkmnpqrstv",
        "device": "dev-98txac2fabcdefghjkmnpqrstv",
        "spaces": 3,
        "events": 1_204,
        "files": 2,
        "requests": 4,
        "newer_here": 0,
        "problems": [],
    },
    "verify": {
        "events": 1_204,
        "spaces": 5,
        "balances": [],
        "problems": [],
        "forks": [],
        "chains": 9,
        "files": 2,
        "pages": True,
        "subset": None,
    },
    "round": {
        "consented": ["deal-7x4xqfz0a75j1k03h4hm4kzdz3"],
        "moved": 2,
        "declined": 0,
        "reversed": 0,
        "problems": [],
    },
    "sim": {"url": "http://127.0.0.1:8899", "store": "/var/lib/sim/rail.db", "control": False},
    "relay": {
        "url": "http://127.0.0.1:8787",
        "relay": "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg",
        "store": "sqlite",
        "invite": "000G-40R4-0M30-E209-185G-R38E-1W81-24GK-DDW0",
        "invite_id": "7k3m9q2x4tq8w5e1",
        "withdrawn": None,
    },
    "relay_entry": {"id": "7k3m9q2x4tq8w5e1"},
    "sync_status": {
        "spaces": [
            {
                "space": DEAL,
                "kind": "deal",
                "events": 12,
                "local": 1,
                "placed": 9,
                "seen": 8,
                "pending": 1,
                "oldest": {"id": "b5bb9d8014a0f9b1", "at": "2026-12-01T09:00:00Z"},
            }
        ],
        "events": [
            {
                "id": "b5bb9d8014a0f9b1",
                "space": DEAL,
                "kind": "work.delivered",
                "by": JAMES,
                "device": "dev-1apt0pcdefghjkmnpqrstvwxyz",
                "seq": 7,
                "lamport": 19,
                "at": "2026-12-01T09:00:00Z",
                "status": "pending",
                "reason": None,
                "delivery": "local",
                "places": [],
                "seen": False,
                "final": False,
            }
        ],
    },
    "serving": {"at": "http://127.0.0.1:7413", "peers": []},
    "contest": {
        "id": DEAL,
        "contested": True,
        "histories": [
            {
                "first": "b5bb9d8014a0f9b1d61e21e796",
                "last": "d78dccdf1352f23cd32812f485",
                "device": "dev-1apt0pcdefghjkmnpqrstvwxyz",
                "stands": True,
                "movements": [
                    {
                        "event": "d78dccdf1352f23cd32812f485",
                        "kind": "money.released",
                        "milestone": 1,
                        "amount": eur("600"),
                        "at": "2026-12-15T14:00:00Z",
                    }
                ],
                "named": [{"person": JAMES, "last": "d78dccdf1352f23cd32812f485"}],
            }
        ],
    },
    "doctor": {
        "checks": [
            {"name": "home", "ok": True, "value": "~/.local/share/chaise", "origin": "default", "hint": ""},
            {"name": "clock", "ok": False, "value": "10 years off", "origin": "peer", "hint": "set the clock"},
        ]
    },
}
