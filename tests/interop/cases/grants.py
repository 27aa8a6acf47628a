"""Deals in which runs act under grants, by hand and of a seed. docs/spec/grants.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

from chaise_cli.ids import DeviceId, text
from chaise_cli.ledger import canonical, certificate
from tests.fakes import pen
from tests.interop.cases import chance, forks, thirds
from tests.interop.cases.common import AT, Case
from tests.interop.cases.deals import NOBODY
from tests.interop.cases.forks import copied
from tests.interop.cases.play import BOX, DAY, HOUR, ZERO, Play

RELEASE: Final = "release.authorized"
REFUND: Final = "refund.authorized"
LATER: Final = AT + 300 * DAY
POLICY: Final = text(bytes(31) + b"2")  # of the runs that a play records
ASKED: Final[dict[str, Any]] = {
    "milestone": 1, "total": None, "currency": "EUR", "request_id": None, "fingerprint": ZERO,
}  # fmt: skip
GIVEN: Final[dict[str, Any]] = ASKED | {"amount": None, "hold": None}


class Granting(Play):
    """A deal whose sides hand out keys; each is told by its name."""

    PAGE: ClassVar[str] = "grants.md"
    granted: str  # the first grant

    def begun(self) -> Granting:
        """Terms that are signed, and 1,000 that is held."""
        self.hired(1_000, 500)
        self.held(1_000)
        return self

    def certificate(self, who: str, key: str, **other: Any) -> dict[str, object]:
        """What makes a key a grant's of a person, signed by one of the person's devices."""
        above = self.pens[who]
        device = DeviceId(text(pen.signer(key).public))
        said: dict[str, Any] = {"kind": "grant", "name": key, "space": text(self.space), "until": LATER} | other
        return certificate.issue(above.signer, identity=above.identity, device=device, at=AT, **said).value()

    def grant(self, who: str = "lisa", key: str = "ci", *, made: Any = None, cert: Any = None, **scope: Any) -> str:
        """A key handed out, to move at most 600 of its side's unless told otherwise. made: what the body says else."""
        whole = {
            "can": ["release"] if self.pens[who].identity == self.pens["lisa"].identity else ["refund"],
            "milestone": None, "max": 600, "per_day": None, "until": LATER, "approvals": None,
            "delivered_for_ms": None, "policy": None,
        } | scope  # fmt: skip
        signed = self.certificate(who, key, until=whole["until"])
        data = {"key": signed["device"], "box": BOX, "name": key, "scope": whole, "certificate": _line(signed)}
        return self.do(who, "grant.created", data | (made or {}), **({"cert": cert} if cert else {}))

    def job(self, name: str, who: str = "lisa", key: str = "ci", above: Any = None, **other: Any) -> str:
        """A run under a grant that this device has certified; its name."""
        made, by = self.device(name), self.pens[who]
        made.root, made.identity = by.root, by.identity
        own = certificate.issue(pen.signer(key), "run", by.identity, DeviceId(text(made.device)), "job", AT).value()
        self.proofs[name] = [own, self.certificate(who, key, **other), *(above or self.certify(who, "admin"))]
        return name

    def gives(self, who: str = "run", total: int | None = None, kind: str = RELEASE, *, at: int = AT, **o: Any) -> str:
        """A release or refund by a run, or by anybody."""
        return self.do(who, kind, GIVEN | {"total": total} | ({"run": None} if kind == RELEASE else {}) | o, at=at)

    def asks(self, who: str = "run", total: int = 100, **other: Any) -> str:
        """A request for money to be held."""
        return self.do(who, "fund.requested", ASKED | {"total": total} | other)

    def hands(self, who: str, note: str = "built") -> str:
        """Work is handed over."""
        return self.do(who, "work.delivered", {"milestone": 1, "note": note, "files": []})

    def take(self, at: int = AT) -> str:
        """The agent takes up what there is."""
        return self.do("lisa", "taken", at=at)

    def approve(self, who: str, grant: str, total: int, n: int = 1, currency: str = "EUR") -> str:
        """Somebody approves that so much is reached."""
        return self.do(who, "grant.approved", {"grant": grant, "milestone": n, "total": total, "currency": currency})

    def end(self, who: str, grant: str) -> str:
        """Somebody revokes a grant."""
        return self.do(who, "grant.revoked", {"grant": grant})

    def phone(self) -> None:
        """Another device of Lisa's, which has said something."""
        self.device("phone")
        self.do("phone", "message.sent", {"text": "", "files": []})


class Secured(Granting, thirds.Third):
    """The same, whose money Ada shall hold."""


def _line(certified: dict[str, object]) -> str:
    return canonical.encode(certified).decode()


def ready(**scope: Any) -> Granting:
    """A deal with 1,000 that is held, a grant of this scope, and its run."""
    play = Granting().begun()
    play.granted = play.grant(**scope)
    play.job("run")
    return play


def cases() -> Iterator[Case]:
    """All of the page that a fold decides."""
    yield from made()
    yield from capped()
    yield from charged()
    yield from approved()
    yield from delivered()
    yield from judged()
    yield from ended()
    yield from revoked()
    yield from limited()
    yield from proved()
    yield from secured()


def made() -> Iterator[Case]:
    play = Granting()
    play.grant()
    play.hired(1_000)
    james, lisa = (play.pens[who].identity for who in ("james", "lisa"))
    play.grant(can=["release", "refund"])
    play.grant(milestone=2)
    play.grant(can=["release", "release"])
    play.grant(until=AT)
    play.grant(can=["fund", "release"], policy=NOBODY)
    play.grant(can=["fund"], delivered_for_ms=0)
    play.grant(approvals={"need": 2, "of": [james]})
    play.grant(approvals={"need": 1, "of": [james, james]})
    play.grant(approvals={"need": 1, "of": [james, NOBODY]})
    play.grant("james", can=["deliver"], approvals={"need": 1, "of": [lisa]})
    play.grant("james", can=["fund"])
    play.grant("james", can=["deliver", "refund"])
    play.grant("lisa")
    play.take()
    yield play.case("of grants that make no sense")
    play = Granting()
    play.hired(1_000)
    play.device("phone")
    play.do("phone", "message.sent", {"text": "", "files": []}, cert=play.certify("phone", "device"))
    play.grant("phone")
    play.grant(made={"name": "other"})
    play.grant(made={"key": NOBODY})
    play.grant(made={"certificate": "{}"})
    play.grant(made={"certificate": _line({"sig": 1})})
    for who, told in (
        ("james", {}), ("lisa", {"name": "x"}), ("lisa", {"until": LATER + 1}), ("lisa", {"space": NOBODY}),
        ("lisa", {"kind": "device", "space": "", "until": 0}),
    ):  # fmt: skip
        play.grant(made={"certificate": _line(play.certificate(who, "ci", **told))})
    play.grant(made={"certificate": _line(play.certificate("lisa", "ci") | {"sig": "A" * 86})})
    play.grant()
    play.take()
    yield play.case("of grants that nobody certified")


def capped() -> Iterator[Case]:
    play = ready()
    op = play.gives(total=500)
    play.gives(play.job("beside"), 500)
    play.gives(total=601)
    play.take()
    play.release(op, 500)
    play.gives(play.job("last"), 600)
    play.gives(total=600)
    play.gives(total=601)
    yield play.case("whose runs release what their grant allows")
    play = ready(max=900, per_day=100)
    day = (AT // DAY + 1) * DAY
    play.gives(total=60)
    play.gives(total=101)
    play.gives(total=100)
    play.take()
    play.gives(total=101)
    play.take(day - 1)
    play.gives(total=201)
    play.gives(total=200)
    play.take(day)
    play.gives(total=300)
    play.gives(total=301, at=day + 9 * DAY)
    yield play.case("whose runs release so much a day")
    play.take(day + DAY)
    yield play.case("whose runs release so much a day, all taken up")
    play = ready()
    copied(play, "run", "run+", 0)
    play.proofs["run+"] = play.proofs["run"]
    play.gives("run", 300)
    play.gives("run+", 700)
    play.gives("run+", 600)
    play.take()
    yield play.case("whose run key is used twice")


def _held(op: str, amount: int, n: int = 1) -> dict[str, Any]:
    return {"op": op, "milestone": n, "amount": amount, "fee": 0, "ref": "r"}


def charged() -> Iterator[Case]:
    play = Granting()
    play.hired(1_000)
    play.grant(can=["fund"], max=100)
    play.job("run")
    play.held(1)
    first = play.fund(300)
    late = play.asks(total=400)
    play.take()
    before = play.moves("money.refused", {"op": first, "reason": ""})
    play.moves("money.held", _held(late, 399))
    play.moves("money.held", _held(late, 100), prev=before)
    yield play.case("whose run moves no more than was charged, whatever becomes of those before it")
    play = Granting()
    play.hired(1_000, 500)
    play.grant(can=["fund", "release"], max=1_000)
    play.job("run")
    op = play.asks(total=1_000)
    play.asks(total=1, milestone=2)
    play.take()
    play.moves("money.refused", {"op": op, "reason": "declined"})
    op = play.asks(total=300, milestone=2)
    play.take()
    hold = play.moves("money.held", _held(op, 300, 2))
    play.gives(total=301, milestone=2)
    play.gives(hold=hold, milestone=2)
    play.gives(amount=1, request_id="q1", milestone=2)
    play.asks(total=701)
    play.asks(total=400, request_id="q1", fingerprint=NOBODY)
    play.asks(total=300, request_id="q1")
    play.take()
    yield play.case("whose run funds and releases, and is charged nothing for what was declined")
    for asked in ({"total": 400}, {"amount": 400, "request_id": "q1"}):
        play = ready()
        play.gives(**asked)
        play.do("lisa", RELEASE, GIVEN | {"total": 200, "run": None}, deaf=["run"])
        wish = play.do("james", "cancel.requested", {"milestone": 1, "reason": ""}, deaf=["run"])
        play.take()
        play.do("james", "refund.authorized", GIVEN | {"total": 300})
        play.do("lisa", "cancel.accepted", {"request": wish})
        yield play.case(f"whose run asks for {'a step' if 'amount' in asked else 'a total'}, and which is cancelled")


def approved() -> Iterator[Case]:
    play = Granting().begun()
    james, lisa = (play.pens[who].identity for who in ("james", "lisa"))
    grant = play.grant(approvals={"need": 2, "of": [james, lisa]}, max=1_000)
    plain = play.grant(key="plain")
    play.job("run")
    play.device("mallory", "mallory's root")
    play.approve("lisa", grant, 100)
    play.gives(total=100)
    play.approve("james", grant, 100, n=2)
    play.gives(total=100)
    play.approve("james", grant, 100)
    play.take()
    play.gives(total=101)
    play.gives(total=100)
    play.gives(hold=play.last)
    play.approve("james", grant, 0)
    play.gives(total=100)
    play.gives(amount=1, request_id="q1")
    play.approve("james", plain, 1_000)
    play.approve("james", NOBODY, 1_000)
    play.approve("james", grant, 1_000, n=3)
    play.approve("james", grant, 1_000, currency="USD")
    play.approve("mallory", grant, 1_000)
    play.approve("run", grant, 1_000)
    play.take()
    yield play.case("whose runs want approvals")


def delivered() -> Iterator[Case]:
    play = ready(delivered_for_ms=24 * HOUR)
    play.gives(total=100)
    play.deliver()
    play.gives(total=100, at=AT + 2 * DAY)
    play.take()
    play.gives(total=100)
    play.take(AT + DAY - 1)
    play.gives(total=100, at=AT + DAY)
    yield play.case("whose run comes a moment too early by the deal's clock")
    play.take(AT + DAY)
    play.changes()
    play.gives(total=200)
    play.deliver()
    play.gives(total=200)
    play.gives(total=100)
    play.take(AT + DAY)
    play.gives(total=300)
    play.take(AT + 3 * DAY)
    yield play.case("whose run waits until the work was delivered for long enough")


def judged() -> Iterator[Case]:
    play = ready(policy=POLICY, max=900)
    play.job("other")
    delivery = play.deliver()
    play.gives(total=100)
    digest = text(bytes(31) + b"3")
    files = [{"name": "release.toml", "size": 9, "digest": digest, "address": ZERO, "key": ZERO}]
    edited = play.run(who="run", delivery=delivery, policy=digest, evidence=[], files=files)
    good = play.run(who="run", delivery=delivery, total=200)
    play.gives(total=100, run=edited)
    play.gives("other", 100, run=good)
    play.gives("lisa", 100, run=good)
    play.gives(total=201, run=good)
    play.gives(total=100, run=good)
    play.gives(total=50)
    play.run(who="other", delivery=delivery, verdict="deny", total=None)
    play.run(who="other")
    play.take()
    yield play.case("whose grant pins a policy")


def ended() -> Iterator[Case]:
    play = ready()
    play.gives(total=100)
    play.take()
    play.end("james", play.granted)
    play.end("lisa", NOBODY)
    play.end("lisa", play.granted)
    play.end("lisa", play.granted)
    play.gives(total=200)
    play.gives(total=100)
    play.gives(total=2_000, milestone=7)
    play.take()
    yield play.case("whose grant was revoked")
    play = ready(until=AT + DAY)
    play.gives(total=100, at=AT + 9 * DAY)
    play.take(AT + DAY - 1)
    play.gives(total=200, at=AT + DAY)
    yield play.case("whose run claims to be later than its grant, before it was taken up")
    play.take(AT + DAY)
    play.gives(total=300)
    play.grant(key="late", until=AT + DAY)
    play.take(AT + DAY)
    yield play.case("whose grant is over by the deal's clock")


def revoked() -> Iterator[Case]:
    play = Granting().begun()
    play.phone()
    play.granted = play.grant("phone")
    play.job("run", "phone")
    play.job("mine")
    play.gives(total=100)
    play.take()
    forks.revoke(play, "lisa", "phone", keeps=("run",))
    play.gives(total=200)
    play.gives("mine", 200)
    play.grant()
    play.end("lisa", play.granted)
    play.take()
    yield play.case("whose grant was made by a device that was revoked since, and its runs kept")
    play = Granting().begun()
    play.phone()
    play.grant()
    play.job("run", "phone")
    play.job("mine")
    forks.revoke(play, "lisa", "phone", keeps=("run",))
    forks.revoke(play, "james", "mine")
    play.gives(total=100)
    play.gives("mine", 200)
    forks.revoke(play, "lisa", "mine", last=0)
    play.gives("mine", 300)
    play.take()
    yield play.case("of a run that a revoked device certified, and of one that was revoked itself")


def limited() -> Iterator[Case]:
    play = ready(milestone=2)
    play.gives(total=100)
    play.asks()
    play.hands("run")
    play.do("run", "message.sent", {"text": "hello", "files": []})
    play.end("run", play.granted)
    play.moved_to("run", "run", play.opening)
    play.do("run", "post.closed", {"post": ZERO, "reason": "closed"})
    play.do("run", "no.such", {}, optional=True)
    play.do("run", "taken", {"more": 1})
    play.do("run", RELEASE, {"more": 1})
    play.gives(total=100, milestone=2)
    play.gives(total=100, milestone=3)
    play.take()
    yield play.case("whose run may do less than it tries")
    play = Granting().begun()
    play.grant("james", can=["deliver", "refund"], max=100)
    play.job("run", "james")
    play.hands("run")
    play.gives(total=101, kind=REFUND)
    op = play.gives(total=100, kind=REFUND)
    play.gives(total=100)
    play.run(who="run")
    play.hands("run", " ")
    play.take()
    play.refund(op, 100)
    yield play.case("whose talent has runs deliver and refund")
    play = ready()
    play.moved_to("lisa", "run", play.take())
    play.gives(total=100)
    yield play.case("whose run was given the agent's role")


def proved() -> Iterator[Case]:
    play = ready()
    play.device("phone")
    deep = forks.certified(play, "phone", "lisa")
    play.grant("phone", "deep", cert=deep)
    for name in (
        play.job("deep run", "phone", "deep", deep), play.job("root's", "phone", "deep"),
        play.job("late", until=1), play.job("away", space=NOBODY), play.job("unnamed", key="unnamed"),
        play.job("limited", above=play.certify("lisa", "device")), play.job("his", "james"), play.job("bare"),
        play.job("ci"),
    ):  # fmt: skip
        if name == "bare":
            del play.proofs[name][1]
        if name == "ci":  # the grant's own key
            del play.proofs[name][0]
        play.gives(name, 100)
    play.take()
    yield play.case("of runs that prove what they are, or do not")


def secured() -> Iterator[Case]:
    play = Secured()
    ada = play.pens["ada"].identity
    play.signed().taken()
    grant = play.grant(approvals={"need": 1, "of": [ada]})
    play.job("run")
    play.gives(total=100)
    play.consent()
    play.moved(play.fund(1_000))
    play.approve("ada", grant, 100)
    play.gives(total=100)
    play.gives(total=200)
    play.grant("ada", "hers")
    play.gives(play.job("her run", "ada", "hers"), 100)
    play.do("ada", "taken")
    yield play.case("whose run releases what a third party approves and holds")
    play = Secured()
    play.signed().taken()
    play.grant(can=["fund"], max=100)
    play.job("run")
    play.asks()
    play.refuse()
    play.accept(play.offer(play.terms(1_000)))
    play.take()
    play.asks(total=101)
    play.asks()
    play.take()
    yield play.case("whose agent refuses what a run had funded, and whose grant lasts")


class Wild(forks.Wild, Granting):
    """A deal of chance in which the sides hand out keys, and runs try what they like."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.jobs: list[str] = []
        self.made: list[str] = []
        crowd = 15 if self.dice.random() < 0.1 else 0
        self.made += [self.grant(key=f"key {number}") for number in range(crowd)]
        self._held()
        if self.dice.random() < 0.7:
            self.made.append(self.grant(can=["release", "fund"], max=self.dice.choice([300, 700]), per_day=300))
        self._grant()
        self._job()

    def go(self, steps: int) -> Play:
        """So many acts, most of them of these."""
        own: Final = (self._grant, self._job, *(self._try,) * 5, self._approve, self._held, self._take)
        other: Final = (self._copy, self._settle, self._revoke, self._deep, self._end, self._open)
        for _ in range(steps):
            lot = self.dice.random()
            if lot < 0.75:
                self.dice.choice(own)()
            elif lot < 0.85:
                self.dice.choice(other)()
            else:
                self.dice.choice(chance.ACTS)(self)
        return self

    def side(self) -> str:
        """Somebody, seldom a run."""
        found = super().side()
        return found if found not in self.jobs or self.dice.random() < 0.2 else "james"

    def client(self) -> str:
        """Mostly a device of the client, and no run."""
        found = super().client()
        return found if found not in self.jobs else "lisa"

    def _device(self) -> str:
        people = [name for name in sorted(self.pens) if name not in self.jobs]
        return self.dice.choice([*["lisa"] * 2 * len(people), *people])

    def _key(self) -> str:
        return self.dice.choice([*["ci"] * 5, "night", "key 1"])

    def _grant(self) -> None:
        dice, who = self.dice, self._device()
        can = dice.choice([["release"], ["fund"], ["release", "fund"]])
        if who == "james":
            can = dice.choice([["refund"], ["deliver"], ["deliver", "refund"], ["release"]])
        people = sorted({one.identity for name, one in self.pens.items() if name not in self.jobs})
        approvals = {"need": dice.choice([1, 1, 2]), "of": dice.sample(people, dice.choice([1, 2]))}
        alone = can == ["release"]
        self.made.append(
            self.grant(
                who,
                self._key(),
                can=can,
                milestone=dice.choice([None, None, None, 1, 2]),
                max=dice.choice([0, 300, 500, 1_000, 1_500]),
                per_day=dice.choice([None, None, 100, 500]),
                until=dice.choice([*[LATER] * 5, self.now, self.now + DAY, self.now + 9 * DAY]),
                approvals=approvals if dice.random() < 0.3 else None,
                delivered_for_ms=dice.choice([0, DAY]) if alone and dice.random() < 0.3 else None,
                policy=POLICY if alone and dice.random() < 0.2 else None,
            )
        )
        self.ids.append(self.made[-1])

    def _job(self) -> None:
        name = f"run {len(self.jobs)}"
        if len(self.jobs) < 4:
            other = {"space": NOBODY} if self.dice.random() < 0.05 else {}
            self.jobs.append(self.job(name, self._device(), self._key(), **other))

    def _try(self) -> None:
        """A run says something, mostly what its side may, and nearly always knows what was said before."""
        who = self.dice.choice(self.jobs)
        kind, data = self._said(who)
        self.now += self.dice.choice([0, 0, 1, DAY // 2])
        self.ids.append(self.do(who, kind, data, at=self.now, deaf=self.dice.random() < 0.05))

    def _said(self, who: str) -> tuple[str, dict[str, Any]]:
        asked = chance.asked(self, steps=True) | {"fingerprint": ZERO, "currency": "EUR"}
        if self.dice.random() < 0.6:
            asked = GIVEN | {"total": 100 * self.dice.randint(1, 10)}
        lot = self.dice.random()
        if lot < 0.05:
            return "taken", {}
        if lot < 0.15:
            return "work.delivered", {"milestone": 1, "note": "built", "files": []}
        if self.pens[who].identity != self.pens["lisa"].identity:
            return REFUND, asked
        if lot < 0.35:
            return "fund.requested", ASKED | {"total": self.some(), "milestone": asked["milestone"]}
        if lot > 0.85:
            delivery = self.dice.choice([None, self.any()])
            run = self.run(who=who, delivery=delivery, total=self.dice.choice([100, 500]))
            return RELEASE, GIVEN | {"total": 100, "run": run}
        return RELEASE, asked | {"run": None}

    def _approve(self) -> None:
        if self.made:
            total, n = self.dice.choice([0, 500, 1_000]), self.dice.choice([1, 1, 2])
            self.ids.append(self.approve(self._device(), self.dice.choice(self.made[-3:]), total, n))

    def _end(self) -> None:
        if self.made:
            self.ids.append(self.end(self._device(), self.dice.choice(self.made)))

    def _held(self) -> None:
        op = self.say("lisa", "fund.requested", ASKED | {"total": 1_000})
        before = self.last
        self.say("lisa", "money.held", _held(op, 1_000) | {"cost": 0, "prev": before})
        if before == self.opening:  # and nobody's later, which has come to nothing
            self.last = self.ids[-1]

    def _take(self) -> None:
        self.ids.append(self.say("lisa", "taken"))


def deal(seed: int, steps: int = 25) -> Case:
    """The vector of one such deal; it is kept nowhere."""
    return Wild(seed).go(steps).case(f"of grants, of seed {seed}")
