"""Every verb answers with what `chaise schema` says: a whole hire is played, and each result is held against it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any, Final
from unittest import mock

import pytest

from chaise_cli.domain import booking_acts
from chaise_cli.domain.body import replace
from chaise_cli.domain.booking import Slot
from chaise_cli.result import VERBS
from chaise_cli.shapes import SHAPES
from tests.e2e.hired import fund, settle
from tests.e2e.people import Answer, Person, exchange
from tests.e2e.several import code_of, knocks
from tests.fakes.calendar_servers import PASSWORD, USER, Fake, Visitor
from tests.fakes.relay_process import RelayProcess
from tests.fakes.sim_process import SimProcess

PROMISED: Final = {  # the table of the product's page: more may be added, none of these may go
    "money": "minor currency text",
    "person": "id handle name",
    "identity": "id handle name role currency tz device{id name} home unlocked_until recovery_file",
    "board": "id name at members invite",
    "profile": "id person headline bio skills rates location links tz email",
    "service": "id person title kind price days skills",
    "post": "id board title kind skills budget{min max} deadline location brief client version state deals",
    "deal": "id post client talent agent agent_device secured currency terms_hash cover valid_until final state "
    "milestones totals{funded held released refunded disputed reversed} may",
    "milestone": "id deal n title amount due criteria final state funded held released refunded payable paid_out "
    "reversed review_deadline files may op",
    "op": "id request_id kind amount total to state ref grant",
    "grant": "id deal name by can milestone max per_day spent until approvals approved{by milestone total} "
    "delivered_for_ms policy state final file",
    "file": "name size digest fetched",
    "journal_entry": "at text ref postings{account amount}",
    "booking": "id deal organizer attendees final start end tz url uid sequence turn offers slots state",
    "message": "id deal by at text files",
    "review": "id deal by about stars recommend text state secured agent self_paid",
    "balance": "currency funded held released refunded disputed payable paid_out reversed",
    "balance_by": "deal person month currency funded held released refunded disputed payable paid_out reversed",
    "reconciliation": "rail since until agreed unbooked{at ref kind amount cost text} unshown "
    "differing own sums{currency statement book difference}",
    "statement": "lines attested{line booked amount text party ref ops why} known unmatched due",
    "inbox_item": "id deal kind text at waits_for until next",
    "agenda_item": "at tz kind of consequence",
    "log_entry": "id space kind by device seq lamport at status reason delivery",
    "calendar_copy": "uid calendar booking did start end command",
    "pushed_calendar": "url user private entries changed pushed_at pulled_at",
    "place": "peer kind auto synced_at boards spaces unsent problem caught",
    "calendar": "name kind where tentative email every read_at until entries skipped busy stale problem",
    "sync": "peers{peer sent received rejected state problems}",
    "sim": "url store control",
    "round": "consented moved declined reversed problems",
    "relay": "url relay store invite invite_id withdrawn",
    "relay_entry": "id",
    "sync_status": "spaces{space kind events local placed seen pending oldest} events{delivery places seen final}",
    "serving": "at peers",
    "verify": "events spaces balances problems",
    "contest": "id contested histories{first last device stands movements named}",
    "doctor": "checks{name ok value origin hint}",
    "availability": "zone hours{day hours} days{day hours} "
    "calls{name lengths step before after notice window per_day per_week place}",
    "free_slot": "start end tz theirs",
}
SOMETIMES: Final = {  # promised, but not in every object
    "identity": {"recovery_file"},
    "board": {"invite"},
    "milestone": {"op"},
    "grant": {"file"},
}

KINDS: Final = {
    str: "string", int: "integer", bool: "boolean", type(None): "null", list: "array", dict: "object",
}  # fmt: skip


class Watched(Person):
    """A person all of whose results are kept."""

    def __init__(self, folder: Path, handle: str, heard: list[dict[str, Any]], **settings: str) -> None:
        self.heard = heard
        super().__init__(folder, handle, **settings)

    def run(self, *argv: str, **more: Any) -> Answer:
        answer = super().run(*argv, **more)
        if answer.out and "schema" in answer.json:
            self.heard.append(answer.json)
        return answer


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The results of a play in which every verb has its turn."""
    folder, results = tmp_path_factory.mktemp("play"), list[dict[str, Any]]()
    lisa = Watched(folder, "lisa", results, role="client", tz="Europe/Berlin", email="lisa@example.org")
    james = Watched(folder, "james", results, role="talent", tz="America/New_York")
    _ground(lisa, james)
    post = _people(lisa, james)
    deal = _talk(lisa, james, post)
    _calls(lisa, james, deal)
    _calendar(lisa, deal)
    _terms(lisa, james, deal)
    _work(lisa, james, deal)
    _look(lisa, james, deal)
    _trust(lisa, james, deal)
    _devices(lisa)
    _relay(lisa, folder)
    _sim(lisa, folder)
    return results


def _ground(lisa: Person, james: Person) -> None:
    lisa.does("whoami")
    lisa.does("unlock")
    lisa.does("whoami")
    lisa.does("lock")
    lisa.run("doctor", "--json")
    lisa.does("board", "create", "marketing")
    james.does("board", "join", "-", stdin=lisa.does("board", "invite")["invite"])
    exchange(lisa, james)
    lisa.does("boards")
    lisa.does("device", "renew")


def _people(lisa: Person, james: Person) -> str:
    james.does(
        "profile", "--headline", "Fast", "--rate", "80EUR/hour", "--skill", "seo", "--link", "https://james.example"
    )
    service = james.does("service", "Check-up", "--price", "400EUR", "--days", "5", "--skill", "seo")
    post = lisa.does("post", "Campaign", "--budget", "1500..2500EUR", "--deadline", "2026-12-20")
    other = lisa.does("post", "Banner")
    exchange(lisa, james)
    lisa.does("talents")
    lisa.does("profile", "@james")
    lisa.does("services")
    lisa.does("posts")
    for shown in (service["id"], post["id"], post["board"], "@james"):
        lisa.does("show", shown)
    lisa.does("wait", post["id"], "--until", "open", "--timeout", "0")
    invited = lisa.does("invite", other["id"], "@james")
    exchange(lisa, james)
    james.does("decline", invited["id"], "--reason", "too small")
    exchange(lisa, james)
    lisa.does("close", other["id"])
    return str(post["id"])


def _talk(lisa: Person, james: Person, post: str) -> str:
    proposed = james.does("propose", post, "--milestone", "Setup=600EUR@2026-12-01", "--milestone", "Run=1400EUR")
    deal = str(proposed["id"])
    settle(lisa, james)
    lisa.does("deals", post)
    lisa.does("shortlist", deal)
    (lisa.folder / "brief.txt").write_text("more of it")
    said = lisa.does("message", deal, "Could you?", "--file", str(lisa.folder / "brief.txt"))
    settle(lisa, james)
    james.does("messages")
    james.does("show", said["id"])
    james.does("inbox")
    return deal


def _calls(lisa: Person, james: Person, deal: str) -> None:
    james.does("availability", "--set", "-", stdin=james.run("availability", "--toml").out)
    james.does("availability", "--share", deal)
    settle(lisa, james)
    lisa.does("book", deal, "--slots")
    offers = [
        lisa.does("book", deal, "--at", f"2026-11-2{day} 15:00", "--note", "Hello")["id"] for day in (3, 4, 5, 6, 7)
    ]
    settle(lisa, james)
    declined, withdrawn, cancelled, moved, missed = offers
    lost = lisa.does("book", deal, "--at", "2026-11-27 15:15")["id"]
    settle(lisa, james)
    james.does("decline", declined, "--reason", "away")
    lisa.does("withdraw", withdrawn)
    for one in (cancelled, moved, missed):
        james.does("accept", one)
    with mock.patch.object(booking_acts, "_free"):  # as another device does that has not heard of the others
        james.does("accept", lost)
    settle(lisa, james)
    lisa.does("cancel", cancelled, "--reason", "ill")
    lisa.does("book", moved, "--at", "2026-11-26 17:00", "--every", "week", "--times", "2")
    with mock.patch.object(booking_acts, "slot_at", _by_older_zone_data):
        lisa.does("book", deal, "--at", "2026-11-29 15:00")
    settle(lisa, james)
    james.does("show", moved)
    james.does("wait", moved, "--until", "confirmed", "--timeout", "0")
    james.does("accept", moved)
    lisa.does("agenda")
    (lisa.folder / "work.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    lisa.does("calendar", "add", str(lisa.folder / "work.ics"))
    lisa.does("calendar", "refresh")
    lisa.does("calendars")
    lisa.does("calendar", "remove", "work")
    lisa.now = james.now = "2026-11-28T12:00:00Z"
    lisa.does("book", missed, "--no-show", "talent")
    settle(lisa, james)
    james.does("book", missed, "--met")
    settle(lisa, james)
    lisa.does("bookings")


def _calendar(lisa: Person, deal: str) -> None:
    lisa.does("book", deal, "--at", "2026-12-03 15:00")
    (lisa.folder / "password").write_text(PASSWORD)
    with Fake().serving() as server:
        url, given = f"{server.base}calls/", ("--user", USER, "--password-file", str(lisa.folder / "password"))
        for item in lisa.does("calendar", "push", url, *given):
            Visitor(url).edit(item["uid"], r"^(DTSTART;TZID=Europe/Berlin:2026....T..)00", r"\g<1>10")
        assert any(item["command"] for item in lisa.does("calendar", "pull"))
        lisa.does("calendars", "--pushed")
        lisa.does("calendar", "forget", url)


_SLOT_AT: Final = booking_acts.slot_at


def _by_older_zone_data(start: int, *more: Any) -> Slot:
    """A slot as zone data that was an hour off would have given it."""
    return replace(_SLOT_AT(start, *more), start=start - 3_600_000, tzdata="2020a")


def _terms(lisa: Person, james: Person, deal: str) -> None:
    lisa.does("hire", deal, "--milestone", "Setup=600EUR@2026-12-01", "--milestone", "Run=1400EUR@2026-12-15")
    settle(lisa, james)
    terms = james.does("show", deal, "--terms", "--diff")["terms_hash"]
    james.does("decline", deal, "--reason", "one more round")
    settle(lisa, james)
    lisa.does("withdraw", lisa.does("hire", deal, "--criterion", "1=it runs")["id"])
    terms = lisa.does("hire", deal, "--criterion", "1=it runs", "--milestone", "Setup=600EUR@2026-12-01",
                      "--milestone", "Run=1400EUR@2026-12-15", "--milestone", "More=10EUR")["terms_hash"]  # fmt: skip
    settle(lisa, james)
    james.does("accept", deal, "--terms", terms)
    settle(lisa, james)


def _grant(lisa: Person, james: Person, deal: str) -> None:
    limits = ("--max", "600EUR", "--per-day", "100EUR", "--until", "2026-12-31", "--delivered-for", "1h")
    approvals, out = ("--approvals", f"1of:{james.id}"), ("-o", str(lisa.folder / "ci.key"))
    made = lisa.does("grant", "create", "--can", "release", "--deal", deal, *limits, *approvals, *out)
    settle(lisa, james)
    james.does("grant", "approve", made["id"], "--total", "600EUR", "--milestone", "1")
    settle(lisa, james)
    lisa.does("show", made["id"])
    lisa.does("grants")
    lisa.does("grant", "revoke", made["id"])


def _work(lisa: Person, james: Person, deal: str) -> None:
    first, second, third = (f"{deal}/{n}" for n in (1, 2, 3))
    lisa.does("cancel", third)
    lisa.does("fund", first, "--dry-run")
    fund(lisa, first)
    fund(lisa, second, "1400.00 EUR")
    lisa.does("fund", deal, "--ref", "transfer 4711")
    settle(lisa, james)
    (james.folder / "site.txt").write_text("done")
    james.does("update", deal, "Tracking is in")
    james.does("update", first, "Nearly")
    james.does("deliver", first, "--file", str(james.folder / "site.txt"))
    settle(lisa, james)
    lisa.does("messages")
    lisa.does("files", deal)
    lisa.run("files", deal, "--fetch", str(lisa.folder / "here"), "--json")
    lisa.does("agenda")
    lisa.does("changes", first, "a pixel is missing")
    settle(lisa, james)
    james.does("deliver", first, "--note", "there it is")
    settle(lisa, james)
    released = _by_policy(lisa, james, first)
    _grant(lisa, james, deal)
    lisa.does("rail", "due")
    lisa.does("agent", "run", "--once")
    lisa.does("show", released["op"]["id"])
    lisa.does("wait", released["op"]["id"], "--until", "released", "--timeout", "0")
    lisa.does("rail", "attest", released["op"]["id"], "--ref", "transfer 4712")
    (lisa.folder / "bank.csv").write_text("date,amount,currency,reference\n2026-11-28,5.00,EUR,rent\n")
    lisa.does("rail", "attest", "--statement", str(lisa.folder / "bank.csv"))
    lisa.run("rail", "reconcile", "--statement", str(lisa.folder / "bank.csv"), "--json")
    for key in ("deal", "person", "month"):
        lisa.does("balance", "--by", key)
    lisa.does("cancel", second)
    lisa.does("withdraw", second)
    lisa.does("cancel", second)
    settle(lisa, james)
    james.does("decline", second)
    settle(lisa, james)
    lisa.does("cancel", second)
    settle(lisa, james)
    james.does("accept", second)
    james.does("refund", second, "--dry-run")
    settle(lisa, james)


def _by_policy(lisa: Person, james: Person, milestone: str) -> Any:
    """What was accepted in writing goes, and James judges the run again."""
    policy, cases, key = (lisa.folder / name for name in ("release.toml", "cases.toml", "id.pub"))
    policy.write_text(
        'version = 1\n[[rule]]\nmilestone = "1"\ntotal = "all"\nrequire = [{ file = "accept.json", equals = true }]\n'
    )
    cases.write_text('[[case]]\nname = "nothing"\nexpect = "wait"\n')
    key.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea lisa\n")
    lisa.run("policy", "check", str(policy), milestone, "--json")
    (lisa.folder / "accept.json").write_text("true")
    lisa.does("policy", "check", str(policy))
    lisa.does("policy", "test", str(policy), str(cases))
    lisa.does("policy", "key", milestone.partition("/")[0], str(key))
    released = lisa.does(
        "release", milestone, "--policy", str(policy), "--confirm", "600.00 EUR to @james", "--request-id", "r1"
    )
    lisa.does("show", released["op"]["run"])
    lisa.does("policy", "explain", released["op"]["run"])
    lisa.does("show", milestone.partition("/")[0])
    settle(lisa, james)
    james.run("policy", "explain", released["op"]["run"], "--json")
    return released


def _look(lisa: Person, james: Person, deal: str) -> None:
    for shown in (deal, f"{deal}/1", lisa.does("log")[0]["id"]):
        lisa.does("show", shown)
    for verb in ("deals", "inbox", "agenda", "balance", "journal", "verify"):
        lisa.does(verb)
    lisa.does("backup", str(lisa.folder / "backup"))
    other = {"CHAISE_HOME": str(lisa.folder / "other")}
    lisa.does("restore", str(lisa.folder / "backup"), "--key-file", str(lisa.key_file), "--no-sync", env=other)
    lisa.does("agent", "settle", deal)
    lisa.does("wait", deal, "--until", "closed", "--timeout", "0")
    lisa.does("wait", f"{deal}/1", "--until", "released", "--timeout", "0")
    lisa.run("sync", str(lisa.folder / "shared"), "--json")
    lisa.does("sync", "--status", "--all")
    lisa.does("peer", "serve", "--listen", "127.0.0.1:0", "--for", "0")
    (lisa.folder / "stick").mkdir()
    lisa.does("peer", "add", str(lisa.folder / "stick"))
    lisa.does("peers")
    lisa.does("peer", "remove", str(lisa.folder / "stick"))


def _trust(lisa: Person, james: Person, deal: str) -> None:
    mine = lisa.does("review", deal, "--stars", "5", "--recommend", "--text", "Great")
    james.does("review", deal, "--stars", "4")
    for _ in range(4):
        settle(lisa, james)
    lisa.does("show", mine["id"])
    lisa.does("reviews", deal)
    ada = Watched(lisa.folder, "ada", lisa.heard, role="client")  # type: ignore[attr-defined]
    ada.does("board", "join", "-", stdin=lisa.does("board", "invite")["invite"])
    exchange(lisa, james, ada)
    ada.does("reviews", "@james")
    ada.does("talents")


def _devices(lisa: Watched) -> None:
    place = lisa.folder / "shared"
    place.mkdir(exist_ok=True)
    lisa.does("sync", str(place))
    code = code_of(lisa)
    phone = Watched(lisa.folder, "phone", lisa.heard)
    knocks(lisa, phone, place, code, lambda: lisa.run("sync"))
    pocket = lisa.does("devices")[0]["id"]
    lisa.does("device", "rename", pocket, "pocket")
    lisa.does("agent", "move", lisa.does("deals")[0]["id"], "--to", pocket)
    lisa.does("agent", "move", "--all", "--to", pocket)
    lisa.does("sync")
    phone.does("sync")
    phone.does("message", lisa.does("deals")[0]["id"], "mine now")
    lisa.does("device", "revoke", pocket, "--recovery-file", str(lisa.recovery_file), "--no-sync")
    phone.run("sync", "--json")
    lisa.does("sync")
    assert [one["revoked"] for one in lisa.does("messages") if one["text"] == "mine now"] == [True]


def _sim(lisa: Person, folder: Path) -> None:
    with SimProcess(folder) as sim:
        lisa.heard.append(sim.result)  # type: ignore[attr-defined]


def _relay(lisa: Person, folder: Path) -> None:
    for verb in ("invite", "invites"):
        lisa.does("relay", verb, "--store", f"sqlite:{folder / 'relay.db'}")
    for store in ("memory:", f"sqlite:{folder / 'relay.db'}"):
        with RelayProcess(folder, store) as relay:
            lisa.heard.append(relay.result)  # type: ignore[attr-defined]


def verb_of(answer: dict[str, Any]) -> str:
    return str(answer["schema"]).removeprefix("chaise.").removesuffix("/1").replace("_", " ")


def as_list(data: Any) -> list[Any]:
    return data if isinstance(data, list) else [data]


class Schema:
    """What `chaise schema NAME` prints, read strictly: no key that it does not name."""

    def __init__(self, folder: Path, name: str) -> None:
        self.printed: dict[str, Any] = json.loads(Person(folder, "anyone").run("schema", name).out)
        self.object = self.printed
        if name in VERBS and name in SHAPES:  # the word means the command; its object is among the definitions
            self.object = self.printed["$defs"][SHAPES[name].__name__]

    def problems(self, value: Any, schema: Any, at: str = "") -> list[str]:
        """What keeps a value from being as the schema says."""
        schema = self.found(schema)
        if "const" in schema:
            return [] if value == schema["const"] else [f"{at}: {value!r}"]
        if "anyOf" in schema:
            each = [self.problems(value, one, at) for one in schema["anyOf"]]
            return min(each, key=len)
        if "type" in schema and schema["type"] != KINDS[type(value)]:
            return [f"{at}: {value!r} is no {schema['type']}"]
        if isinstance(value, list):
            return [bad for n, item in enumerate(value) for bad in self.problems(item, schema["items"], f"{at}/{n}")]
        return self._keys(value, schema, at) if "properties" in schema else []

    def found(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema behind a reference."""
        here: dict[str, Any] = schema
        if "$ref" in schema:
            here = self.printed["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        return here

    def _keys(self, value: dict[str, Any], schema: dict[str, Any], at: str) -> list[str]:
        named = schema["properties"]
        missing = [f"{at}/{key} is missing" for key in schema["required"] if key not in value]
        unknown = [f"{at}/{key} is unknown" for key in value if key not in named]
        inside = [self.problems(each, named[key], f"{at}/{key}") for key, each in value.items() if key in named]
        return [*missing, *unknown, *(bad for found in inside for bad in found)]


def test_every_verb_had_its_turn(heard: list[dict[str, Any]]) -> None:
    assert {verb_of(answer) for answer in heard} == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_what_a_verb_sends_is_what_its_schema_says(tmp_path: Path, heard: list[dict[str, Any]], verb: str) -> None:
    schema = Schema(tmp_path, verb)
    answers = [answer for answer in heard if verb_of(answer) == verb]
    for answer in answers:
        assert schema.problems(answer, schema.printed) == []
        assert answer["ok"] is ("error" not in answer)
    assert any(as_list(answer["data"]) for answer in answers), "an empty list proves nothing"


def test_every_shape_of_every_verb_and_every_key_of_every_shape_was_sent(
    tmp_path: Path, heard: list[dict[str, Any]]
) -> None:
    schemas = {shape: Schema(tmp_path, shape) for answer in VERBS.values() for shape in answer.shapes}
    seen, sent = set[tuple[str, str]](), defaultdict[str, set[str]](set)
    for answer in heard:
        items = as_list(answer["data"])
        for shape in VERBS[verb_of(answer)].shapes:
            if items and not any(schemas[shape].problems(item, schemas[shape].object) for item in items):
                seen.add((verb_of(answer), shape))
                sent[shape] |= {key for item in items for key in item}
    assert seen == {(verb, shape) for verb, answer in VERBS.items() for shape in answer.shapes}
    unsent = {shape: set(schema.object["properties"]) - sent[shape] for shape, schema in schemas.items()}
    assert {shape: keys for shape, keys in unsent.items() if keys} == {}


@pytest.mark.parametrize("shape", PROMISED)
def test_what_was_promised_is_in_the_schema(tmp_path: Path, shape: str) -> None:
    schema = Schema(tmp_path, shape)
    for key, inside in re.findall(r"(\w+)(?:{(.*?)})?", PROMISED[shape]):
        kind = schema.found(schema.object["properties"][key])
        assert (key in schema.object["required"]) is (key not in SOMETIMES.get(shape, set()))
        inner = schema.found(kind.get("items", kind)).get("properties", {})
        assert set(inside.split()) <= set(inner)


def test_the_schema_lists_all_names(tmp_path: Path) -> None:
    names = json.loads(Person(tmp_path, "anyone").run("schema").out)
    assert names["commands"] == sorted(VERBS)
    assert set(PROMISED) <= set(names["objects"])
    unknown = Person(tmp_path, "anyone").run("schema", "nothing")
    assert (unknown.exit, unknown.out) == (3, "")
    assert "[schema.unknown]" in unknown.err
