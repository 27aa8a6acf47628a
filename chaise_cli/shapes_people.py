"""The shapes of people, their devices and what they publish on boards; taken from `shapes`, like all others."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Money(TypedDict):
    """An amount; `text` is for people, `minor` counts the currency's smallest unit."""

    minor: int
    currency: str
    text: str


class Person(TypedDict):
    """An identity as others are shown it; the handle comes without its @."""

    id: str
    handle: str
    name: str


class Device(TypedDict):
    """One installation of an identity."""

    id: str
    name: str


class May(TypedDict):
    """Who may do what now; `until` is the instant the right ends, if it does."""

    who: str  # client, talent or agent
    verb: str
    until: str | None


class Next(TypedDict):
    """What somebody is expected to type next."""

    who: str
    command: str
    until: str | None


class Error(TypedDict):
    """A failure as scripts read it; `code` is stable, `message` is not."""

    code: str
    message: str
    hint: str
    retryable: bool
    details: dict[str, object]
    exit: int


class OwnDevice(TypedDict):
    """One device key of an identity, as its owner lists it."""

    id: str
    name: str
    kind: str  # admin (may certify others) or device
    since: str
    state: str  # this, active, former (a key this home used before) or revoked
    agent_of: int  # deals whose agent device it is
    seen: str | None  # the claimed time of its newest event held


class Pairing(TypedDict):
    """A code that lets one device in; the code itself is shown once and stands in no result."""

    until: str
    via: list[str]  # places where its message is looked for; besides, this home answers as a peer
    limited: bool
    code_file: str | None
    device: Device | None  # that was let in


class Identity(TypedDict):
    """Who this home is."""

    id: str
    handle: str
    name: str
    role: str
    currency: str | None
    tz: str
    device: Device
    home: str
    unlocked_until: str | None  # None: locked, or not needing to be unlocked
    recovery_file: NotRequired[str]  # init


class Board(TypedDict):
    """A marketplace space."""

    id: str
    name: str
    at: list[str]  # the places it syncs with
    members: int
    invite: NotRequired[str]  # board create, board invite: a secret


class Rate(TypedDict):
    """A price for a unit of work: hour, day, week, month or project."""

    price: Money
    per: str


class Reputation(TypedDict):
    """What reviews of paid deals say of somebody: those on our boards whose vouchers hold."""

    reviews: int  # about them
    stars_x100: int | None  # the average of the stars × 100; None without reviews
    recommended: int
    paid_deals: int
    secured_deals: int  # a third party held the money
    self_paid_deals: int  # one of the two sides held the money itself


class Reliability(TypedDict):
    """How somebody keeps to agreed calls, by the deals that this home holds."""

    met: int
    missed: int  # they were not there
    late: int  # cancelled by them within the notice, or as the talent lost to another call


class Profile(TypedDict):
    """What a member publishes about themselves."""

    id: str
    person: Person
    headline: str
    bio: str
    skills: list[str]
    rates: list[Rate]
    location: str
    links: list[str]
    tz: str
    email: str | None  # own, and from deals; never on a board
    reputation: NotRequired[Reputation | None]  # talents, and profiles that are looked at; None: no reviews here
    reliability: NotRequired[Reliability | None]  # profiles that are looked at; None: no such calls here


class Service(TypedDict):
    """Something offered at a price."""

    id: str
    person: Person
    title: str
    kind: str
    price: Money | None
    days: int | None
    skills: list[str]
    description: NotRequired[str]
    state: NotRequired[str]  # open, closed


class Budget(TypedDict):
    """What a client means to spend."""

    min: Money | None
    max: Money | None


class Post(TypedDict):
    """A project looking for somebody."""

    id: str
    board: str
    title: str
    kind: str
    skills: list[str]
    budget: Budget
    deadline: str | None
    tz: NotRequired[str]  # of the deadline
    location: str
    brief: str
    client: Person
    version: int
    state: str  # open, filled, closed, expired
    deals: int


class GrantApprovals(TypedDict):
    """How many of whom have to approve."""

    need: int
    of: list[Person]


class GrantApproved(TypedDict):
    """Up to which total somebody lets a grant's runs go in a milestone."""

    by: Person
    milestone: str
    total: Money


class Grant(TypedDict):
    """A key for automation, as limited as it is."""

    id: str
    deal: str
    name: str
    by: Person
    can: list[str]  # deliver, fund, refund, release
    milestone: str | None
    max: Money
    per_day: Money | None
    spent: Money  # moved, or still to be moved
    until: str | None
    approvals: GrantApprovals | None
    approved: list[GrantApproved]
    delivered_for_ms: int | None
    policy: str | None
    state: str  # active, used_up, expired, revoked
    final: bool
    file: NotRequired[str]  # only as it is made
