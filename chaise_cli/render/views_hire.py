"""Views of what happens between two people: deal, milestone, booking, message, review, file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import when
from chaise_cli.render.document import Block, Cell, Column, Fields, Prose, Table, View
from chaise_cli.render.eye import Eye, handle, money, named

if TYPE_CHECKING:
    from chaise_cli.shapes import (
        Attendee,
        Booking,
        Comparison,
        Deal,
        File,
        May,
        Message,
        Milestone,
        Op,
        Repeats,
        Review,
        Slot,
        Would,
    )


def _state(state: str, *, final: bool, contested: bool = False) -> str:
    if contested:
        return f"{state} (contested)"
    return state if final else f"{state} (not final)"


def _holder(deal: Deal) -> str:
    if deal["secured"]:
        return f"held by {handle(deal['agent'])}"
    if deal["state"] not in {"hired", "closed"}:  # whom terms on offer name is said where they are shown
        return "held by nobody before terms are signed"
    return "held by the client, not secured"


def _deal_row(deal: Deal, eye: Eye) -> list[Cell]:
    totals = deal["totals"]
    return [
        eye.ids(deal["id"]),
        _state(deal["state"], final=deal["final"], contested=deal["contested"]),
        deal.get("title", ""),
        handle(deal["client"]),
        handle(deal["talent"]),
        money(totals["held"]),
        money(totals["released"]),
    ]


def _deal_page(deal: Deal, eye: Eye) -> list[Block]:
    pairs = [
        ("deal", deal["id"]),
        ("state", _state(deal["state"], final=deal["final"], contested=deal["contested"])),
        ("title", deal.get("title", "")),
        ("post", eye.ids(deal["post"] or "")),
        ("client", named(deal["client"], eye)),
        ("talent", named(deal["talent"], eye)),
        ("agent", named(deal["agent"], eye)),
        ("money", _holder(deal)),
        ("valid until", eye.when(deal["valid_until"])),
        ("terms", deal["terms_hash"] or ""),
    ]
    blocks: list[Block] = [Fields(pairs)]
    if deal["milestones"]:
        blocks.append(Table(_STEPS, [_step_row(step, eye) for step in deal["milestones"]], "Milestones"))
    totals = [(name, money(amount)) for name, amount in _amounts(deal["totals"])]
    return [*blocks, Fields(totals, "Totals"), *_prose("Cover", eye.ids(deal["cover"])), *_may(deal["may"], eye)]


def _amounts(totals: Mapping[str, Any]) -> Sequence[tuple[str, Any]]:
    shown = [name for name in totals if name != "reversed" or totals[name]["minor"]]  # few ever see a chargeback
    return [(name.replace("_", " "), totals[name]) for name in shown]


def compared(deals: Sequence[Mapping[str, Any]], eye: Eye) -> Table:
    """Proposals beside each other: total against budget, last due date against deadline, paid reviews."""
    return Table(_COMPARED, [_compared_row(deal, deal["compare"], eye) for deal in deals])


def _compared_row(deal: Mapping[str, Any], compare: Comparison, eye: Eye) -> list[Cell]:
    due = compare["last_due"]
    zone = next((step.get("tz") for step in deal["milestones"] if step["due"] == due), None)
    late = ", after the deadline" if compare["after_deadline"] else ""
    return [
        eye.ids(deal["id"]),
        handle(deal["talent"]),
        money(compare["total"]),
        _against(compare),
        eye.due(due, zone) + late,
        str(compare["paid_reviews"]),
        _state(deal["state"], final=deal["final"]),
    ]


def _against(compare: Comparison) -> str:
    """The total beside the post's budget; nothing where there is nothing to compare."""
    over, total = compare["over_budget"], compare["total"]
    if over:
        return f"over by {money(over)}"
    most = compare.get("budget")
    if not total["currency"] or most is None:
        return ""
    return "within" if most["currency"] == total["currency"] else f"is in {most['currency']}"


def _step_row(step: Milestone, eye: Eye) -> list[Cell]:
    due = eye.due(step["due"], step.get("tz"))
    state = _state(step["state"], final=step["final"])
    amounts = [money(step["amount"]), money(step["held"]), money(step["released"])]
    return [str(step["n"]), step["title"], amounts[0], due, state, *amounts[1:]]


def _milestone_row(step: Milestone, eye: Eye) -> list[Cell]:
    return [eye.ids(step["id"]), *_step_row(step, eye)[1:]]


def _milestone_page(step: Milestone, eye: Eye) -> list[Block]:
    pairs = [
        ("milestone", step["id"]),
        ("title", step["title"]),
        ("state", _state(step["state"], final=step["final"])),
        ("amount", money(step["amount"])),
        ("due", eye.deadline(step["due"], step.get("tz"))),
        *((name, money(amount)) for name, amount in _moved(step)),
        ("review until", eye.when(step["review_deadline"])),
        *_op_pairs(step.get("op"), eye, rehearsed="would" in step),
        *_would_pairs(step.get("would"), eye),
    ]
    criteria = "\n".join(f"- {criterion}" for criterion in step["criteria"])
    blocks: list[Block] = [Fields(pairs), *_prose("Criteria", criteria)]
    if step["files"]:
        blocks.append(Table(_FILES, [_file_row(file, eye) for file in step["files"]], "Files"))
    return [*blocks, *_may(step["may"], eye)]


def _moved(step: Mapping[str, Any]) -> list[tuple[str, Any]]:
    names = ("funded", "held", "released", "refunded", "payable", "paid_out", "reversed")
    return [(name.replace("_", " "), step[name]) for name in names if step[name]["minor"] or name in ("funded", "held")]


def _op_pairs(op: Op | None, eye: Eye, *, rehearsed: bool) -> list[tuple[str, str]]:
    if op is None:
        return []
    name = "before" if eye.again else "would be" if rehearsed else "this call"
    return [(name, f"{moving(op)}: {op['state']}"), ("reference", op["ref"] or "")]


def moving(op: Op) -> str:
    """What an operation moves: `release 600.00 EUR to @james`, `fund 600.00 EUR held by @lisa`."""
    where = "held by" if op["kind"] == "fund" else "to"
    return f"{op['kind']} {money(op['amount'])}" + (
        f" {where} {handle(op['to']) or op['to']['id']}" if op["to"] else ""
    )


def rehearsed(items: Sequence[Mapping[str, Any]], eye: Eye) -> list[Block]:
    """What a rehearsal of a call on a whole deal would do; the same stands beside each of its milestones."""
    return [Fields(_would_pairs(items[0]["would"], eye))] if items and "would" in items[0] else []


def _would_pairs(would: Would | None, eye: Eye) -> list[tuple[str, str]]:
    """What a rehearsal would sign and book."""
    if would is None:
        return []
    lines = [
        f"{money(posting['amount'])} {eye.ids(posting['account'])}"
        for entry in would["entries"]
        for posting in entry["postings"]
    ]
    moved = would["confirm"] or "nothing"
    return [("would move", moved), ("would sign", "\n".join(would["kinds"])), ("would book", "\n".join(lines))]


def _booking_times(start: str | None, booking: Booking, eye: Eye) -> tuple[str, ...]:
    """One line per zone of the people in the call, the reader's own first."""
    if start is None:
        return ("no time stands",)
    people = [booking["organizer"], *booking["attendees"]]
    zones = dict.fromkeys([eye.tz, *(person["tz"] for person in people if "tz" in person), booking["tz"]])
    return tuple(when.one_zone(when.read_instant(start), tz) for tz in zones)


def _booking_row(booking: Booking, eye: Eye) -> list[Cell]:
    others = " ".join(handle(person) for person in _others(booking, eye.me or booking["organizer"]["id"]))
    state = _state(booking["state"], final=booking["final"])
    times = _booking_times(booking["start"], booking, eye)
    if "repeats" in booking:
        times = (*times, f"and {len(booking['repeats']['starts']) - 1} times more")
    return [eye.ids(booking["id"]), times, state, others, eye.ids(booking["deal"])]


def _repeats(repeats: Repeats | None, booking: Booking, eye: Eye) -> str:
    """How often, how many times and until when a check-in comes again."""
    if repeats is None:
        return ""
    days, count = repeats["days"], len(repeats["starts"])
    step = {1: "every day", 7: "every week"}.get(days, f"every {days} days")
    return f"{step}, {count} times, the last on {_booking_times(repeats['starts'][-1], booking, eye)[0]}"


def _would_repeat(booking: Booking, eye: Eye) -> str:
    if "repeats" in booking and "move" in booking and "move_repeats" not in booking:
        return "no: one call in the place of all times"
    return _repeats(booking.get("move_repeats"), booking, eye)


def _skipped(booking: Booking, eye: Eye) -> str:
    skipped = booking["repeats"]["skipped"] if "repeats" in booking else []
    return "\n".join(_booking_times(start, booking, eye)[0] for start in skipped)


def _others(booking: Booking, *known: str) -> list[Attendee]:
    """Those in the call who are not known to the reader anyway."""
    return [person for person in booking["attendees"] if person["id"] not in known]


def _booking_page(booking: Booking, eye: Eye) -> list[Block]:
    pairs = [
        ("booking", booking["id"]),
        ("state", _state(booking["state"], final=booking["final"])),
        ("outcome", "contested by the other side" if booking.get("contested") else ""),
        ("missing", named(booking.get("missing"), eye)),
        ("reason", (booking.get("reason") or "") + (" (late)" if booking.get("late") else "")),
        ("words", booking.get("why", "")),
        ("ended by", named(booking.get("ended_by"), eye)),
        ("start", "\n".join(_booking_times(booking["start"], booking, eye))),
        ("lasts", _length(booking["start"], booking["end"])),
        ("repeats", _repeats(booking.get("repeats"), booking, eye)),
        ("left out", _skipped(booking, eye)),
        ("would repeat", _would_repeat(booking, eye)),
        ("organizer", named(booking["organizer"], eye)),
        ("with", "\n".join(named(person, eye) for person in _others(booking, eye.me, booking["organizer"]["id"]))),
        ("call link", booking["url"] or ""),
        ("note", booking.get("note", "")),
        ("turn", _turn(booking, eye)),
        ("offers", str(booking["offers"])),
        ("deal", eye.ids(booking["deal"])),
    ]
    blocks: list[Block] = [Fields(pairs)]
    for title, slots in (("Offered times", booking["slots"]), ("Offered move", booking.get("move", []))):
        if slots:
            blocks.append(Table(_SLOTS, [_slot_row(slot, booking, eye) for slot in slots], title))
    return blocks


def _turn(booking: Booking, eye: Eye) -> str:
    """Who is to answer, and until when."""
    until = booking.get("until")
    if not booking["turn"] or not until:
        return booking["turn"] or ""
    return f"{booking['turn']}, {'was due' if booking.get('lapsed') else 'until'} {eye.when(until)}"


def _slot_row(slot: Slot, booking: Booking, eye: Eye) -> list[Cell]:
    times = _booking_times(slot["start"], booking, eye)
    return [str(slot["n"]), times, _length(slot["start"], slot["end"])]


def _length(start: str | None, end: str | None) -> str:
    if start is None or end is None:
        return ""
    return when.duration_text(when.read_instant(end) - when.read_instant(start))


_MARKS: Final = {"branch": "other history", "revoked": "a revoked device"}


def _message_row(message: Message, eye: Eye) -> list[Cell]:
    marks = [words for key, words in _MARKS.items() if message.get(key)]
    who = handle(message["by"]) + (f" ({', '.join(marks)})" if marks else "")
    return [eye.at(message["at"]), who, message["text"], str(len(message["files"]) or "")]


def _message_page(message: Message, eye: Eye) -> list[Block]:
    pairs = [
        ("message", message["id"]),
        ("from", named(message["by"], eye)),
        ("device", "revoked" if message.get("revoked") else ""),
        ("at", eye.when(message["at"])),
        ("deal", eye.ids(message["deal"])),
        ("files", "\n".join(file["name"] for file in message["files"])),
        ("history", "its device also wrote another one here" if message.get("branch") else ""),
    ]
    return [Fields(pairs), *_prose("Text", message["text"])]


def _stars(review: Review) -> str:
    if review["stars"] is None:
        return "withheld" if review.get("withheld") else "sealed"
    return f"{review['stars']} of 5"


def _review_money(review: Review) -> str:
    """Who held the money of the deal; on a board the voucher says it."""
    held = f"held by {handle(review['agent'])}, {'secured' if review['secured'] else 'not secured'}"
    return f"self-paid: {held}" if review["self_paid"] else held


def _review_row(review: Review, eye: Eye) -> list[Cell]:
    held = "self-paid, not secured" if review["self_paid"] else _review_money(review)
    who = [handle(review["by"]), handle(review["about"])]
    return [eye.ids(review["id"]), *who, _stars(review), review["text"], held]


def _review_page(review: Review, eye: Eye) -> list[Block]:
    recommend = {True: "yes", False: "no", None: ""}[review["recommend"]]
    pairs = [
        ("review", review["id"]),
        ("by", named(review["by"], eye)),
        ("about", named(review["about"], eye)),
        ("state", review["state"]),
        ("stars", "" if review["stars"] is None else _stars(review)),
        ("recommend", recommend),
        ("money", _review_money(review)),
        ("vouched by", named(review["agent"], eye) if review.get("vouched", True) else ""),
        ("withheld", "sealed still, though the other side's is open" if review.get("withheld") else ""),
        ("deal", eye.ids(review["deal"] or "")),
    ]
    return [Fields(pairs), *_prose("Text", review["text"])]


def _file_row(file: File, _eye: Eye) -> list[Cell]:
    content = "here" if file["fetched"] else "not fetched"
    return [file["name"], f"{file['size']:,} B".replace(",", " "), content, file["digest"]]


def _file_page(file: File, eye: Eye) -> list[Block]:
    name, size, fetched, digest = (str(cell) for cell in _file_row(file, eye))
    return [Fields([("file", name), ("size", size), ("content", fetched), ("digest", digest)])]


def _may(rights: list[May], eye: Eye) -> list[Block]:
    if not rights:
        return []
    rows = [[right["who"], right["verb"], eye.when(right["until"])] for right in rights]
    return [Table([Column("WHO"), Column("MAY"), Column("UNTIL")], rows, "Now")]


def _prose(title: str, text: str) -> list[Block]:
    return [Prose(title, text)] if text else []


_DEAL: Final = [
    Column("DEAL"),
    Column("STATE"),
    Column("TITLE", flex=True, drop=1),
    Column("CLIENT", flex=True),
    Column("TALENT", flex=True),
    Column("HELD", right=True),
    Column("RELEASED", right=True),
]
_COMPARED: Final = [
    Column("DEAL"),
    Column("TALENT", flex=True),
    Column("TOTAL", right=True),
    Column("BUDGET", wrap=True),
    Column("LAST DUE", wrap=True),
    Column("REVIEWS", right=True),
    Column("STATE", drop=1),
]
_AFTER: Final = [
    Column("TITLE", flex=True),
    Column("AMOUNT", right=True),
    Column("DUE"),
    Column("STATE"),
    Column("HELD", right=True),
    Column("RELEASED", right=True, drop=1),
]
_STEPS: Final = [Column("N", right=True), *_AFTER]
_MILESTONE: Final = [Column("MILESTONE"), *_AFTER]
_SLOTS: Final = [Column("SLOT", right=True), Column("START"), Column("LASTS", right=True)]
_FILES: Final = [Column("FILE", flex=True), Column("SIZE", right=True), Column("CONTENT"), Column("DIGEST", flex=True)]
_BOOKING: Final = [
    Column("BOOKING"),
    Column("START"),
    Column("STATE"),
    Column("WITH", flex=True),
    Column("DEAL", drop=1),
]
_REVIEW: Final = [
    Column("REVIEW", drop=2),
    Column("BY", flex=True),
    Column("ABOUT", flex=True),
    Column("STARS"),
    Column("TEXT", wrap=True),
    Column("MONEY", flex=True, drop=1),
]


def _message_columns(eye: Eye) -> list[Column]:
    return [Column(eye.column("AT")), Column("FROM", flex=True), Column("TEXT", wrap=True), Column("FILES", right=True)]


VIEWS: Final = {
    "deal": View(lambda _eye: _DEAL, _deal_row, _deal_page, "no deals yet"),
    "milestone": View(lambda _eye: _MILESTONE, _milestone_row, _milestone_page, "no milestones"),
    "booking": View(lambda _eye: _BOOKING, _booking_row, _booking_page, "no calls booked"),
    "message": View(_message_columns, _message_row, _message_page, "no messages yet"),
    "review": View(lambda _eye: _REVIEW, _review_row, _review_page, "no reviews yet"),
    "file": View(lambda _eye: _FILES, _file_row, _file_page, "no files yet"),
}
