"""A deal written by pens: two sides, more devices of the client, a stranger; every event cites what its writer has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from chaise_cli.crypto import signing
from chaise_cli.domain.terms import digest
from chaise_cli.ids import DeviceId, raw, text
from chaise_cli.ledger import certificate
from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.segment import Segment
from tests.fakes.pen import Pen
from tests.interop.cases.common import AT, SECRET, Case, case, count

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
BOX: Final = {"id": text(count(32)), "key": text(bytes(1216))}
ZERO: Final = text(bytes(32))


class Play:
    """A deal between Lisa, the client, and James. Both know all that was written, unless told otherwise."""

    PAGE: ClassVar[str] = "order.md"

    def __init__(self, *, opener: str = "lisa", agent: bytes | None = None, opens: bool = True, **other: Any) -> None:
        self.pens = {"lisa": Pen("lisa", secret=SECRET), "james": Pen("james", secret=SECRET)}
        self.known: dict[tuple[str, str], int] = {}
        self.lost: set[str] = set()
        self.parted: dict[str, int] = {}  # copies of a device, by the first event that is theirs alone
        self.proofs: dict[str, list[object]] = {}  # certificates of those that have others than their root's
        self.pens[opener].genesis()
        self.space = self.pens[opener].space
        for pen in self.pens.values():
            pen.space = self.space
        self.last = ""
        if opens:
            lisa, james = self.pens["lisa"], self.pens["james"]
            data = {
                "board": ZERO, "post": None, "client": lisa.identity, "talent": james.identity,
                "agent_device": text(agent or lisa.device), "client_box": BOX, "talent_box": BOX,
            }  # fmt: skip
            self.opening = self.last = self.do(opener, "deal.opened", data | other)

    def device(self, name: str, root: str = "lisa's root") -> Pen:
        """One more device, of Lisa unless another root is named."""
        self.pens[name] = Pen(name, root=root, secret=SECRET)
        self.pens[name].space = self.space
        return self.pens[name]

    def certify(self, name: str, kind: certificate.Kind) -> list[object]:
        """A certificate of this kind for a device of Lisa."""
        pen = self.pens[name]
        made = certificate.issue(pen.root, kind, pen.identity, DeviceId(text(pen.device)), name, AT)
        return [made.value()]

    def do(
        self, who: str, kind: str, data: Any = None, *, at: int = AT, deaf: bool | Iterable[str] = False, **more: Any
    ) -> str:
        """Write an event; its id. deaf: to everybody, or to those named, so that it does not cite them."""
        pen = self.pens[who]
        silent = set(self.pens) if deaf is True else set(deaf or ())
        seen = []
        for name, other in self.pens.items():
            if other.device == pen.device or name in silent or other.seq == 0:
                continue  # a copy of a device knows nothing of what the other one writes
            if self.known.get((who, name)) == other.seq:
                continue
            self.known[who, name] = other.seq
            seen.append(other.head())
        if pen.seq == 0 and who in self.proofs:
            more = {"cert": self.proofs[who]} | more
        pen.tell(kind, {} if data is None else data, seen=sorted(set(seen)), at=at, **more)
        return text(pen.ids[-1])

    def moves(self, kind: str, data: dict[str, Any], *, who: str = "lisa", prev: str | None = None, **more: Any) -> str:
        """A movement of the agent behind the last one; it cost nothing."""
        free = {"cost": 0} if kind in ("money.held", "money.paid_out", "money.reversed") else {}
        self.last = self.do(who, kind, free | data | {"prev": prev or self.last}, **more)
        return self.last

    def sign(self, who: str, hashed: str) -> str:
        """A device's signature under a terms hash."""
        return text(self.pens[who].signer.sign(signing.TAGS.terms, raw(hashed)))

    def terms(self, *amounts: int, **other: Any) -> dict[str, Any]:
        """Terms over milestones of these amounts."""
        parts: list[dict[str, Any]] = [
            {"title": f"Part {n}", "amount": amount, "due": None, "criteria": [], "revisions": 1}
            for n, amount in enumerate(amounts, start=1)
        ]
        lisa, james = self.pens["lisa"], self.pens["james"]
        made = {
            "client": lisa.identity, "talent": james.identity, "agent": lisa.identity,
            "agent_device": text(lisa.device), "arbiter": None, "currency": "EUR", "milestones": parts,
            "client_fee": 0, "talent_fee": 0, "review_ms": 14 * DAY, "auto_release": True, "rail": "manual",
            "dispute_ms": 10 * DAY, "dispute_default": "talent", "cancel_ms": 7 * DAY, "law": None, "supersedes": None,
        }  # fmt: skip
        return made | other

    def offer(
        self, terms: dict[str, Any], who: str = "lisa", hashed: str | None = None, **more: Any
    ) -> tuple[str, str]:
        """An offer's id and its hash."""
        told = hashed or digest(terms)
        return self.do(
            who, "terms.offered", {"terms": terms, "hash": told, "signature": self.sign(who, told)}, **more
        ), told

    def accept(self, offer: tuple[str, str], who: str = "james", **more: Any) -> str:
        """Sign what was offered."""
        return self.do(
            who, "terms.accepted", {"offer": offer[0], "hash": offer[1], "signature": self.sign(who, offer[1])}, **more
        )

    def hired(self, *amounts: int, **other: Any) -> Play:
        """Signed terms, taken up."""
        self.accept(self.offer(self.terms(*amounts, **other)))
        self.do("lisa", "taken")
        return self

    def fund(self, total: int, n: int = 1, **more: Any) -> str:
        """A request for money to be held."""
        data = {"milestone": n, "total": total, "currency": "EUR", "request_id": None, "fingerprint": ZERO}
        return self.do("lisa", "fund.requested", data | more)

    def held(self, amount: int, fee: int = 0, n: int = 1) -> str:
        """Money is asked for, and held."""
        op = self.fund(amount, n)
        return self.moves("money.held", {"op": op, "milestone": n, "amount": amount, "fee": fee, "ref": "r"})

    def give(self, who: str, *, n: int = 1, at: int = AT, deaf: bool = False, **other: Any) -> str:
        """A release by Lisa, or a refund by James."""
        kind = "release.authorized" if who == "lisa" else "refund.authorized"
        bare = {"milestone": n, "total": None, "amount": None, "hold": None, "currency": "EUR", "request_id": None}
        bare |= {"run": None} if who == "lisa" else {}
        return self.do(who, kind, bare | {"fingerprint": ZERO} | other, at=at, deaf=deaf)

    def run(self, *, who: str = "lisa", **other: Any) -> str:
        """A verdict on record, of a policy and one file of evidence."""
        seen = {"name": "build/junit.xml", "digest": text(bytes(31) + b"1"), "size": 7}
        files = [
            {"name": "release.toml", "size": 9, "digest": text(bytes(31) + b"2"), "address": ZERO, "key": ZERO},
            {"name": "build/junit.xml", "size": 7, "digest": seen["digest"], "address": ZERO, "key": ZERO},
        ]
        data = {"milestone": 1, "policy": files[0]["digest"], "verdict": "allow", "total": 100, "currency": "EUR"}
        data |= {"reasons": ["all well"], "delivery": None, "evidence": [seen], "files": files}
        return self.do(who, "run.recorded", data | other)

    def release(self, op: str | None, amount: int, fee: int = 0, **more: Any) -> str:
        """What the agent releases."""
        return self.moves("money.released", {"op": op, "milestone": 1, "amount": amount, "fee": fee}, **more)

    def refund(self, op: str, amount: int, fee: int = 0, **more: Any) -> str:
        """What the agent gives back."""
        return self.moves("money.refunded", {"op": op, "milestone": 1, "amount": amount, "fee": fee}, **more)

    def deliver(self, **more: Any) -> str:
        """Work is handed over."""
        return self.do("james", "work.delivered", {"milestone": 1, "note": "done", "files": []}, **more)

    def changes(self, reason: str = "more", **more: Any) -> str:
        """Changes are asked for."""
        return self.do("lisa", "work.changes_requested", {"milestone": 1, "reason": reason}, **more)

    def moved_to(self, who: str, device: str, after: str, **more: Any) -> str:
        """The agent's role goes to a device."""
        return self.do(who, "agent.device", {"device": text(self.pens[device].device), "after": after}, **more)

    def runs(self) -> list[Segment]:
        """Everything that was written."""
        kept = [(pen, self.parted.get(name, 0)) for name, pen in self.pens.items() if name not in self.lost]
        return [pen.run(first) for pen, first in kept if pen.seq > first]

    def case(self, name: str) -> Case:
        """The vector of this deal as it stands."""
        packed = [segments.pack(run) for run in self.runs()]
        return case(f"deal: {name}", self.PAGE, "deal", space=self.space, segments=packed, secret=SECRET)
