"""Deals of a seed: acts likely and unlikely, by either side or device, who have heard of one another or have not."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from chaise_cli.ids import text
from tests.interop.cases.common import AT, Case
from tests.interop.cases.deals import NOBODY, OFFER
from tests.interop.cases.play import DAY, Play

Act = Callable[["Chance"], None]


class Chance(Play):
    """A deal in which a seed decides what happens next."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        super().__init__(opener=self.dice.choice(["lisa", "lisa", "james"]))
        self.now = AT
        self.ids = [self.opening]
        self.offers: list[tuple[str, str]] = []
        if self.dice.random() < 0.8:
            fees = {"client_fee": self.dice.choice([0, 250]), "talent_fee": self.dice.choice([0, 1_000])}
            self.hired(1_000, 500, auto_release=self.dice.random() < 0.8, **fees)

    def any(self) -> str:
        """Some event that was written, mostly a late one."""
        return self.dice.choice([*self.ids[-4:], self.dice.choice(self.ids), NOBODY])

    def say(self, who: str, kind: str, data: Any = None) -> str:
        """Write something, now, having heard or not of what the others wrote."""
        self.now += self.dice.choice([0, 1, DAY, 8 * DAY])
        made = self.do(who, kind, data, at=self.now, deaf=self.dice.random() < 0.25)
        self.ids.append(made)
        return made

    def go(self, steps: int) -> Play:
        """So many acts."""
        for _ in range(steps):
            self.dice.choice(ACTS)(self)
        return self

    def side(self) -> str:
        """A side, or another device of the client."""
        return self.dice.choice(sorted(self.pens))

    def client(self) -> str:
        """Mostly a device of the client."""
        return self.dice.choice([name for name in sorted(self.pens) if name != "james"] * 4 + ["james"])

    def talent(self) -> str:
        """Mostly the talent."""
        return self.dice.choice(["james"] * 5 + ["lisa"])

    def some(self) -> int:
        """An amount."""
        return self.dice.choice([0, 1, 250, 500, 1_000, 1_001])


def _offered(play: Chance) -> None:
    terms = play.terms(1_000, 500, review_ms=play.dice.choice([0, 14 * DAY]))
    if play.dice.random() < 0.3:
        terms["agent_device"] = text(play.pens[play.client()].device)
    play.offers.append(play.offer(terms, play.side(), at=play.now, deaf=play.dice.random() < 0.25))
    play.ids.append(play.offers[-1][0])


def _accepted(play: Chance) -> None:
    if play.offers:
        play.ids.append(play.accept(play.dice.choice(play.offers), play.talent(), at=play.now))


def asked(play: Chance, *, steps: bool) -> dict[str, Any]:
    """What asks for money: to a total, or (steps) by an amount or all."""
    way = play.dice.choice(["total", "all", "amount"]) if steps else "total"
    named = play.dice.choice([None, "q1", "q2"]) if way != "amount" else play.dice.choice(["q1", "q2", "q3", None])
    data: dict[str, Any] = {
        "milestone": play.dice.choice([1, 1, 1, 2, 3]), "total": None,
        "currency": play.dice.choice(["EUR"] * 9 + ["USD"]),
        "request_id": named, "fingerprint": play.dice.choice([NOBODY] * 4 + [play.opening]),
    }  # fmt: skip
    if way == "total":
        data["total"] = play.some()
    if steps:
        data |= {"amount": play.some() if way == "amount" else None, "hold": play.any() if way == "all" else None}
    return data


def _moved(kind: str) -> Act:
    def act(play: Chance) -> None:
        data: dict[str, Any] = {
            "op": play.any(),
            "milestone": play.dice.choice([1, 1, 2]),
            "amount": play.some(),
            "fee": 0,
        }
        if kind == "money.held":
            data |= {"cost": 0, "ref": "r"}
        if kind == "money.released" and play.dice.random() < 0.3:
            data["op"] = None
        if kind == "money.refused":
            data = {"op": data["op"], "reason": ""}
        if kind == "money.paid_out":
            to = play.pens[play.side()].identity
            data = {"milestone": 1, "to": to, "amount": play.some(), "cost": 3, "ref": play.dice.choice(["r", " "])}
        if kind == "money.reversed":
            data = {"milestone": 1, "amount": play.some(), "cost": 0, "ref": play.dice.choice(["r", "s", "t"])}
        made = play.say(play.client(), kind, data | {"prev": play.dice.choice([play.last] * 5 + [play.any()])})
        if play.dice.random() < 0.7:
            play.last = made

    return act


def _funded(play: Chance) -> None:
    total = play.dice.choice([500, 1_000])
    fee = play.dice.choice([0, 0, total * 250 // 10_000])
    op = play.say(
        "lisa", "fund.requested", asked(play, steps=False) | {"milestone": 1, "total": total, "currency": "EUR"}
    )
    data = {"op": op, "milestone": 1, "amount": total, "fee": fee, "cost": 0, "ref": "r"}
    play.last = play.say("lisa", "money.held", data | {"prev": play.last})


def _handed(play: Chance) -> None:
    name = play.dice.choice(["phone", "tablet"])
    if name not in play.pens:
        play.device(name)
    kind = play.dice.choice(["admin", "admin", "device"])
    if play.pens[name].seq == 0 and kind == "device":
        play.do(name, "message.sent", {"text": "", "files": []}, cert=play.certify(name, "device"))
    giver = play.dice.choice([name, name, *sorted(play.pens)])
    play.say(giver, "agent.device", {"device": text(play.pens[name].device), "after": play.any()})


def _note(play: Chance) -> dict[str, Any]:
    return {"milestone": play.dice.choice([1, 1, 2]), "note": play.dice.choice(["done", "done", " "]), "files": []}


def _spoken(who: Callable[[Chance], str], kind: str, data: dict[str, Any] | Callable[[Chance], dict[str, Any]]) -> Act:
    def act(play: Chance) -> None:
        play.say(who(play), kind, data(play) if callable(data) else data)

    return act


def _any(key: str, **more: str) -> Callable[[Chance], dict[str, Any]]:
    return lambda play: {key: play.any(), **more}


ACTS: Final[list[Act]] = [
    _offered, _accepted, _funded, _funded, _handed,
    _spoken(Chance.client, "taken", {}),
    _spoken(Chance.client, "taken", {}),
    _spoken(Chance.client, "deal.invited", {"note": ""}),
    _spoken(Chance.talent, "deal.proposed", OFFER),
    _spoken(Chance.client, "deal.shortlisted", {}),
    _spoken(Chance.side, "deal.declined", _any("of", reason="")),
    _spoken(Chance.side, "deal.withdrawn", _any("of")),
    _spoken(Chance.side, "message.sent", {"text": "", "files": []}),
    _spoken(Chance.client, "fund.requested", lambda play: asked(play, steps=False)),
    _spoken(Chance.client, "release.authorized", lambda play: asked(play, steps=True) | {"run": None}),
    _spoken(Chance.client, "release.authorized", lambda play: asked(play, steps=True) | {"run": None}),
    _spoken(Chance.talent, "refund.authorized", lambda play: asked(play, steps=True)),
    _spoken(Chance.talent, "work.delivered", _note),
    _spoken(Chance.talent, "work.delivered", _note),
    _spoken(Chance.client, "work.changes_requested", {"milestone": 1, "reason": "x"}),
    _spoken(Chance.side, "cancel.requested", {"milestone": 1, "reason": ""}),
    *(_spoken(Chance.side, f"cancel.{word}", _any("request")) for word in ("accepted", "declined", "withdrawn")),
    *(_moved(f"money.{word}") for word in ("held", "refused", "released", "released", "refunded", "paid_out")),
    _moved("money.reversed"),
]  # fmt: skip


def deal(seed: int, steps: int = 25) -> Case:
    """The vector of one such deal; it is kept nowhere."""
    return Chance(seed).go(steps).case(f"of seed {seed}")
