"""Views of what stands on a board, and of this home: identity, board, profile, service, post."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.render.document import Block, Cell, Column, Fields, Prose, View
from chaise_cli.render.eye import Eye, handle, identified, money, money_range, named

if TYPE_CHECKING:
    from chaise_cli.shapes import Board, Identity, Post, Profile, Rate, Reliability, Reputation, Service


def _identity_row(identity: Identity, eye: Eye) -> list[Cell]:
    return [eye.ids(identity["id"]), handle(identity), identity["name"], identity["role"]]


def _identity_page(identity: Identity, eye: Eye) -> list[Block]:
    device = identity["device"]
    pairs = [
        ("id", identity["id"]),
        ("handle", handle(identity)),
        ("name", identity["name"]),
        ("role", identity["role"]),
        ("currency", identity["currency"] or ""),
        ("zone", identity["tz"]),
        ("device", identified([device["name"]], device["id"], eye)),
        ("home", identity["home"]),
        ("unlocked", f"until {eye.when(identity['unlocked_until'])}" if identity["unlocked_until"] else ""),
        ("recovery", identity.get("recovery_file", "")),
    ]
    return [Fields(pairs)]


def _board_row(board: Board, eye: Eye) -> list[Cell]:
    return [eye.ids(board["id"]), board["name"], str(board["members"]), ", ".join(board["at"])]


def _board_page(board: Board, _eye: Eye) -> list[Block]:
    pairs = [
        ("board", board["id"]),
        ("name", board["name"]),
        ("members", str(board["members"])),
        ("syncs with", "\n".join(board["at"])),
        ("invite", board.get("invite", "")),
    ]
    return [Fields(pairs)]


def _rates(rates: list[Rate]) -> str:
    return ", ".join(f"{money(rate['price'])} per {rate['per']}" for rate in rates)


def _profile_row(profile: Profile, _eye: Eye) -> list[Cell]:
    rates = _rates(profile["rates"][:1])
    figures = profile.get("reputation")
    words = [handle(profile["person"]), profile["headline"], ", ".join(profile["skills"])]
    return [*words, rates, _stars(figures), str(figures["paid_deals"]) if figures else "", profile["location"]]


def _stars(figures: Reputation | None) -> str:
    """`4.8 of 5 (3)`: the average, halves rounded up, of so many reviews."""
    if figures is None or figures["stars_x100"] is None:
        return ""
    return f"{_average(figures['stars_x100'])} of 5 ({figures['reviews']})"


def _average(stars_x100: int) -> str:
    tenths = (stars_x100 + 5) // 10
    return f"{tenths // 10}.{tenths % 10}"


def _standing(figures: Reputation | None) -> list[tuple[str, str]]:
    """What paid deals did for somebody, and who held the money of those deals."""
    if figures is None:
        return []
    reviews, paid, average = figures["reviews"], figures["paid_deals"], figures["stars_x100"]
    many = "1 review" if reviews == 1 else f"{reviews} reviews"
    secured, own = figures["secured_deals"], figures["self_paid_deals"]
    again = f"{figures['recommended']} of {reviews} would again" if figures["recommended"] else ""
    held = [f"{secured} secured by a third party"] if secured else []
    held += [f"{own} self-paid: a side held the money itself, nobody else saw it move"] if own else []
    return [
        ("stars", f"{_average(average)} of 5 in {many}" if average is not None else ""),
        ("recommended", again),
        ("paid deals", "\n".join([str(paid), *held]) if paid else ""),
    ]


def _calls(figures: Reliability | None) -> str:
    """How somebody keeps to calls, by our own deals alone."""
    if figures is None:
        return ""
    counts = [(figures["met"], "met"), (figures["missed"], "missed"), (figures["late"], "cancelled late or lost")]
    return ", ".join(f"{count} {word}" for count, word in counts if count)


def _profile_page(profile: Profile, eye: Eye) -> list[Block]:
    pairs = [
        ("person", named(profile["person"], eye)),
        ("headline", profile["headline"]),
        ("skills", ", ".join(profile["skills"])),
        ("rates", _rates(profile["rates"])),
        ("location", profile["location"]),
        ("zone", profile["tz"]),
        ("links", "\n".join(profile["links"])),
        ("email", profile["email"] or ""),
        *_standing(profile.get("reputation")),
        ("calls", _calls(profile.get("reliability"))),
    ]
    return [Fields(pairs), *_prose("About", profile["bio"])]


def _service_row(service: Service, eye: Eye) -> list[Cell]:
    days = "" if service["days"] is None else str(service["days"])
    who = handle(service["person"])
    return [eye.ids(service["id"]), service["title"], money(service["price"]), days, who, ", ".join(service["skills"])]


def _service_page(service: Service, eye: Eye) -> list[Block]:
    pairs = [
        ("service", service["id"]),
        ("title", service["title"]),
        ("state", service.get("state", "")),
        ("kind", service["kind"]),
        ("person", named(service["person"], eye)),
        ("price", money(service["price"])),
        ("days", "" if service["days"] is None else str(service["days"])),
        ("skills", ", ".join(service["skills"])),
    ]
    return [Fields(pairs), *_prose("Description", service.get("description", ""))]


def _budget(post: Post) -> str:
    return money_range(post["budget"]["min"], post["budget"]["max"])


def _post_row(post: Post, eye: Eye) -> list[Cell]:
    due = eye.due(post["deadline"], post.get("tz"))
    skills = ", ".join(post["skills"])
    return [eye.ids(post["id"]), post["title"], _budget(post), due, handle(post["client"]), post["state"], skills]


def _post_page(post: Post, eye: Eye) -> list[Block]:
    pairs = [
        ("post", post["id"]),
        ("title", post["title"]),
        ("state", post["state"]),
        ("kind", post["kind"]),
        ("skills", ", ".join(post["skills"])),
        ("budget", _budget(post)),
        ("deadline", eye.deadline(post["deadline"], post.get("tz"))),
        ("location", post["location"]),
        ("client", named(post["client"], eye)),
        ("board", eye.ids(post["board"])),
        ("deals", str(post["deals"]) if post["deals"] else ""),
        ("version", str(post["version"]) if post["version"] > 1 else ""),
    ]
    return [Fields(pairs), *_prose("Brief", post["brief"])]


def _prose(title: str, text: str) -> list[Block]:
    return [Prose(title, text)] if text else []


_IDENTITY: Final = [Column("ID"), Column("HANDLE", flex=True), Column("NAME", flex=True), Column("ROLE")]
_BOARD: Final = [Column("BOARD"), Column("NAME", flex=True), Column("MEMBERS", right=True), Column("AT", flex=True)]
_PROFILE: Final = [
    Column("TALENT", flex=True),
    Column("HEADLINE", flex=True),
    Column("SKILLS", flex=True, drop=1),
    Column("FROM", right=True),
    Column("STARS"),
    Column("PAID DEALS", right=True),
    Column("LOCATION", flex=True, drop=2),
]
_SERVICE: Final = [
    Column("SERVICE"),
    Column("TITLE", flex=True),
    Column("PRICE", right=True),
    Column("DAYS", right=True),
    Column("TALENT", flex=True),
    Column("SKILLS", flex=True, drop=1),
]
_POST: Final = [
    Column("POST"),
    Column("TITLE", flex=True),
    Column("BUDGET", right=True),
    Column("DEADLINE"),
    Column("CLIENT", flex=True, drop=1),
    Column("STATE", drop=2),
    Column("SKILLS", flex=True, drop=3),
]

VIEWS: Final = {
    "identity": View(lambda _eye: _IDENTITY, _identity_row, _identity_page, "no identity"),
    "board": View(lambda _eye: _BOARD, _board_row, _board_page, "no boards: chaise board create, or chaise board join"),
    "profile": View(lambda _eye: _PROFILE, _profile_row, _profile_page, "no profiles here yet"),
    "service": View(lambda _eye: _SERVICE, _service_row, _service_page, "no services here yet"),
    "post": View(lambda _eye: _POST, _post_row, _post_page, "no posts here yet"),
}
