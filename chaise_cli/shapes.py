"""The objects commands answer with, key by key: the authority for `--json`, `chaise schema` and CSV columns.

Apart from `result`, since building these classes costs a fifth of a bare start: commands and queries
import them for type checking alone, only `schema` and `--csv` read them at run time. Keys are added,
never renamed. An id is the public form (`deal-` and 26 characters); an instant is RFC 3339 UTC text;
what is not there is None, never a missing key, unless it is marked NotRequired. Promised in
docs/spec/results.md.
"""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

# The others stand in files of their own and are taken from here like all.
from chaise_cli.shapes_busy import SHAPES as BUSY_SHAPES
from chaise_cli.shapes_calendar import SHAPES as CALENDAR_SHAPES
from chaise_cli.shapes_calls import SHAPES as CALL_SHAPES
from chaise_cli.shapes_calls import Attendee, Booking, Repeats, Shifted, Slot
from chaise_cli.shapes_money import (
    Balance,
    BalanceBy,
    JournalEntry,
    Op,
    Payment,
    Posting,
    RailEntry,
    RailLine,
    Reconciliation,
    Statement,
)
from chaise_cli.shapes_people import (
    Board,
    Budget,
    Device,
    Error,
    Grant,
    Identity,
    May,
    Money,
    Next,
    OwnDevice,
    Pairing,
    Person,
    Post,
    Profile,
    Rate,
    Reliability,
    Reputation,
    Service,
)
from chaise_cli.shapes_policy import SHAPES as POLICY_SHAPES
from chaise_cli.shapes_policy import SigningKey

__all__ = [
    "Attendee",
    "Balance",
    "BalanceBy",
    "Board",
    "Booking",
    "Budget",
    "Device",
    "Error",
    "Grant",
    "Identity",
    "JournalEntry",
    "May",
    "Money",
    "Next",
    "Op",
    "OwnDevice",
    "Pairing",
    "Payment",
    "Person",
    "Post",
    "Posting",
    "Profile",
    "RailEntry",
    "RailLine",
    "Rate",
    "Reconciliation",
    "Reliability",
    "Repeats",
    "Reputation",
    "Service",
    "Shifted",
    "Slot",
    "Statement",
]


class Totals(TypedDict):
    """A deal's money, over all its milestones."""

    funded: Money
    held: Money
    released: Money
    refunded: Money
    disputed: Money
    reversed: Money


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
    contested: bool  # two histories of its agent moved money, and the sides have not settled which stands
    state: str  # talking, invited, proposed, shortlisted, offered, hired, closed, declined, withdrawn
    milestones: list[Milestone]
    totals: Totals
    may: list[May]
    signing_keys: NotRequired[list[SigningKey]]  # by which tags are known, where a side named one
    compare: NotRequired[Comparison]
    terms: NotRequired[Terms]  # show DEAL --terms
    terms_diff: NotRequired[list[Change]]  # show DEAL --terms --diff


class Moved(TypedDict):
    """A movement of money on one of several histories of a deal's agent."""

    event: str
    kind: str
    milestone: int
    amount: Money | None
    at: str


class History(TypedDict):
    """One history of a deal's agent behind the place where it parts from another."""

    first: str  # ids of events, as in the log
    last: str
    device: str
    stands: bool  # what the deal shows follows it
    movements: list[Moved]
    named: list[Naming]


class Naming(TypedDict):
    """Which event a person named as the agent's last."""

    person: Person
    last: str


class Contest(TypedDict):
    """Between which histories of its agent the two sides of a deal have to choose; none when nothing is contested."""

    id: str
    contested: bool
    histories: list[History]


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
    reversed: Money  # clawed back by the payer's rail, and owed by the client
    review_deadline: str | None
    files: list[File]
    may: list[May]
    op: NotRequired[Op]  # after a money verb
    would: NotRequired[Would]  # a money verb with --dry-run


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
    branch: NotRequired[bool]  # its device also wrote another history here, of which this is no part
    milestone: NotRequired[str | None]  # update: what it is about; None: the whole deal
    revoked: NotRequired[bool]  # true: said by a device that its owner had cut off


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
    secured: bool  # a third party held the money
    agent: Person  # who held it, and vouches for the review
    self_paid: bool  # one of the two sides held the money itself
    at: NotRequired[str]
    withheld: NotRequired[bool]  # in a deal: still sealed though the other side's is open
    vouched: NotRequired[bool]  # in a deal
    final: NotRequired[bool]  # in a deal


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
    delivery: str  # local, folder, peer, relay, seen: the best that is known
    branch: bool  # its device also wrote another history here, of which this is no part
    grant: str | None  # under which a run wrote it


class Peer(TypedDict):
    """What one place gave and took."""

    peer: str
    sent: int
    received: int
    rejected: int
    state: str
    problems: list[str]


class Incident(TypedDict):
    """Something a relay was caught at."""

    code: str
    at: str


class Place(TypedDict):
    """A place to sync with."""

    peer: str
    kind: str  # folder, ssh, relay, peer; web: not asked yet
    auto: bool  # writing verbs sync with it by themselves
    synced_at: str | None
    boards: list[str]  # the names of those that go there, with their deals
    spaces: int  # that go there
    unsent: int  # events held here of which nobody knows that they are there
    problem: str | None  # of the last visit
    caught: list[Incident]  # empty but for relays that did not keep their word


class Sync(TypedDict):
    """One round of syncing."""

    peers: list[Peer]


class Relay(TypedDict):
    """A relay that serves, or an invite to it; `relay` is its key, `url` where it listens, `invite` a secret."""

    url: str | None
    relay: str
    store: str
    invite: str | None
    invite_id: str | None  # as `relay invites` calls it
    withdrawn: str | None  # the id of an invite that lets nobody in any more


class RelayEntry(TypedDict):
    """An invite that lets somebody register at a relay, which keeps its hash alone."""

    id: str


class RailSim(TypedDict):
    """A rail for rehearsals that runs. control: whether it takes orders to break down."""

    url: str
    store: str
    control: bool


class Round(TypedDict):
    """One round of an agent: deals it consented to hold, payments that a rail made or declined, what went wrong."""

    consented: list[str]
    moved: int
    declined: int
    reversed: int  # chargebacks that were booked
    problems: list[str]


class Serving(TypedDict):
    """A home that is served to peers, and what an exchange with one gave and took."""

    at: str
    peers: list[Peer]


class Copy(TypedDict):
    """A place that has an event, and how that is known."""

    place: str
    how: str  # folder: written there; peer: synced with it; relay: acknowledged by a signed receipt


class Tracked(LogEntry):
    """How far one event has got."""

    places: list[Copy]
    seen: bool
    final: bool


class Oldest(TypedDict):
    """The first event of one's own that is nowhere but here."""

    id: str
    at: str | None  # of the first of them that tells a time


class Counted(TypedDict):
    """How far one's own events in a space have got, counted."""

    space: str
    kind: str  # self, board, deal
    events: int
    local: int
    placed: int
    seen: int
    pending: int
    oldest: Oldest | None


class SyncStatus(TypedDict):
    """What is known, without asking anybody, of where events are."""

    spaces: list[Counted]
    events: list[Tracked]


class Verify(TypedDict):
    """What was checked, and what did not hold."""

    events: int
    spaces: int
    balances: list[Balance]
    problems: list[str]
    forks: list[str]  # chains of which several histories are held; facts, no damage
    chains: int
    files: int  # attachments
    pages: bool  # whether the store's file was read through
    subset: str | None  # the share that was looked at, as 2/7; None for all


class Backup(TypedDict):
    """A backup file: what is in it, as far as it could be read."""

    file: str
    size: int  # bytes
    at: str | None
    identity: str | None
    device: str | None  # with whose key it was made
    spaces: int
    events: int
    files: int
    requests: int
    newer_here: int | None  # events of this home that are not in it; None without a home of the same identity
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
    "device": OwnDevice,
    "pairing": Pairing,
    "board": Board,
    "profile": Profile,
    "service": Service,
    "post": Post,
    "deal": Deal,
    "milestone": Milestone,
    "op": Op,
    "grant": Grant,
    "contest": Contest,
    "file": File,
    "journal_entry": JournalEntry,
    "booking": Booking,
    "message": Message,
    "review": Review,
    "balance": Balance,
    "balance_by": BalanceBy,
    "statement": Statement,
    "reconciliation": Reconciliation,
    "inbox_item": InboxItem,
    "agenda_item": AgendaItem,
    "log_entry": LogEntry,
    "place": Place,
    "sync": Sync,
    "relay": Relay,
    "relay_entry": RelayEntry,
    "sync_status": SyncStatus,
    "serving": Serving,
    "sim": RailSim,
    "round": Round,
    "verify": Verify,
    "backup": Backup,
    "doctor": Doctor,
    **CALL_SHAPES,
    **BUSY_SHAPES,
    **CALENDAR_SHAPES,
    **POLICY_SHAPES,
}
"""Every object by the name `chaise schema NAME` takes."""
