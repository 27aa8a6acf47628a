"""Runs: verdicts of release policies on record, and the keys by which tags are told to be a side's.

docs/spec/policies.md, The run record.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Sequence
from typing import Annotated, ClassVar, Final

from chaise_cli.domain.body import body
from chaise_cli.domain.deal import Deal, Facts, Milestone, Run, checked, milestone
from chaise_cli.domain.escrow import OtherCurrency, StaleRun, reserved
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.recorded import By, Recorded
from chaise_cli.domain.shape import Body, Currency, Digest, Event, Key, Line, Many, Minor, OneOf, Text, Whole
from chaise_cli.domain.talk import FILES_MOST, Attachment, Attachments
from chaise_cli.domain.terms import Number
from chaise_cli.domain.transitions import permit, roles
from chaise_cli.errors import Refused
from chaise_cli.ids import raw

_SSH_HEAD: Final = b"\0\0\0\x0bssh-ed25519\0\0\0 "
WORDS: Final = ("allow", "deny", "wait")
REASONS_MOST: Final = 20
PATH_MOST: Final = 200  # characters of a path of evidence
PATHS_MOST: Final = FILES_MOST - 1  # with the policy itself they fill the files of one event


class Verdict(NamedTuple):
    """word: allow, deny or wait. total: what may be released in all, in minor units; only of an allow."""

    word: str
    total: int | None
    reasons: tuple[str, ...]


class BadRecord(Refused):
    """The parts of a run record contradict one another."""

    code = "policy.bad_record"
    message = "the record of a verdict on {milestone} contradicts itself"
    hint = "the sender's software is broken or hostile; nothing was released by it"
    milestone: str


@body
class Seen:
    """One file of evidence that was there: its path in the policy, the hash of its content, its bytes."""

    name: Annotated[str, Text(PATH_MOST, 1)]
    digest: Digest
    size: Annotated[int, Whole()]


@body
class RunRecorded:
    """What a release policy said of a milestone; the policy and what it judged are attached, in this order."""

    KIND: ClassVar[str] = "run.recorded"
    milestone: Number
    policy: Digest
    verdict: Annotated[str, OneOf(*WORDS)]
    total: Minor | None
    currency: Currency
    reasons: Annotated[tuple[Line, ...], Many(REASONS_MOST)]
    delivery: Event | None
    evidence: Annotated[tuple[Seen, ...], Many(PATHS_MOST)]
    files: Attachments


@body
class DealSigningKey:
    """The Ed25519 key with which its author signs git tags; the last one stands."""

    KIND: ClassVar[str] = "deal.signing_key"
    key: Annotated[str, Key(32)]


def key_line(key: str) -> str:
    """A key as ssh-keygen writes it.

    >>> key_line("A" * 43)[:30]
    'ssh-ed25519 AAAAC3NzaC1lZDI1NT'
    """
    return "ssh-ed25519 " + b2a_base64(_SSH_HEAD + raw(key), newline=False).decode()


def facts_of(deal: Deal, ms: Milestone) -> Facts:
    """What a policy is told of a milestone as the deal stands."""
    return Facts(
        n=ms.n,
        state=ms.state,
        amount=ms.amount,
        reach=ms.funded - ms.refunded - reserved(deal, ms, "refund"),
        currency=deal.agreed.currency,
        criteria=len(ms.criteria),
        client=deal.parties.client,
        talent=deal.parties.talent,
        keys=deal.keys,
        delivery=ms.delivered_by,
        delivered=tuple(file.digest for file in ms.files[len(ms.files) - ms.fresh :]),
    )


def apply_recorded(deal: Deal, e: Recorded, body: RunRecorded) -> Deal:
    """A verdict is on record, with what the deal said at its place."""
    ms = milestone(deal, body.milestone)
    permit(body.KIND, ms.state, roles(deal.parties, e.by), deal.ref(ms.n))
    if body.currency != deal.agreed.currency:
        raise OtherCurrency(milestone=deal.ref(ms.n), currency=deal.agreed.currency)
    told = [(seen.digest, seen.size) for seen in body.evidence]
    attached = [(file.digest, file.size) for file in body.files]
    names = [seen.name for seen in body.evidence]
    fits = bool(attached) and attached[0][0] == body.policy and attached[1:] == told and len(set(names)) == len(names)
    if not fits or (body.verdict == "allow") != bool(body.total) or (body.total == 0):
        raise BadRecord(milestone=deal.ref(ms.n))
    if body.delivery != ms.delivered_by:
        raise StaleRun(milestone=deal.ref(ms.n))
    facts = facts_of(deal, ms)
    run = Run(e.id, e.by, e.device, e.at, e.final, body.policy, body.verdict, body.total, facts)
    return deal._replace(runs={**deal.runs, e.id: run})


def apply_key(deal: Deal, e: Recorded, body: DealSigningKey) -> Deal:
    """A side named the key of its tags."""
    permit(body.KIND, deal.state, roles(deal.parties, e.by), deal.public)
    return deal._replace(keys={**deal.keys, e.by: body.key})


def record(
    deal: Deal,
    by: By,
    n: int,
    policy: Digest,
    verdict: Verdict,
    evidence: Sequence[Seen],
    files: Sequence[Attachment],
) -> list[Body]:
    """Put a verdict on record. Raises NotYours, BadRecord."""
    ms = milestone(deal, n)
    made = RunRecorded(
        n,
        policy,
        verdict.word,
        verdict.total,
        deal.agreed.currency,
        verdict.reasons,
        ms.delivered_by,
        tuple(evidence),
        tuple(files),
    )
    return checked(deal, by, apply_recorded, made)


def name_key(deal: Deal, by: By, key: str) -> list[Body]:
    """Name the key with which one's tags are signed; nothing when it is named already. Raises NotYours."""
    if deal.keys.get(by.identity) == key:
        return []
    return checked(deal, by, apply_key, DealSigningKey(key))
