"""Deliveries and requests for changes: what starts and stops the review clock. docs/spec/money.md, rows 4 and 5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from chaise_cli.domain.body import body
from chaise_cli.domain.deal import Deal, Milestone, checked, milestone, put
from chaise_cli.domain.recorded import By, Recorded
from chaise_cli.domain.shape import Body, Prose
from chaise_cli.domain.talk import Attachment, Attachments
from chaise_cli.domain.terms import Number
from chaise_cli.domain.transitions import permit, roles
from chaise_cli.errors import Refused


class NothingDelivered(Refused):
    """A delivery brings a file or says something."""

    code = "work.nothing_delivered"
    message = "a delivery needs a file or a note"
    hint = 'chaise deliver {milestone} --file site.tar --note "what is in it"'
    milestone: str


class NoReason(Refused):
    """Who asks for changes says which."""

    code = "work.no_reason"
    message = "say what has to change"
    hint = 'chaise changes {milestone} "what is missing"'
    milestone: str


class NoRevisionsLeft(Refused):
    """The terms allow no more requests for changes."""

    code = "work.no_revisions_left"
    message = "the {revisions} requests for changes agreed for {milestone} are used up"
    hint = "release what is earned, or agree on new terms"
    milestone: str
    revisions: int


class TooLate(Refused):
    """The review period is over."""

    code = "work.too_late"
    message = "the review period of {milestone} is over"
    hint = "the money goes to the talent; talk to the other side: chaise message"
    milestone: str


@body
class WorkDelivered:
    """The talent hands over a milestone."""

    KIND: ClassVar[str] = "work.delivered"
    milestone: Number
    note: Prose
    files: Attachments


@body
class WorkChangesRequested:
    """The client wants something changed before accepting."""

    KIND: ClassVar[str] = "work.changes_requested"
    milestone: Number
    reason: Prose


def apply_delivered(deal: Deal, e: Recorded, body: WorkDelivered) -> Deal:
    """The talent delivered. Being taken up starts the review clock, and a pending cancel request is void."""
    ms = milestone(deal, body.milestone)
    permit(body.KIND, ms.state, roles(deal.parties, e.by), deal.ref(ms.n))
    if not body.files and not body.note.strip():
        raise NothingDelivered(milestone=deal.ref(ms.n))
    # Without auto-release nothing happens at the end of the period, so there is none. Before the uptake there is no
    # deadline either: its instant is frozen by the agent's clock, not by the talent's.
    runs = e.final and deal.agreed.auto_release
    deadline = e.clock + deal.agreed.review_ms if runs else None
    ms = ms._replace(
        work="delivered",
        cancel=None,
        delivered_by=e.id,
        review_deadline=deadline,
        files=(*ms.files, *body.files),
        fresh=len(body.files),
        delivered_at=e.clock if e.final else None,
    )
    return put(deal, ms, e)


def apply_changes(deal: Deal, e: Recorded, body: WorkChangesRequested) -> Deal:
    """The client asked for changes; the review clock stops."""
    ms = milestone(deal, body.milestone)
    permit(body.KIND, ms.state, roles(deal.parties, e.by), deal.ref(ms.n))
    if not body.reason.strip():
        raise NoReason(milestone=deal.ref(ms.n))
    if ms.revisions is not None and ms.revised >= ms.revisions:
        raise NoRevisionsLeft(milestone=deal.ref(ms.n), revisions=ms.revisions)
    # An agent that was away across the deadline takes this up late: what its first take-up brings counts as in time.
    if ms.review_deadline is not None and min(e.clock, deal.clock_before) >= ms.review_deadline:
        raise TooLate(milestone=deal.ref(ms.n))
    return put(deal, ms._replace(work="changes", revised=ms.revised + 1, review_deadline=None), e)


def deliver(deal: Deal, by: By, n: int, note: str = "", files: Sequence[Attachment] = ()) -> list[Body]:
    """Hand over milestone `n`. Raises NotYours, WrongState, NothingDelivered."""
    return checked(deal, by, apply_delivered, WorkDelivered(n, note, tuple(files)))


def request_changes(deal: Deal, by: By, n: int, reason: str) -> list[Body]:
    """Ask for changes to what was delivered. Raises NotYours, WrongState, NoReason, NoRevisionsLeft, TooLate."""
    return checked(deal, by, apply_changes, WorkChangesRequested(n, reason))


def underfunded(ms: Milestone) -> bool:
    """Whether work on this milestone is not, or not wholly, covered by money that is held: a warning when acting."""
    return ms.funded < ms.amount
