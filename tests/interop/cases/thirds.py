"""Deals whose terms name a third party as the agent, by hand and of a seed. docs/spec/order.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from chaise_cli.ids import text
from tests.interop.cases import forks
from tests.interop.cases.chance import ACTS
from tests.interop.cases.common import AT, Case
from tests.interop.cases.deals import NOBODY, OFFER
from tests.interop.cases.forks import copied, revoke
from tests.interop.cases.play import DAY, Play

PHONE: Final = "ada's phone"
ADAS: Final = "ada's root"


class Third(Play):
    """Lisa's and James's deal whose money Ada shall hold."""

    def __init__(self) -> None:
        super().__init__()
        self.device("ada", ADAS)

    def named(self, who: str = "ada", **other: Any) -> dict[str, Any]:
        """Terms that name one of these devices and its owner."""
        pen = self.pens[who]
        return self.terms(1_000, **{"agent": pen.identity, "agent_device": text(pen.device)} | other)

    def signed(self, who: str = "ada", **other: Any) -> Third:
        """Such terms, signed by both sides, and not yet taken up."""
        self.hire = self.accept(self.offer(self.named(who, **other)))
        return self

    def taken(self, who: str = "lisa", **more: Any) -> Third:
        """The acceptance, taken up by the client's device: the last of its line."""
        self.tip = self.do(who, "taken", **more)
        return self

    def consent(self, who: str = "ada", **more: Any) -> str:
        """Somebody takes the agent's role behind the client's last event."""
        return self.moved_to(who, who, self.tip, **more)

    def refuse(self, who: str = "ada", **more: Any) -> str:
        """Somebody refuses it."""
        return self.do(who, "agent.refused", {"hire": self.hire, "reason": "no"}, **more)

    def moved(self, op: str, who: str = "ada", amount: int = 1_000, **more: Any) -> str:
        """Somebody says that this was held."""
        return self.moves(
            "money.held", {"op": op, "milestone": 1, "amount": amount, "fee": 0, "ref": "r"}, who=who, **more
        )


def ready() -> Third:
    """Signed and taken up; Ada has not answered."""
    return Third().signed().taken()


def cases() -> Iterator[Case]:
    """All of the section."""
    yield from answered()
    yield from refused()
    yield from confirmed()
    yield from of_the_client()
    yield from of_the_agent()
    yield from on_the_way()
    yield from to_nothing()
    yield from opened_twice()


def answered() -> Iterator[Case]:
    play = ready()
    play.fund(1_000)
    yield play.case("that waits for its agent")
    play.do("lisa", "taken")
    play.moved(play.fund(1_000), "lisa")
    yield play.case("that waits for its agent, while the client goes on as if it were that")
    play = ready()
    op = play.fund(1_000)
    play.consent()
    play.moved(op)
    play.release(play.give("lisa", total=1_000), 1_000, who="ada")
    to = play.pens["james"].identity
    play.moves("money.paid_out", {"milestone": 1, "to": to, "amount": 1_000, "ref": "r"}, who="ada")
    yield play.case("whose money a third party holds, releases and pays out")
    play = ready()
    play.device(PHONE, ADAS)
    play.consent(PHONE)
    play.moved(play.fund(1_000), PHONE)
    yield play.case("whose agent consents from another device that is admin")
    play = ready()
    play.device(PHONE, ADAS)
    play.consent(PHONE, cert=play.certify(PHONE, "device"))
    play.moved(play.fund(1_000), PHONE)
    yield play.case("whose agent consents from a limited device")
    play.consent()
    play.moved(play.fund(1_000), prev=play.opening)
    yield play.case("whose agent consents from a limited device, and then from the one named")
    play = ready()
    play.device(PHONE, ADAS)
    play.moved_to("ada", PHONE, play.tip)
    play.do(PHONE, "taken")
    yield play.case("whose agent consents for a device that has to do it itself")
    play = ready()
    play.consent()
    play.device(PHONE, ADAS)
    play.moved_to("ada", PHONE, play.pens["ada"].head()[2])
    play.moved(play.fund(1_000), PHONE)
    yield play.case("whose agent moves the role to its other device")
    play = ready()
    play.moved_to("ada", "ada", play.hire)
    yield play.case("whose agent consents behind the acceptance instead of its take-up")
    play = Third().signed()
    play.moved_to("ada", "ada", play.pens["lisa"].head()[2])
    play.taken()
    yield play.case("whose agent consents before the acceptance was taken up")
    play.consent()
    yield play.case("whose agent consents before the acceptance was taken up, and again behind it")
    play = ready()
    play.device("phone")
    for who in ("lisa", "phone", "james"):
        play.consent(who)
        play.refuse(who)
    yield play.case("whose sides answer for the agent")


def refused() -> Iterator[Case]:
    play = ready()
    play.fund(1_000)
    play.refuse()
    yield play.case("whose agent refuses")
    play.do("ada", "message.sent", {"text": "sorry", "files": []})
    play.do("ada", "taken")
    play.accept(play.offer(play.terms(500)))
    play.do("lisa", "taken")
    play.held(500)
    yield play.case("whose agent refuses, and that the client then holds itself")
    play = ready()
    play.refuse()
    play.consent()
    play.moved(play.fund(1_000))
    yield play.case("whose agent consents behind its refusal")
    play.signed().taken()
    play.consent()
    play.moved(play.fund(1_000), prev=play.opening)
    yield play.case("whose agent is asked again after its refusal, and consents")
    play = ready()
    play.consent()
    play.refuse()
    play.moved(play.fund(1_000))
    yield play.case("whose agent refuses behind its consent")
    play = ready()
    play.device(PHONE, ADAS)
    play.refuse(PHONE, cert=play.certify(PHONE, "device"))
    yield play.case("whose agent refuses from a limited device")
    play = ready()
    play.do("ada", "agent.refused", {"hire": play.opening, "reason": ""})
    play.do("ada", "agent.refused", {"hire": NOBODY, "reason": ""})
    yield play.case("whose agent refuses another hire")
    play = Third().signed()
    play.refuse()
    yield play.case("whose agent refuses before the acceptance was taken up")
    play.taken(deaf=["ada"])
    yield play.case("whose agent refused before the acceptance was taken up by a device that had not heard of it")
    play = ready()
    play.do("lisa", "cancel.requested", {"milestone": 1, "reason": ""})
    play.refuse()
    yield play.case("whose agent refuses when nothing is left of the deal")


COPY: Final = "ada+"


def twofold(*, refuses: bool = True) -> Third:
    """Ada refuses, and knows nothing of it in a copy of her home."""
    play = ready()
    play.do("ada", "message.sent", {"text": "Hi", "files": []})
    copied(play, "ada", COPY, play.pens["ada"].seq)
    if refuses:
        play.refuse()
    return play


def _taken_back(play: Third) -> str:
    """The copy consents behind the first take-up, and says that it holds money."""
    sides = ["lisa", "james"]
    consent = play.consent(COPY, deaf=sides)
    play.moved(play.hire, COPY, prev=play.opening, deaf=sides)
    return consent


def confirmed() -> Iterator[Case]:
    play = twofold()
    _taken_back(play)
    yield play.case("whose agent refuses, and holds money in a copy of its home")
    play = twofold()
    play.offer(play.terms(500), deaf=[COPY])
    _taken_back(play)
    yield play.case("whose agent refuses, and holds money in a copy when one side has offered other terms")
    play = twofold()
    play.accept(play.offer(play.terms(500), deaf=[COPY]), deaf=[COPY])
    play.do("lisa", "taken", deaf=[COPY])
    consent = _taken_back(play)
    yield play.case("whose agent refuses, and holds money in a copy when both sides have signed other terms")
    for who in ("lisa", "james"):
        play.do(who, "agent.settled", {"last": consent})
    yield play.case("whose sides agree on a consent, after they signed terms that confirm the refusal")
    play = twofold(refuses=False)
    offer = play.offer(play.terms(500), deaf=[COPY])
    play.refuse()
    play.accept(offer, deaf=[COPY])
    _taken_back(play)
    yield play.case("whose agent refuses, and holds money in a copy when terms offered before were signed")
    play = twofold()
    play.accept(play.offer(play.terms(500), deaf=[COPY]), deaf=["lisa", "ada", COPY])
    _taken_back(play)
    yield play.case("whose agent refuses, and holds money in a copy when who signed had not heard of it")
    play = twofold()
    stale = play.offer(play.terms(500), deaf=[COPY])
    play.offer(play.terms(600), deaf=[COPY])
    play.accept(stale, deaf=[COPY])
    _taken_back(play)
    yield play.case("whose agent refuses, and holds money in a copy when terms were signed that had moved")
    play = twofold()
    offer = play.offer(play.terms(500), deaf=[COPY])
    play.accept(offer, "lisa", deaf=[COPY])
    play.accept((offer[0], NOBODY), deaf=[COPY])
    _taken_back(play)
    yield play.case("whose agent refuses, and holds money in a copy when nobody signed what the other side offered")
    play = twofold(refuses=False)
    copied(play, "ada", "ada++", play.pens["ada"].seq)
    play.refuse(deaf=True)
    play.refuse("ada++", deaf=True, at=AT + 1)
    offer = play.offer(play.terms(500), deaf=[COPY, "ada++"])
    play.accept(offer, deaf=["lisa", "ada", COPY])
    _taken_back(play)
    yield play.case("whose agent refuses twice, of which who offered knows one and who accepted the other")


def of_the_client() -> Iterator[Case]:
    play = ready()
    play.consent()
    op = play.fund(1_000)
    before = play.last
    play.moved(op, "lisa", deaf=["ada"])
    play.moved(op, prev=before)
    yield play.case("whose client moves money behind the consent")
    for moves in (False, True):
        play = Third().signed()
        copied(play, "lisa", "copy", play.pens["lisa"].seq)
        play.taken()
        play.consent()
        op = play.fund(1_000)
        before = play.last
        if moves:
            play.moved(op, "copy")
        play.do("copy", "taken", at=AT + 1)
        play.moved(op, prev=before)
        told = "moves money on a history without the consent" if moves else "has a history without the consent"
        yield play.case(f"whose client {told}")
    play = Third()
    play.do("james", "message.sent", {"text": "Hi", "files": []})
    for name in ("lisa", "james"):
        copied(play, name, f"{name}+", play.pens[name].seq)
    one, two = ["lisa", "james"], ["lisa+", "james+", "ada"]
    offer = play.offer(play.terms(1_000), "lisa+", deaf=one)
    play.accept(offer, "james+", deaf=one)
    op = play.do("lisa+", "fund.requested", forks._asked(play, 1_000), deaf=one)
    play.hire = play.accept(play.offer(play.named(), deaf=two), deaf=two)
    play.taken(deaf=two)
    play.consent(deaf=two)
    play.moved(op, "lisa+", deaf=[*one, "ada"])
    yield play.case("whose client holds the money itself on a history without the consent")
    for who in ("lisa", "james"):
        play.do(who, "agent.settled", {"last": play.tip})
    yield play.case("whose sides agree that the history with the consent stands")


def of_the_agent() -> Iterator[Case]:
    for both in (False, True):
        play = ready()
        play.consent()
        copied(play, "ada", "ada+", play.pens["ada"].seq)
        op = play.fund(1_000)
        before = play.last
        first = play.moved(op, deaf=["ada+"])
        if both:
            play.moved(op, "ada+", prev=before, deaf=["ada"], at=AT + 1)
        play.do("ada+", "taken", deaf=["ada"])
        yield play.case(f"whose agent has two histories, and money on {'both' if both else 'one'}")
    for who in ("lisa", "james"):
        play.do(who, "agent.settled", {"last": first})
    yield play.case("whose agent has two histories with money, one of them settled on")
    play = ready()
    play.do("ada", "message.sent", {"text": "Hi", "files": []})
    copied(play, "ada", "ada+", play.pens["ada"].seq)
    op = play.fund(1_000)
    before = play.last
    play.consent()
    play.moved(op, deaf=["ada+"])
    play.consent("ada+", at=AT + 1)
    last = play.moved(op, "ada+", prev=before, deaf=["ada"])
    yield play.case("whose agent consents and moves money on two histories")
    for who in ("lisa", "james"):
        play.do(who, "agent.settled", {"last": last})
    yield play.case("whose agent consents and moves money on two histories, one of them settled on")
    for moves in (False, True):
        play = ready()
        play.do("ada", "message.sent", {"text": "Hi", "files": []})
        copied(play, "ada", "ada+", play.pens["ada"].seq)
        op = play.fund(1_000)
        consent = play.consent(deaf=["ada+"])
        if moves:
            play.moved(op, deaf=["ada+"])
        play.refuse("ada+", deaf=["ada"])
        yield play.case(f"whose agent consents and refuses on two histories, {'with' if moves else 'without'} money")
    play = ready()
    consent = play.consent()
    copied(play, "ada", "ada+", play.pens["ada"].seq - 1)
    play.refuse("ada+", deaf=["ada"])
    for who in ("lisa", "james"):
        play.do(who, "agent.settled", {"last": consent})
    yield play.case("whose sides agree on the consent of an agent that also refused")
    yield from of_its_devices()


def of_its_devices() -> Iterator[Case]:
    play = ready()
    play.device(PHONE, ADAS)
    play.consent()
    play.consent(PHONE)
    play.moved(play.fund(1_000), PHONE)
    yield play.case("whose agent consents a second time from another device")
    play = ready()
    play.device(PHONE, ADAS)
    play.consent(deaf=[PHONE])
    play.consent(PHONE, deaf=["ada"])
    play.moved(play.fund(1_000), PHONE)
    yield play.case("whose agent consents from two devices at once, and moves money with one")
    play = ready()
    consent = play.consent()
    play.device(PHONE, ADAS)
    play.do(PHONE, "message.sent", {"text": "mine", "files": []})
    play.moved(play.fund(1_000))
    known = play.pens["ada"].seq - 2
    revoke(play, PHONE, "ada", last=known, deaf=["ada"])
    play.moved_to(PHONE, PHONE, consent, deaf=["ada"])
    yield play.case("whose agent's device was revoked behind its consent")
    play = ready()
    consent = play.consent()
    play.device(PHONE, ADAS)
    play.do(PHONE, "message.sent", {"text": "mine", "files": []})
    play.moved(play.fund(1_000))
    known = play.pens["ada"].seq - 2
    play.do("james", "taken")
    revoke(play, PHONE, "ada", last=known, deaf=["ada"])
    play.moved_to(PHONE, PHONE, consent, deaf=["ada"])
    yield play.case("whose agent's device was revoked after a side had heard of what it did")
    play = ready()
    play.do("ada", "message.sent", {"text": "Hi", "files": []})
    play.device(PHONE, ADAS)
    revoke(play, PHONE, "ada", last=0)
    play.consent()
    yield play.case("whose agent consents from a revoked device")


def on_the_way() -> Iterator[Case]:
    play = Third()
    play.do("ada", "message.sent", {"text": "early", "files": []})
    play.do("ada", "taken")
    offer = play.offer(play.named())
    yield play.case("of terms that name a third party and are only offered")
    play.hire = play.accept(offer)
    play.do("ada", "taken")
    play.taken()
    play.do("ada", "work.update", {"milestone": None, "text": "late", "files": []})
    play.do("ada", "deal.proposed", OFFER)
    play.do("ada", "fund.requested", forks._asked(play, 500))
    play.do("ada", "deal.signing_key", {"key": NOBODY})
    yield play.case("of an agent's words before and behind the acceptance")
    play.consent()
    play.do("ada", "cancel.requested", {"milestone": 1, "reason": ""})
    play.do("ada", "terms.accepted", {"offer": offer[0], "hash": offer[1], "signature": play.sign("ada", offer[1])})
    yield play.case("of an agent that acts as if it were a side")
    play = Third()
    play.device("phone")
    play.moved_to("phone", "phone", play.opening)
    play.signed().taken("phone")
    play.moved_to("lisa", "lisa", play.tip)
    play.consent()
    play.moved(play.fund(1_000))
    yield play.case("whose role was another device of the client's when the agent was named")
    play = ready()
    play.consent()
    held = play.moved(play.fund(1_000))
    play.deliver()
    play.do("ada", "taken", at=AT)
    play.release(None, 1_000, who="lisa", at=AT + 14 * DAY, prev=play.last, deaf=["ada"])
    play.last = held
    play.release(None, 1_000, who="ada", at=AT + 14 * DAY)
    yield play.case("whose deadline passes by the clock of the agent")


def to_nothing() -> Iterator[Case]:
    for then in ("goes on", "is consented to"):
        play = Third()
        stale = play.offer(play.named())
        standing = play.offer(play.terms(1_000))
        play.hire = play.accept(stale)
        play.accept(standing)
        play.taken()
        if then == "goes on":
            play.do("ada", "message.sent", {"text": "and I?", "files": []})
        else:
            play.consent()
            play.refuse()
        play.held(1_000)
        yield play.case(f"of a void acceptance that names an agent, which {then}")
    play = Third()
    stale = play.offer(play.named())
    standing = play.offer(play.terms(1_000))
    play.accept(stale)
    play.accept(standing)
    play.do("lisa", "taken")
    copied(play, "lisa", "copy", play.pens["lisa"].seq)
    play.held(1_000)
    tip = play.do("copy", "taken", at=AT + 1)
    play.moved_to("ada", "ada", tip, deaf=["lisa"])
    yield play.case("of a void acceptance, whose agent consents on a history without the client's money")
    play = Third()
    play.accept(play.offer(play.named(agent=play.pens["james"].identity)))
    play.taken()
    play.offer(play.named(agent_device=text(play.pens["lisa"].device)))
    yield play.case("of terms that name the talent as the agent, and then nobody's device")


def opened_twice() -> Iterator[Case]:
    play = Third()
    again = ["again"]
    copied(play, "lisa", "again", 1)
    offer = play.offer(play.named(), deaf=again)
    play.hire = play.accept(offer, deaf=again)
    play.taken(deaf=again)
    play.refuse(deaf=again)
    play.do("lisa", "taken", deaf=again)
    opening = play.do("again", "deal.opened", forks._opening(play), at=AT + 1, deaf=True)
    play.device("phone")
    others = ["lisa", "james", "ada"]
    for _ in range(6):  # so that its lamport is above that of the refusal
        play.do("phone", "message.sent", {"text": "", "files": []}, deaf=others)
    play.moved_to("phone", "phone", opening, deaf=others)
    yield play.case("with two openings, behind one of which an agent has refused, and a phone took the other")


class Wild(forks.Wild):
    """A deal of chance whose terms mostly name Ada; she answers, or others do."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        for name in ("ada", PHONE):
            self.device(name, ADAS)
        self.hires = [self.opening]
        self.takes = [self.opening]
        self.holder = "ada"
        if self.dice.random() < 0.7:
            pen = self.pens["ada"]
            self.offers.append(self.offer(self.terms(1_000, 500, agent=pen.identity, agent_device=text(pen.device))))
            self.hires.append(self.accept(self.offers[-1]))
            self.takes.append(self.do("lisa", "taken"))
            if self.dice.random() < 0.7:
                self.moved_to("ada", "ada", self.takes[-1])

    def hired(self, *_amounts: int, **_other: Any) -> Play:
        """Nobody is hired to begin with."""
        return self

    def go(self, steps: int) -> Play:
        """So many acts, half of them of these."""
        own: Final = (
            self._name,
            self._name,
            self._take,
            self._take,
            self._consent,
            self._consent,
            self._refuse,
            self._hold,
        )
        other: Final = (
            *(self._copy, self._copy, self._settle, self._settle),
            *(self._revoke, self._free, self._again, self._open),
        )
        for _ in range(steps):
            lot = self.dice.random()
            if lot < 0.5:
                self.dice.choice(own)()
            elif lot < 0.65:
                self.dice.choice(other)()
            else:
                self.dice.choice(ACTS)(self)
        return self

    def _of(self, who: str) -> list[str]:
        return [name for name in sorted(self.pens) if self.pens[name].identity == self.pens[who].identity]

    def client(self) -> str:
        """A device of the client's or of the agent's, or the talent."""
        return self.dice.choice([*self._of("lisa") * 3, *self._of("ada") * 3, "james"])

    def _ada(self) -> str:
        return self.dice.choice([*self._of("ada") * 4, "ada", "ada", "lisa"])

    def _name(self) -> None:
        pen = self.pens[self.dice.choice(["ada", "ada", "ada", PHONE, "lisa", "james"])]
        device = self.pens[self.dice.choice(["ada", PHONE])] if self.dice.random() < 0.2 else pen
        terms = self.terms(1_000, 500, agent=pen.identity, agent_device=text(device.device))
        who = self.dice.choice(["lisa", "james"])
        self.offers.append(self.offer(terms, who, at=self.now, deaf=self.dice.random() < 0.1))
        self.ids.append(self.offers[-1][0])
        if self.dice.random() < 0.8:
            other = "james" if who == "lisa" else "lisa"
            self.hires.append(self.accept(self.dice.choice(self.offers[-2:]), other, at=self.now))
            self.ids.append(self.hires[-1])

    def _take(self) -> None:
        self.takes.append(self.say(self.dice.choice(["lisa", *self._of("lisa")]), "taken"))

    def _consent(self) -> None:
        who = self.holder = self._ada()
        device = self.pens[who if self.dice.random() < 0.9 else self._ada()].device
        after = self.dice.choice([self.takes[-1]] * 4 + [*self.takes[-3:], self.pens["lisa"].head()[2], self.any()])
        more = {}
        if self.pens[who].seq == 0 and self.dice.random() < 0.2:
            more = {"cert": self.certify(who, "device")}
        deaf = self.dice.random() < 0.2
        self.ids.append(
            self.do(who, "agent.device", {"device": text(device), "after": after}, at=self.now, deaf=deaf, **more)
        )

    def _refuse(self) -> None:
        if self.dice.random() < 0.5:
            self.say(self._ada(), "agent.refused", {"hire": self.dice.choice(self.hires[-2:]), "reason": ""})

    def _again(self) -> None:
        """Ada refuses, and both sides sign other terms; a copy of her home may know less, and so may who signs."""
        copied(self, "ada", COPY, self.pens["ada"].seq)
        deaf = [COPY, *([] if self.dice.random() < 0.7 else ["ada"])]
        self.ids.append(self.do("ada", "agent.refused", {"hire": self.hires[-1], "reason": ""}, at=self.now))
        self.offers.append(self.offer(self.terms(1_000), self.dice.choice(["lisa", "james"]), at=self.now, deaf=deaf))
        self.accept(self.offers[-1], self.dice.choice(["lisa", "james"]), at=self.now, deaf=deaf)
        sides = ["lisa", "james"]
        data = {"device": text(self.pens[COPY].device), "after": self.takes[-1]}
        self.ids.append(self.do(COPY, "agent.device", data, at=self.now, deaf=sides))
        if self.dice.random() < 0.8:
            self.moved(self.hires[-1], COPY, prev=self.opening, deaf=sides)

    def moved(self, op: str, who: str = "ada", **more: Any) -> str:
        """Somebody says that 1,000 was held."""
        data = {"op": op, "milestone": 1, "amount": 1_000, "fee": 0, "ref": "r"}
        return self.moves("money.held", data, who=who, at=self.now, **more)

    def _hold(self) -> None:
        op = self.say("lisa", "fund.requested", forks._asked(self, 1_000) | {"fingerprint": NOBODY})
        data = {"op": op, "milestone": 1, "amount": 1_000, "fee": 0, "cost": 0, "ref": "r"}
        prev = self.dice.choice([self.opening, self.last])
        who = self.dice.choice([self.holder] * 3 + [f"{self.holder}+", self._ada(), "lisa"])
        who = who if who in self.pens else self.holder
        self.last = self.say(who, "money.held", data | {"prev": prev})
        self.last = self.dice.choice([self.last, prev])

    def _copy(self) -> None:
        name = self.dice.choice([self.holder, self.side()])
        if len(self.pens) < 9:
            seq = self.pens[name].seq
            copied(self, name, f"{name}+", self.dice.randint(max(0, seq - 2), seq))

    def _free(self) -> None:
        self.say(self._ada(), "message.sent", {"text": "", "files": []})


def deal(seed: int, steps: int = 25) -> Case:
    """The vector of one such deal; it is kept nowhere."""
    return Wild(seed).go(steps).case(f"of a third party, of seed {seed}")
