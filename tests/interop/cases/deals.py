"""Vectors of docs/spec/order.md, transitions.md and money.md: small deals, with what they come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from chaise_cli.ids import text
from tests.interop.cases.common import AT, Case, count
from tests.interop.cases.play import DAY, ZERO, Play

NOBODY = text(count(32, 99))


def cases() -> Iterator[Case]:
    """All of these pages."""
    yield from opened()
    yield from talked()
    yield from signed()
    yield from paid()
    yield from authorised()
    yield from judged()
    yield from worked()
    yield from cancelled()
    yield from moved()
    yield from voided()
    yield from handed()
    yield from contested()


def opened() -> Iterator[Case]:
    yield Play().case("opened by the client")
    yield Play(opener="james").case("opened by the talent, and not taken up")
    play = Play(opener="james")
    play.do("lisa", "taken")
    yield play.case("opened by the talent, and taken up")
    play = Play(opens=False)
    play.do("lisa", "deal.invited", {"note": ""})
    yield play.case("that does not begin with its opening")
    play = Play(client=text(count(32, 70)))
    yield play.case("opened by somebody else")
    play = Play(talent=Play().pens["lisa"].identity)
    yield play.case("with oneself")
    play = Play(agent=count(32, 71))
    play.do("james", "message.sent", {"text": "Hi", "files": []})
    play.do("lisa", "deal.invited", {"note": ""})
    yield play.case("of an agent device that is nobody's")
    play = Play(agent=Play().pens["james"].device)
    play.do("james", "taken")
    yield play.case("whose agent device is the talent's")
    play = Play()
    play.do("james", "deal.opened", _opening(play))
    play.do("lisa", "deal.opened", _opening(play))
    yield play.case("opened twice")


def _opening(play: Play) -> dict[str, Any]:
    lisa, james = play.pens["lisa"], play.pens["james"]
    box = {"id": ZERO, "key": text(bytes(1216))}
    return {
        "board": ZERO, "post": None, "client": lisa.identity, "talent": james.identity,
        "agent_device": text(lisa.device), "client_box": box, "talent_box": box,
    }  # fmt: skip


OFFER: Final[dict[str, Any]] = {
    "currency": "EUR", "milestones": [{"title": "All", "amount": 100, "due": None}], "tz": "UTC",
    "cover": "", "valid_until": None,
}  # fmt: skip


def talked() -> Iterator[Case]:
    play = Play()
    play.do("james", "deal.shortlisted")  # not his
    play.do("lisa", "deal.shortlisted")  # nothing proposed
    play.do("lisa", "deal.invited", {"note": "come"})
    play.do("lisa", "deal.invited", {"note": "again"})
    proposal = play.do("james", "deal.proposed", OFFER)
    play.do("lisa", "deal.proposed", OFFER)
    play.do("lisa", "deal.shortlisted")
    play.do("james", "deal.proposed", OFFER)
    play.do("lisa", "deal.declined", {"of": proposal, "reason": ""})  # a revision replaced it
    play.do("james", "deal.declined", {"of": proposal, "reason": ""})  # his own
    yield play.case("talked over")
    play = Play()
    play.do("james", "deal.declined", {"of": NOBODY, "reason": ""})
    proposal = play.do("james", "deal.proposed", OFFER)
    play.do("lisa", "deal.withdrawn", {"of": proposal})
    play.do("james", "deal.withdrawn", {"of": proposal})
    play.do("james", "deal.withdrawn", {"of": proposal})
    play.accept((proposal, ZERO), "lisa")
    proposal = play.do("james", "deal.proposed", OFFER)
    play.do("lisa", "deal.declined", {"of": proposal, "reason": "no"})
    yield play.case("withdrawn, proposed again and declined")
    play = Play()
    proposal = play.do("james", "deal.proposed", OFFER)
    play.do("james", "deal.withdrawn", {"of": proposal}, deaf=True)
    play.do("lisa", "deal.declined", {"of": proposal, "reason": ""}, deaf=True)
    yield play.case("of answers that crossed, none taken up")
    play.do("lisa", "taken", deaf=["james"])
    play.do("lisa", "taken")
    yield play.case("of answers that crossed, the client's taken up first")
    play = Play()
    large = OFFER | {"milestones": [{"title": "All", "amount": 2**53 - 1, "due": None}] * 2}
    play.do("james", "deal.proposed", large)
    yield play.case("of a proposal over what amounts can be")
    play = Play()
    play.do("james", "message.sent", {"text": "one", "files": []})
    play.do("lisa", "contact.shared", {"handle": "lisa", "name": "Lisa", "tz": "UTC", "email": None})
    play.do("james", "work.update", {"milestone": None, "text": "two", "files": []})
    yield play.case("of talk alone")


def signed() -> Iterator[Case]:
    play = Play()
    yield play.hired(600, 900).case("hired")
    play = Play()
    first = play.offer(play.terms(600))
    second = play.offer(play.terms(700), "james")
    play.accept(first)
    play.accept(first, "lisa")
    play.accept((second[0], first[1]), "lisa")
    play.accept(second, "james")
    play.accept(second, "lisa")
    play.accept(second, "lisa")
    yield play.case("hired on a counter-offer")
    play = Play()
    play.offer(play.terms(600, client=play.pens["james"].identity, talent=play.pens["lisa"].identity))
    play.offer(play.terms(600, agent=play.pens["james"].identity))
    play.offer(play.terms(600, agent_device=text(play.pens["james"].device)))
    play.offer(play.terms(600), hashed=ZERO)
    play.offer(play.terms(2**53 - 1, client_fee=1))
    play.offer(play.terms(2**53 - 1, 1))
    terms = play.terms(600)
    play.do("lisa", "terms.offered", {"terms": terms, "hash": ZERO, "signature": play.sign("james", ZERO)})
    play.do("lisa", "terms.offered", {"terms": terms | {"more": 1}, "hash": ZERO, "signature": play.sign("lisa", ZERO)})
    yield play.case("of terms that cannot be signed")
    play = Play()
    offer = play.offer(play.terms(600))
    play.accept(offer)
    play.do("lisa", "deal.withdrawn", {"of": offer[0]}, deaf=True)
    play.do("lisa", "taken")
    yield play.case("whose offer was withdrawn before the acceptance was taken up")


def _clawed_back() -> Case:
    """A payer's rail takes back more than it may, what it may, the same again, and what the fee was paid with."""
    play = Play().hired(1_000, 500, client_fee=250)
    back: dict[str, object] = {"milestone": 1, "amount": 1, "cost": 0, "ref": "b"}
    play.do("lisa", "money.reversed", back | {"prev": play.opening})
    play.held(1_000, 25)
    for data in ({"amount": 1_026}, {"amount": 0}, {"ref": " "}, {"milestone": 2}, {"milestone": 3}):
        play.do("lisa", "money.reversed", back | data | {"prev": play.last})
    play.do("james", "money.reversed", back | {"prev": play.last})
    play.moves("money.reversed", back | {"amount": 1_000, "cost": 15})
    play.release(play.give("lisa", total=600), 600)
    play.do("lisa", "money.reversed", back | {"prev": play.last})
    play.refund(play.give("james", total=400), 400, 10)
    play.do("lisa", "money.reversed", back | {"prev": play.last, "amount": 26, "ref": "c"})
    play.moves("money.reversed", back | {"amount": 25, "ref": "c"})
    return play.case("clawed back, after a release and a refund too")


def paid() -> Iterator[Case]:
    play = Play().hired(100_001, client_fee=250, talent_fee=1_000)
    hold = play.held(100_001, 2_500)
    play.deliver()
    some = play.give("lisa", total=33_333)
    play.release(some, 33_333, 3_333)
    rest = play.give("lisa", hold=hold)
    play.release(rest, 66_668, 6_667)
    james = play.pens["james"].identity
    play.moves("money.paid_out", {"milestone": 1, "to": james, "amount": 90_001, "cost": 17, "ref": "bank"})
    play.moves("money.paid_out", {"milestone": 1, "to": james, "amount": 1, "cost": 0, "ref": "bank"})
    yield play.case("paid out with fees, in two parts")
    play = Play().hired(1_000, client_fee=333, talent_fee=777)
    play.held(1_000, 33)
    back = play.give("james", total=400)
    play.refund(back, 400, 14)
    on = play.give("lisa", total=600)
    play.release(on, 600, 46)
    lisa = play.pens["lisa"].identity
    play.moves("money.paid_out", {"milestone": 1, "to": lisa, "amount": 500, "cost": 0, "ref": "bank"})
    play.moves("money.paid_out", {"milestone": 1, "to": lisa, "amount": 0, "cost": 0, "ref": "bank"}, prev=play.last)
    yield play.case("given back in part")
    yield _clawed_back()
    play = Play().hired(1_000, 500)
    play.held(400)
    play.held(1_000)
    yield play.case("of a top-up whose amount is not what its end leaves")
    play = Play().hired(1_000, 500)
    play.held(400)
    op = play.fund(1_000)
    play.moves("money.held", {"op": op, "milestone": 1, "amount": 600, "fee": 0, "cost": 0, "ref": "r"})
    play.fund(1_000)
    play.fund(1_001)
    play.fund(0)
    play.fund(500, 2, currency="USD")
    play.fund(500, 3)
    refused = play.fund(500, 2)
    play.moves("money.refused", {"op": refused, "reason": "declined"})
    yield play.case("topped up, and refused")


def authorised() -> Iterator[Case]:
    play = Play().hired(1_000)
    hold = play.held(1_000)
    one = play.give("lisa", amount=300, request_id="a")
    play.give("lisa", amount=300, request_id="a")
    play.give("lisa", amount=300, request_id="a", fingerprint=NOBODY)
    two = play.give("lisa", amount=300, request_id="b")
    play.give("lisa", amount=300)
    play.give("lisa", amount=0, request_id="c")
    play.give("lisa", amount=1, total=2, request_id="d")
    play.give("lisa", total=0)
    play.give("lisa", amount=401, request_id="e")
    play.give("lisa", total=600)
    play.give("lisa", total=500, currency="USD")
    play.give("james", hold=NOBODY)
    play.give("james")
    play.give("james", hold=hold)
    play.give("james", total=1_000)
    play.give("lisa", total=700)
    yield play.case("of releases that reserve")
    play.release(two, 300)
    play.last = hold
    play.release(one, 300)
    play.release(two, 300)
    yield play.case("of releases out of turn")
    play = Play().hired(1_000)
    play.give("lisa", total=100)
    play.held(1_000)
    play.give("james", total=1_000, deaf=True)
    play.give("lisa", total=100)
    play.do("lisa", "taken")
    yield play.case("of a release and a refund that crossed")


def judged() -> Iterator[Case]:
    play = Play().hired(1_000, 500)
    play.do("james", "deal.signing_key", {"key": NOBODY})
    play.run(total=600)
    play.held(1_000)
    play.run(who="james", total=600)
    wrongs: list[dict[str, Any]] = [
        {"milestone": 3}, {"currency": "USD"}, {"total": None}, {"total": 0}, {"verdict": "deny"}, {"policy": NOBODY},
        {"files": []}, {"evidence": []}, {"delivery": NOBODY}, {"verdict": "deny", "total": None},
    ]  # fmt: skip
    for wrong in wrongs:
        play.run(**wrong)
    yield play.case("of verdicts on record, and of some that contradict themselves")
    play = Play().hired(1_000, 500)
    early = play.run(total=600)
    play.held(1_000)
    delivery = play.deliver()
    play.give("lisa", total=100, run=early)
    play.give("lisa", total=100, run=NOBODY)
    theirs = play.run(who="james", total=600, delivery=delivery)
    play.give("lisa", total=100, run=theirs)
    denied = play.run(verdict="deny", total=None, delivery=delivery)
    play.give("lisa", total=100, run=denied)
    other = play.run(milestone=2, total=500)
    play.give("lisa", total=100, run=other)
    allowed = play.run(total=600, delivery=delivery)
    play.give("lisa", total=601, run=allowed)
    play.give("lisa", amount=100, request_id="q", run=allowed)
    play.give("lisa", total=600, run=allowed)
    play.give("lisa", total=600, run=NOBODY)
    play.changes()
    play.deliver()
    play.give("lisa", total=600, run=allowed)
    play.give("lisa", total=700, run=allowed)
    yield play.case("of releases that rest on verdicts")


def worked() -> Iterator[Case]:
    play = Play().hired(1_000)
    play.deliver()
    play.held(1_000)
    play.do("james", "work.delivered", {"milestone": 1, "note": " ", "files": []})
    play.deliver()
    play.deliver()
    play.changes(" ")
    play.changes()
    play.deliver()
    play.changes()
    play.do("james", "work.changes_requested", {"milestone": 1, "reason": "x"})
    yield play.case("of changes, as many as agreed")
    play = Play().hired(1_000)
    play.held(1_000)
    play.deliver()
    play.do("lisa", "taken", at=AT)
    play.release(None, 1_000, at=AT + 14 * DAY - 1)
    yield play.case("whose deadline has not passed")
    play = Play().hired(1_000)
    play.held(1_000)
    play.deliver()
    play.do("lisa", "taken", at=AT)
    play.release(None, 1_000, at=AT + 14 * DAY)
    yield play.case("whose deadline has passed")
    play = Play().hired(1_000)
    play.held(1_000)
    play.deliver()
    play.do("lisa", "taken", at=AT)
    play.give("james", total=400)
    play.give("lisa", total=100)
    play.do("lisa", "taken", at=AT + 15 * DAY)
    play.release(None, 500, at=AT + 16 * DAY)
    yield play.case("whose deadline waits for an open release")
    play = Play().hired(1_000)
    play.held(1_000)
    play.deliver()
    play.do("lisa", "taken", at=AT)
    play.changes(at=AT + 20 * DAY)
    yield play.case("of changes asked for after an absence")
    play = Play().hired(1_000)
    play.held(1_000)
    play.deliver()
    play.do("lisa", "taken", at=AT)
    play.do("lisa", "taken", at=AT + 14 * DAY)
    play.changes(at=AT + 14 * DAY + 1)
    yield play.case("of changes asked for too late")
    play = Play().hired(1_000, auto_release=False)
    play.held(1_000)
    play.deliver()
    play.do("lisa", "taken", at=AT)
    play.release(None, 1_000, at=AT + 999 * DAY)
    yield play.case("without auto-release")
    play = Play().hired(1_000)
    play.held(1_000)
    play.deliver(at=AT + 300 * DAY)
    yield play.case("of a delivery that nobody took up")


def cancelled() -> Iterator[Case]:
    def asked(play: Play, who: str = "lisa") -> str:
        return play.do(who, "cancel.requested", {"milestone": 1, "reason": ""})

    play = Play().hired(1_000, 500)
    asked(play)
    asked(play)
    play.fund(1_000)
    yield play.case("cancelled before any money")
    for word, who in (("accepted", "james"), ("declined", "james"), ("withdrawn", "lisa")):
        play = Play().hired(1_000)
        play.held(1_000)
        some = play.give("lisa", total=300)
        request = asked(play)
        asked(play, "james")
        play.do("lisa" if who == "james" else "james", f"cancel.{word}", {"request": request})
        answer = play.do(who, f"cancel.{word}", {"request": request})
        play.do(who, f"cancel.{word}", {"request": request})
        play.do("lisa", "taken")
        play.refund(answer, 700)
        if word == "accepted":
            play.release(some, 300)
        yield play.case(f"whose cancelling was {word}")
    play = Play().hired(1_000)
    play.held(1_000)
    request = asked(play, "james")
    play.do("lisa", "taken", at=AT)
    play.refund(request, 1_000, at=AT + 7 * DAY - 1)
    play.last = play.pens["lisa"].head(3)[2]
    play.refund(request, 1_000, at=AT + 7 * DAY)
    yield play.case("whose cancelling was left without an answer")
    play = Play().hired(1_000)
    play.held(1_000)
    asked(play)
    play.deliver()
    play.do("lisa", "taken")
    yield play.case("whose cancelling ends with a delivery")


def moved() -> Iterator[Case]:
    play = Play().hired(1_000)
    op = play.fund(1_000)
    data: dict[str, object] = {"op": op, "milestone": 1, "amount": 1_000, "fee": 0, "cost": 0, "ref": "r"}
    play.do("james", "money.held", data | {"prev": play.opening})
    play.do("lisa", "money.held", data | {"prev": op})
    play.do("lisa", "money.held", data | {"prev": play.opening, "op": NOBODY})
    play.do("lisa", "money.held", data | {"prev": play.opening, "milestone": 2})
    play.do("lisa", "money.held", data | {"prev": play.opening, "amount": 999})
    play.do("lisa", "money.held", data | {"prev": play.opening, "fee": 1})
    play.do("lisa", "money.released", {"op": op, "milestone": 1, "amount": 1, "fee": 0, "prev": play.opening})
    play.do("lisa", "money.released", {"op": None, "milestone": 9, "amount": 1, "fee": 0, "prev": play.opening})
    play.do("lisa", "money.refunded", {"op": op, "milestone": 9, "amount": 1, "fee": 0, "prev": play.opening})
    play.do("lisa", "money.released", {"op": None, "milestone": 1, "amount": 1, "fee": 0, "prev": play.opening})
    play.do("lisa", "money.refused", {"op": NOBODY, "reason": "", "prev": play.opening})
    paid_out = {
        "milestone": 1,
        "to": play.pens["james"].identity,
        "amount": 1,
        "cost": 0,
        "prev": play.opening,
        "ref": "r",
    }
    play.do("lisa", "money.paid_out", paid_out)
    yield play.case("of movements that nothing asks for")
    play.moves("money.held", data)
    play.do("lisa", "money.paid_out", paid_out | {"prev": play.last})
    play.do("lisa", "money.paid_out", paid_out | {"prev": play.last, "to": NOBODY, "ref": " "})
    yield play.case("of the one movement that is asked for")


def voided() -> Iterator[Case]:
    play = Play()
    play.device("mallory", "mallory's root")
    play.do("mallory", "deal.invited", {"note": ""})
    play.do("mallory", "message.sent", {"text": "psst", "files": []})
    play.do("lisa", "deal.invited", {"note": "come"})
    yield play.case("that a stranger wrote into")
    play = Play()
    james = play.pens["james"]
    play.do("james", "future.kind", {}, optional=True)
    play.do("james", "deal.invited", {})
    play.do("james", "post.closed", {"post": ZERO, "reason": "closed"})
    james.put(count(96), play.pens["lisa"].events[-1].epoch)
    james.seal(b"{}" + bytes(62))
    james.seal(bytes(64))
    play.do("james", "deal.proposed", OFFER)
    play.do("lisa", "taken")
    yield play.case("of events that say nothing")
    play = Play()
    play.do("james", "deal.proposed", OFFER, cert=None)
    play.do("james", "deal.proposed", OFFER)
    play.do("james", "deal.proposed", {})
    play.do("lisa", "taken")
    yield play.case("of a device that proves nothing")
    play = Play()
    play.pens["james"].put(count(96), play.pens["lisa"].events[-1].epoch)
    play.do("james", "deal.proposed", OFFER)
    yield play.case("of a device whose first event does not open")
    play = Play()
    play.do("james", "deal.proposed", OFFER)
    play.do("lisa", "deal.shortlisted")
    play.lost.add("james")
    yield play.case("of which one side has not come yet")
    play = Play()
    play.do("james", "deal.proposed", OFFER)
    device, _, id_ = play.pens["james"].head()
    play.pens["lisa"].tell("deal.shortlisted", {}, seen=[(device, 1, id_)])
    play.do("lisa", "taken")
    yield play.case("that cites an event at another place than it has")
    play = Play()
    play.do("james", "deal.proposed", OFFER)
    play.pens["james"].put(count(96), count(8))
    play.do("james", "deal.proposed", OFFER)
    yield play.case("of an epoch whose key is not here")
    play = Play()
    play.do("james", "deal.proposed", OFFER, deaf=True)
    play.do("lisa", "deal.invited", {"note": ""}, deaf=True)
    yield play.case("of two events of one lamport")
    play.do("lisa", "taken")
    yield play.case("of two events of one lamport, taken up in turn")


def _given(named: str, after: str | None = None) -> Play:
    """Terms that name a device, behind a handover to the phone that nobody took up."""
    play = Play()
    play.device("phone")
    play.moved_to("lisa", "phone", after or play.opening)
    play.offer(play.terms(1_000, agent_device=text(play.pens[named].device)), "james")
    return play


def handed() -> Iterator[Case]:
    yield _given("phone").case("of terms that name the device which has the role and has said nothing")
    yield _given("lisa").case("of terms that name the device which gave the role away")
    yield _given("phone", NOBODY).case("of terms that name a device which never got the role")
    yield _given("lisa", NOBODY).case("of terms that name the device which kept the role")
    play = Play().hired(1_000)
    play.device("phone")
    after = play.pens["lisa"].head()[2]
    play.do("james", "message.sent", {"text": "Hi", "files": []})
    play.moved_to("phone", "phone", after)
    play.held(1_000)
    yield play.case("whose old device moved money behind the handover")
    play = Play().hired(1_000)
    play.device("phone")
    after = play.pens["lisa"].head()[2]
    play.moved_to("phone", "phone", after)
    op = play.fund(1_000)
    data = {"op": op, "milestone": 1, "amount": 1_000, "fee": 0, "ref": "r"}
    play.moves("money.held", data, who="phone")
    play.do("lisa", "taken")
    yield play.case("whose new device moves money")
    play = Play().hired(1_000)
    play.device("phone")
    play.moved_to("lisa", "phone", play.pens["lisa"].head()[2])
    yield play.case("whose role was given to a device that has said nothing")
    play.do("phone", "message.sent", {"text": "here", "files": []})
    play.do("phone", "taken")
    yield play.case("whose role was given away")
    play.moved_to("lisa", "lisa", play.pens["phone"].head()[2])
    play.do("lisa", "taken")
    yield play.case("whose role cannot be given back")
    play = Play().hired(1_000)
    after = play.pens["lisa"].head()[2]
    play.do("james", "deal.invited", {"note": ""})
    play.do("lisa", "taken")
    for name in ("phone", "tablet"):
        play.device(name)
        play.moved_to(name, name, after, deaf=["james", "phone", "tablet"])
    play.do("phone", "taken")
    play.do("tablet", "taken")
    yield play.case("that two devices took over at one place")
    play = Play().hired(1_000)
    after = play.pens["lisa"].head()[2]
    play.device("watch")
    play.moved_to("watch", "watch", after, cert=play.certify("watch", "device"))
    play.moved_to("james", "james", after)
    play.device("phone")
    play.moved_to("phone", "phone", NOBODY)
    play.do("lisa", "taken")
    yield play.case("of handovers that do not count")


def contested() -> Iterator[Case]:
    play = Play(agent=count(32, 71))
    play.moved_to("lisa", "lisa", play.opening)
    play.hired(1_000)
    yield play.case("of an agent device that is nobody's, taken over by the client")
    play = Play(opener="james")
    play.device("phone")
    play.moved_to("phone", "phone", play.opening)
    play.do("phone", "taken")
    play.do("lisa", "taken")
    yield play.case("whose agent device has said nothing, taken over")
    play = Play()
    play.device("phone")
    play.moved_to("lisa", "phone", play.opening)
    play.offer(play.terms(600))
    play.do("phone", "taken")
    play.offer(play.terms(600, agent_device=text(play.pens["phone"].device)))
    play.do("phone", "taken")
    yield play.case("whose terms name the device that has the role")
