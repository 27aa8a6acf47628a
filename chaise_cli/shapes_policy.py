"""The objects of release policies, as `shapes` has all others; taken up there."""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

from chaise_cli.shapes_people import Money, Person


class RunFile(TypedDict):
    """A file that was judged: the policy first, then the evidence."""

    name: str
    size: int
    digest: str
    fetched: bool


class SigningKey(TypedDict):
    """By which key somebody's git tags are signed in a deal, as ssh-keygen writes it."""

    by: Person
    key: str


class Verdict(TypedDict):
    """What a policy says: allow, deny or wait; `total` is what may be released in all."""

    verdict: str
    total: Money | None
    reasons: list[str]


class Policy(TypedDict):
    """A policy file, and with a milestone its verdict."""

    name: str
    digest: str  # SHA-256 of its bytes, by which grants pin it
    rules: int
    files: list[str]  # the paths it names
    milestone: str | None
    verdict: Verdict | None


class PolicyCase(TypedDict):
    """One case of `policy test`: what was expected, and what came out."""

    name: str
    expect: str
    wanted: Money | None  # the total expected
    ok: bool
    verdict: str
    total: Money | None
    reasons: list[str]


class Run(TypedDict):
    """A verdict on record. `again` and `differs` only in `policy explain`."""

    id: str
    deal: str
    milestone: str
    by: Person
    at: str
    policy: str  # the digest of its bytes
    verdict: str
    total: Money | None
    reasons: list[str]
    delivery: str | None  # the event that was the last delivery
    files: list[RunFile]
    status: str  # valid, pending, void
    reason: str | None  # of a void one
    again: NotRequired[Verdict | None]
    differs: NotRequired[list[str]]


SHAPES: Final[dict[str, type]] = {"policy": Policy, "policy_case": PolicyCase, "run": Run}
