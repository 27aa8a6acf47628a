"""Deals with devices that were copied, that certified others, and that were revoked: by hand, and of a seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from chaise_cli.ids import DeviceId, text
from chaise_cli.ledger import canonical, certificate
from chaise_cli.ledger import revocation as statement
from tests.interop.cases import chance
from tests.interop.cases.common import AT, Case
from tests.interop.cases.play import BOX, DAY, Play


def copied(play: Play, name: str, to: str, at: int) -> None:
    """A copy of a device, from its event `at` on; neither hears of what the other writes from there."""
    play.pens[to] = play.pens[name].fork(at)
    play.parted[to] = at


def certified(play: Play, name: str, by: str, kind: certificate.Kind = "admin") -> list[object]:
    """A device's certificates, signed by another device of the root's."""
    pen, above = play.pens[name], play.pens[by]
    made = certificate.issue(above.signer, kind, above.identity, DeviceId(text(pen.device)), name, AT)
    return [made.value(), *play.certify(by, "admin")]


def revoke(
    play: Play, who: str, target: str, *, last: int | None = None, keeps: Sequence[str] = (), by: str = "", **more: Any
) -> str:
    """A revocation of `target` behind its event `last`, signed by the writer's root, or by the device `by`."""
    pen, other = play.pens[who], play.pens[target]
    device = DeviceId(text(other.device))
    kept = sorted({DeviceId(text(play.pens[name].device)) for name in keeps})
    signer = play.pens[by].signer if by else pen.root
    chain = [canonical.encode(one).decode() for one in play.certify(by, "admin")] if by else []
    data = {
        "device": device,
        "last": None if last is None else {"seq": last, "id": text(other.ids[last + 1])},
        "keeps": kept, "at": AT, "by": text(signer.public), "certificates": chain,
        "signature": statement.sign(signer, pen.identity, device, kept, AT), "box": BOX,
    }  # fmt: skip
    return play.do(who, "deal.device_revoked", data, **more)


class Wild(chance.Chance):
    """A deal of chance in which devices are copied, settled on, and revoked."""

    def go(self, steps: int) -> Play:
        """So many acts, one in four of these."""
        wild: Final = (self._copy, self._settle, self._settle, self._revoke, self._deep, self._open)
        for _ in range(steps):
            if self.dice.random() < 0.25:
                self.dice.choice(wild)()
            else:
                self.dice.choice(chance.ACTS)(self)
        return self

    def _copy(self) -> None:
        name = self.side()
        if len(self.pens) < 9:
            seq = self.pens[name].seq
            copied(self, name, f"{name}+", self.dice.randint(min(seq, 1), seq))

    def _open(self) -> None:
        """The device that made the space opens the deal once more in a copy of its home, perhaps with others."""
        maker = next(name for name, pen in self.pens.items() if pen.ids[1:2] == [self.space])
        copied(self, maker, f"{maker}!", 1)
        data = _opening(self)
        if self.dice.random() < 0.3:
            data["agent_device"] = text(self.pens[self.side()].device)
        if self.dice.random() < 0.1:
            data["client"] = self.pens[self.side()].identity
        self.ids.append(self.do(f"{maker}!", "deal.opened", data, at=self.now, deaf=self.dice.random() < 0.7))

    def _settle(self) -> None:
        last = self.dice.choice(self.ids)
        for who in self.dice.sample([self.client(), self.talent()], self.dice.choice([1, 2, 2])):
            self.say(who, "agent.settled", {"last": last})

    def _revoke(self) -> None:
        target, who = self.side(), self.side()
        seq = self.pens[target].seq
        last = self.dice.choice([None, self.dice.randrange(seq)]) if seq else None
        keeps = [name for name in self.pens if self.dice.random() < 0.3]
        by = self.dice.choice(["", "", *(name for name in self.pens if self.pens[name].root is not None)])
        if by and self.pens[by].identity != self.pens[who].identity:
            by = ""
        self.now += self.dice.choice([0, DAY])
        deaf = self.dice.random() < 0.25
        self.ids.append(revoke(self, who, target, last=last, keeps=keeps, by=by, at=self.now, deaf=deaf))

    def _deep(self) -> None:
        by = self.dice.choice([name for name in self.pens if self.pens[name].identity == self.pens["lisa"].identity])
        if "deep" not in self.pens:
            self.device("deep")
            self.ids.append(self.do("deep", "taken", cert=certified(self, "deep", by), at=self.now))


def deal(seed: int, steps: int = 25) -> Case:
    """The vector of one such deal; it is kept nowhere."""
    return Wild(seed).go(steps).case(f"of copies, of seed {seed}")


def cases() -> Iterator[Case]:
    """Of docs/spec/order.md, "Forks", and docs/spec/devices.md, "In deals"."""
    yield from _copies()
    yield from _revocations()


def _two() -> Play:
    """Two copies of the client's device that both go on from signed terms."""
    play = Play().hired(1_000)
    copied(play, "lisa", "copy", play.pens["lisa"].seq)
    return play


def _copies() -> Iterator[Case]:
    play = _two()
    play.do("copy", "taken", at=AT + 1)
    play.do("lisa", "taken")
    yield play.case("of a device with two histories, and money on neither")
    play = _two()
    play.do("copy", "taken", at=AT + 1)
    play.held(1_000)
    yield play.case("of a device with two histories, and money on one")
    play = _two()
    op = play.fund(1_000)
    other = play.do("copy", "fund.requested", _asked(play, 500), at=AT + 1)
    before = play.last
    first = play.moves("money.held", _held(op, 1_000), prev=before)
    second = play.moves("money.held", _held(other, 500), who="copy", prev=before)
    yield play.case("of a device with two histories, and money on both")
    for last in (second, first):
        play.do("lisa", "agent.settled", {"last": last})
    yield play.case("of which one side alone has said which history stands")
    play.do("james", "agent.settled", {"last": second})
    yield play.case("of which both sides have said which history stands")
    play.do("james", "agent.settled", {"last": first})
    yield play.case("of which both sides have said two things")
    play = Play(opens=False)
    copied(play, "lisa", "again", 1)
    for name, at in (("lisa", AT), ("again", AT + 1)):
        play.do(name, "deal.opened", _opening(play), at=at)
    yield play.case("with two openings")
    play.do("james", "message.sent", {"text": "Hi", "files": []}, deaf=["lisa"])
    play.do("again", "taken")
    yield play.case("with two openings, one of which has gone on")
    play.device("phone")
    play.moved_to("phone", "phone", text(play.pens["lisa"].ids[2]))
    yield play.case("with two openings, one of which another device has followed")


def _asked(play: Play, total: int) -> dict[str, Any]:
    return {"milestone": 1, "total": total, "currency": "EUR", "request_id": None, "fingerprint": play.opening}


def _held(op: str, amount: int) -> dict[str, Any]:
    return {"op": op, "milestone": 1, "amount": amount, "fee": 0, "ref": "r"}


def _opening(play: Play) -> dict[str, Any]:
    lisa, james = play.pens["lisa"], play.pens["james"]
    return {
        "board": text(bytes(32)), "post": None, "client": lisa.identity, "talent": james.identity,
        "agent_device": text(lisa.device), "client_box": BOX, "talent_box": BOX,
    }  # fmt: skip


def _stolen() -> tuple[Play, int]:
    """The client's first device holds money and then gives it away; her phone has heard of the first alone."""
    play = Play().hired(1_000)
    play.held(1_000)
    play.device("phone")
    known = play.pens["lisa"].seq - 1
    play.do("phone", "message.sent", {"text": "mine", "files": []})
    return play, known


def _thief(play: Play) -> None:
    op = play.give("lisa", total=1_000)
    play.moves("money.released", {"op": op, "milestone": 1, "amount": 1_000, "fee": 0})


def _saved(play: Play, known: int, **more: Any) -> None:
    last = text(play.pens["lisa"].ids[known + 1])
    revoke(play, "phone", "lisa", last=known, deaf=["lisa"], **more)
    play.moved_to("phone", "phone", last, deaf=["lisa"])
    play.do("phone", "taken", deaf=["lisa"])


def _revocations() -> Iterator[Case]:
    play, known = _stolen()
    _thief(play)
    yield play.case("whose agent device was stolen")
    _saved(play, known)
    yield play.case("whose stolen device was revoked by the root")
    play, known = _stolen()
    _thief(play)
    play.do("james", "taken")
    _saved(play, known)
    yield play.case("whose stolen device was revoked after the talent had heard of what it did")
    play, known = _stolen()
    _saved(play, known)
    _thief(play)
    play.do("james", "taken")
    yield play.case("whose stolen device goes on after it was revoked")
    play, known = _stolen()
    _saved(play, known, by="phone")
    yield play.case("whose device was revoked by one as far from the root")
    play = Play().hired(1_000)
    revoke(play, "james", "lisa")
    play.held(500)
    yield play.case("whose talent revokes a device of the client's")
    play = Play().hired(1_000)
    revoke(play, "lisa", "lisa")
    play.do("lisa", "taken")
    yield play.case("whose device revokes itself")
    for keeps, name in (([], "with what it certified"), (["deep"], "but not what it certified")):
        play = Play().hired(1_000)
        play.device("phone")
        play.device("deep")
        play.do("phone", "message.sent", {"text": "", "files": []})
        play.do("deep", "message.sent", {"text": "", "files": []}, cert=certified(play, "deep", "phone"))
        revoke(play, "lisa", "phone", last=0, keeps=keeps)
        play.do("deep", "deal.withdrawn", {"of": play.opening})
        play.do("phone", "deal.withdrawn", {"of": play.opening})
        play.do("lisa", "taken")
        yield play.case(f"whose device was revoked, {name}")
