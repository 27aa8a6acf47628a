"""The objects commands answer with, key by key: the authority for `--json`, `chaise schema` and CSV columns.

Apart from `result`, since building these classes costs a fifth of a bare start: commands and queries
import them for type checking alone, only `schema` and `--csv` read them at run time. Keys are added,
never renamed. An id is the public form (`deal-` and 26 characters); an instant is RFC 3339 UTC text;
what is not there is None, never a missing key, unless it is marked NotRequired. Promised in
docs/spec/results.md.
"""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict


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


class Totals(TypedDict):
    """A deal's money, over all its milestones."""

    funded: Money
    held: Money
    released: Money
    refunded: Money
    disputed: Money


class Comparison(TypedDict):
    """A proposal against its post, as `deals POST` lists it."""

    total: Money  # without a currency when no amount was proposed
    over_budget: Money | None  # by how much it passes the budget's max
    last_due: str | None
    after_deadline: bool
    paid_reviews: int
    budget: NotRequired[Money | None]  # the most that the post would pay


class Part(TypedDict):
    """A milestone as the terms have it."""

    n: int
    title: str
    amount: Money
    due: str | None
    criteria: list[str]
    revisions: int | None  # rounds of changes; None: any number
    tz: NotRequired[str]  # of the due date


class Terms(TypedDict):
    """The contract text, offered or signed. Fees are in basis points, lengths in milliseconds."""

    client: Person
    talent: Person
    agent: Person
    agent_device: str
    arbiter: Person | None
    currency: str
    total: Money
    milestones: list[Part]
    client_fee: int
    talent_fee: int
    review_ms: int
    auto_release: bool
    rail: str
    dispute_ms: int
    dispute_default: str
    cancel_ms: int
    law: str | None
    supersedes: str | None  # the hash of the terms that these replace
    hash: str
    state: str  # offered, signed; else the deal's, where they no longer stand
    by: Person | None  # who offered them


class Change(TypedDict):
    """A field of the terms that is not what it was, such as `1.amount`; None stands for nothing there."""

    field: str
    before: object
    after: object


class Deal(TypedDict):
    """Everything between one client and one talent."""

    id: str
    post: str | None
    title: NotRequired[str]  # of the post
    client: Person
    talent: Person
    agent: Person | None
    agent_device: str | None
    secured: bool  # held by a third party, not by the client
    currency: str | None
    terms_hash: str | None
    cover: str
    valid_until: str | None
    final: bool
    state: str  # talking, invited, proposed, shortlisted, offered, hired, closed, declined, withdrawn
    milestones: list[Milestone]
    totals: Totals
    may: list[May]
    compare: NotRequired[Comparison]
    terms: NotRequired[Terms]  # show DEAL --terms
    terms_diff: NotRequired[list[Change]]  # show DEAL --terms --diff


class Op(TypedDict):
    """A movement of money that was asked for."""

    id: str
    request_id: str | None
    kind: str  # fund, release, refund
    amount: Money
    total: Money | None
    to: Person | None
    state: str  # authorized, released, moved, declined, unknown
    ref: str | None
    milestone: NotRequired[str]  # where the operation stands alone
    text: NotRequired[str]  # rail due: what to do, in words


class File(TypedDict):
    """A delivered file; `fetched` tells whether its content is on this machine. From `milestone` on: in `files`."""

    name: str
    size: int
    digest: str
    fetched: bool
    milestone: NotRequired[str | None]  # None: of the talk
    by: NotRequired[Person]
    at: NotRequired[str]
    kind: NotRequired[str]  # of the event that brought it
    path: NotRequired[str | None]  # files --fetch: where it was put; None: it has not arrived, or is damaged


class Would(TypedDict):
    """What a rehearsal of a money verb would sign, and what would move."""

    confirm: str | None  # the text for --confirm; None: nothing would move
    kinds: list[str]
    entries: list[JournalEntry]


class Milestone(TypedDict):
    """A numbered part of a deal with its own amount; its id is the deal's, a slash and `n`."""

    id: str
    deal: str
    n: int
    title: str
    amount: Money
    due: str | None
    tz: NotRequired[str]  # of the due date
    criteria: list[str]
    final: bool
    state: str  # planned, funding, funded, delivered, changes, disputed, released, refunded, cancelled
    funded: Money
    held: Money
    released: Money
    refunded: Money
    payable: Money
    paid_out: Money
    review_deadline: str | None
    files: list[File]
    may: list[May]
    op: NotRequired[Op]  # after a money verb
    would: NotRequired[Would]  # a money verb with --dry-run


class Posting(TypedDict):
    """One line of a journal entry."""

    account: str
    amount: Money


class JournalEntry(TypedDict):
    """One movement in the book; its postings are zero in each currency."""

    at: str
    text: str
    ref: str | None
    postings: list[Posting]


class Attendee(Person):
    """Somebody in a call, with the zone they see it in."""

    tz: NotRequired[str]


class Slot(TypedDict):
    """One time offered for a call."""

    n: int
    start: str
    end: str
    tz: str


class Booking(TypedDict):
    """A call of the two sides of a deal."""

    id: str
    deal: str
    organizer: Attendee
    attendees: list[Attendee]
    final: bool
    start: str | None
    end: str | None
    tz: str
    url: str | None
    uid: str
    sequence: int
    turn: str | None  # client or talent: who must answer
    offers: int
    slots: list[Slot]
    state: str  # proposed, confirmed, conflicted, met, no_show, declined, cancelled
    note: NotRequired[str]
    until: NotRequired[str | None]  # of the open offer
    lapsed: NotRequired[bool]  # nobody answered the open offer in time
    may: NotRequired[list[May]]
    move: NotRequired[list[Slot]]  # an open offer to move a confirmed call
    reason: NotRequired[str | None]  # declined: declined, withdrawn or expired; cancelled: the words of who did it
    why: NotRequired[str]  # declined: the words of who did it
    ended_by: NotRequired[Attendee | None]  # declined, cancelled
    late: NotRequired[bool]  # cancelled within the notice
    contested: NotRequired[bool]  # met, no_show: the two sides say different things
    missing: NotRequired[Attendee | None]  # met, no_show: who was not there


class Message(TypedDict):
    """One message in a deal."""

    id: str
    deal: str
    by: Person
    at: str
    text: str
    files: list[File]
    kind: NotRequired[str]  # message, update
    unread: NotRequired[bool]
    milestone: NotRequired[str | None]  # update: what it is about; None: the whole deal


class Review(TypedDict):
    """What one side says of the other; the other side's sealed one has neither stars nor text to show."""

    id: str
    deal: str | None  # None: read off a board, which does not tell
    by: Person
    about: Person
    stars: int | None
    recommend: bool | None
    text: str
    state: str  # sealed, open
    secured: bool
    at: NotRequired[str]
    withheld: NotRequired[bool]  # in a deal: still sealed though the other side's is open
    vouched: NotRequired[bool]  # in a deal
    final: NotRequired[bool]  # in a deal
    agent: NotRequired[Person]  # on a board: who vouches for it
    self_paid: NotRequired[bool]  # on a board: one of the two sides held the money itself


class Balance(TypedDict):
    """All deals of this home in one currency."""

    currency: str
    funded: Money
    held: Money
    released: Money
    refunded: Money
    disputed: Money
    payable: Money
    paid_out: Money


class InboxItem(TypedDict):
    """Something that waits, for you or for somebody else."""

    id: str
    deal: str | None
    kind: str
    text: str
    at: str
    waits_for: str | None
    until: str | None
    next: str  # the command to type


class AgendaItem(TypedDict):
    """Something that happens at a time, and what follows when nobody acts."""

    at: str
    tz: str
    kind: str
    of: str
    consequence: str
    deal: NotRequired[str | None]  # None: of a post


class LogEntry(TypedDict):
    """One event as the log shows it."""

    id: str
    space: str
    kind: str
    by: Person | None
    device: str
    seq: int
    lamport: int
    at: str | None  # None: the event tells no time
    status: str  # valid, void, pending
    reason: str | None
    delivery: str  # local, relay, seen


class Peer(TypedDict):
    """What one place gave and took."""

    peer: str
    sent: int
    received: int
    rejected: int
    state: str
    problems: list[str]


class Sync(TypedDict):
    """One round of syncing."""

    peers: list[Peer]


class Verify(TypedDict):
    """What was checked, and what did not hold."""

    events: int
    spaces: int
    balances: list[Balance]
    problems: list[str]


class Check(TypedDict):
    """One thing `doctor` looked at; `origin` is where a value came from."""

    name: str
    ok: bool
    value: str
    origin: str
    hint: str


class Doctor(TypedDict):
    """The state of this installation."""

    checks: list[Check]


SHAPES: Final[dict[str, type]] = {
    "money": Money,
    "person": Person,
    "next": Next,
    "error": Error,
    "identity": Identity,
    "board": Board,
    "profile": Profile,
    "service": Service,
    "post": Post,
    "deal": Deal,
    "milestone": Milestone,
    "op": Op,
    "file": File,
    "journal_entry": JournalEntry,
    "booking": Booking,
    "message": Message,
    "review": Review,
    "balance": Balance,
    "inbox_item": InboxItem,
    "agenda_item": AgendaItem,
    "log_entry": LogEntry,
    "sync": Sync,
    "verify": Verify,
    "doctor": Doctor,
}
"""Every object by the name `chaise schema NAME` takes."""
