"""The agent's role on other devices: what moves it, and that every replica agrees, whatever came first."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaise_cli.domain import deal as deals
from chaise_cli.domain import order, talk
from chaise_cli.ids import DeviceId, EventId, SpaceId, text
from chaise_cli.ledger import certificate
from chaise_cli.session import profiles
from chaise_cli.session.session import Session
from tests.fakes import homes
from tests.fakes.homes import Market
from tests.fakes.pen import Pen, certify, signer
from tests.interop import deals as deals_told
from tests.interop.cases.play import Play

SECRET = bytes(range(32))
HELLO = talk.MessageSent("Hello", ())


class Client:
    """A client with two devices in a deal with the owner of a home, who is the talent."""

    def __init__(self, talent: Session) -> None:
        self.laptop = Pen("laptop", root="client", secret=SECRET).genesis()
        box = profiles.box_key(talent)
        self.laptop.wrap([(talent.me.identity, homes.raw(box.key))])
        opened = deals.DealOpened(
            SpaceId(text(bytes(32))), None, self.laptop.identity, talent.me.identity,
            DeviceId(text(self.laptop.device)), box, box,
        )  # fmt: skip
        self.laptop.say(opened)
        self.phone = Pen("phone", root="client", space=self.laptop.id, secret=SECRET)

    @property
    def id(self) -> SpaceId:
        return self.laptop.id

    def tip(self, pen: Pen) -> EventId:
        return EventId(text(pen.ids[-1]))


def move(to: Pen, after: EventId) -> order.AgentDevice:
    return order.AgentDevice(DeviceId(text(to.device)), after)


def line(session: Session, deal: SpaceId) -> list[tuple[bytes, int]]:
    """The events that were taken up, by their place."""
    rows = homes.state(session, deal)["event"]
    return sorted((row[0], row[1]) for row in rows if row[5] is not None)


def sound(session: Session, deal: SpaceId) -> bool:
    return homes.unsound(session, deal) == []


def test_another_device_of_the_agent_takes_the_role_over(james: Session) -> None:
    client = Client(james)
    client.phone.say(move(client.phone, client.tip(client.laptop)), seen=[client.laptop.head()])
    homes.deliver(james, client.id, [client.laptop.run(), client.phone.run()])
    homes.write(james, client.id, homes.OFFER)
    head = next(
        head for head in homes.HomeReplica(james).heads(homes.raw(client.id)) if text(head.device) == james.me.device
    )
    client.phone.say(order.Taken(), seen=[(text(head.device), head.seq, text(head.id))])
    homes.deliver(james, client.id, [client.phone.run(1)])
    assert homes.state(james, client.id)["pending"] == []
    assert sound(james, client.id)


def test_a_role_given_away_counts_from_the_new_devices_next_word(james: Session) -> None:
    """The old device hands over; what the new one writes later is taken up, although nobody moves the role again."""
    client = Client(james)
    client.laptop.say(move(client.phone, client.tip(client.laptop)))
    homes.deliver(james, client.id, [client.laptop.run()])
    client.phone.say(order.Taken(), seen=[client.laptop.head()])
    homes.deliver(james, client.id, [client.phone.run()])
    assert (client.phone.device, 0) in line(james, client.id)
    assert sound(james, client.id)


@pytest.mark.parametrize("to", ["phone", "talent"])
@pytest.mark.parametrize("word", ["taken", "money.held"])
def test_a_device_that_gave_the_role_away_is_judged_alike_bit_by_bit_and_at_once(
    market: Market, tmp_path: Path, to: str, word: str
) -> None:
    """It goes on before the new device has said anything; the talent's own device never will."""
    with market.visit(tmp_path / "a", "james") as (one,), market.visit(tmp_path / "b", "james") as (other,):
        client = Client(one)
        device = DeviceId(text(client.phone.device)) if to == "phone" else one.me.device
        client.laptop.say(order.AgentDevice(device, client.tip(client.laptop)))
        homes.deliver(one, client.id, [client.laptop.run()])
        at = client.laptop.seq
        client.laptop.tell(word, {} if word == "taken" else {"milestone": 1})
        homes.deliver(one, client.id, [client.laptop.run(at)])
        homes.deliver(other, client.id, [client.laptop.run()])
        assert sound(one, client.id)
        assert homes.state(one, client.id) == homes.state(other, client.id)


def test_no_device_gets_the_role_twice(market: Market, tmp_path: Path) -> None:
    """Else its later movements would decide about its first handover, and rewrite what others took up since."""
    with market.visit(tmp_path / "a", "james") as (one,), market.visit(tmp_path / "b", "james") as (other,):
        client = Client(one)
        client.phone.say(move(client.phone, client.tip(client.laptop)), seen=[client.laptop.head()])
        client.phone.say(move(client.laptop, client.tip(client.phone)))
        client.phone.say(order.Taken())
        homes.deliver(one, client.id, [client.laptop.run(), client.phone.run()])
        before = line(one, client.id)
        at = client.laptop.seq
        client.laptop.say(order.Taken(), seen=[client.phone.head()])
        homes.deliver(one, client.id, [client.laptop.run(at)])
        homes.deliver(other, client.id, [client.laptop.run(), client.phone.run()])
        assert set(before) <= set(line(one, client.id))
        assert sound(one, client.id)
        assert homes.state(one, client.id) == homes.state(other, client.id)


def test_what_was_taken_up_before_a_handover_is_not_taken_up_again(james: Session) -> None:
    """The new device had written in the deal before it got the role."""
    client = Client(james)
    client.phone.say(deals.DealInvited("come"), seen=[client.laptop.head()])
    client.laptop.say(order.Taken(), seen=[client.phone.head()])
    client.laptop.say(move(client.phone, client.tip(client.laptop)))
    homes.deliver(james, client.id, [client.laptop.run(), client.phone.run()])
    client.phone.say(order.Taken(), seen=[client.laptop.head()])
    homes.deliver(james, client.id, [client.phone.run(1)])
    assert homes.verdicts(james, client.id)[client.phone.ids[1]] is None
    assert homes.state(james, client.id)["deal"][0]["state"] == "invited"
    assert sound(james, client.id)


def _late_branch(client: Client) -> list[list[Pen]]:
    """The old device goes on in secret after the role moved, with a word that moves money."""
    at = client.tip(client.laptop)
    client.phone.say(move(client.phone, at), seen=[client.laptop.head()])
    client.laptop.tell("money.held", {"milestone": 1})
    return [[client.laptop, client.phone], [client.phone, client.laptop]]


@pytest.mark.parametrize("turn", [0, 1])
def test_two_branches_of_the_role_are_judged_alike_whatever_came_first(
    market: Market, tmp_path: Path, turn: int
) -> None:
    with market.visit(tmp_path / "a", "james") as (one,), market.visit(tmp_path / "b", "james") as (other,):
        client = Client(one)
        opening = client.laptop.run()
        _late_branch(client)
        news = [client.laptop.run(3), client.phone.run()]
        for session, order_ in ((one, news), (other, news[::-1])):
            homes.deliver(session, client.id, [opening])
            for run in order_[turn:] + order_[:turn]:
                homes.deliver(session, client.id, [run])
            assert sound(session, client.id)
        assert homes.state(one, client.id) == homes.state(other, client.id)


def test_a_handover_after_an_event_yet_to_come_counts_when_it_comes(market: Market, tmp_path: Path) -> None:
    """Its writer cites too little, which no honest device does; all replicas agree all the same."""
    with market.visit(tmp_path / "a", "james") as (one,), market.visit(tmp_path / "b", "james") as (other,):
        client = Client(one)
        opening = client.laptop.run()
        client.laptop.say(order.Taken())
        client.phone.say(move(client.phone, client.tip(client.laptop)))
        news = [client.laptop.run(3), client.phone.run()]
        for session, order_ in ((one, news), (other, news[::-1])):
            homes.deliver(session, client.id, [opening])
            for run in order_:
                homes.deliver(session, client.id, [run])
            assert sound(session, client.id)
        assert homes.state(one, client.id) == homes.state(other, client.id)


@pytest.mark.parametrize("who", ["talent", "stranger", "device without the right"])
def test_nobody_else_moves_the_role(james: Session, who: str) -> None:
    client = Client(james)
    homes.deliver(james, client.id, [client.laptop.run()])
    thief = Pen(
        "thief", root="client" if who == "device without the right" else "thief", space=client.id, secret=SECRET
    )
    body = move(thief, client.tip(client.laptop))
    if who == "talent":
        homes.write_raw(james, client.id, order.AgentDevice(james.me.device, client.tip(client.laptop)))
    else:
        kind: certificate.Kind = "device" if who == "device without the right" else "admin"
        thief.say(body, cert=certify(signer("client" if kind == "device" else "thief"), thief.device, kind))
        homes.deliver(james, client.id, [thief.run()])
    assert homes.state(james, client.id)["deal"][0]["agent"] == client.laptop.device
    assert sound(james, client.id)


def test_a_wrap_by_the_agent_takes_nothing_up(james: Session) -> None:
    """Events in clear stand outside the agent's line, folded at once or bit by bit."""
    client = Client(james)
    homes.deliver(james, client.id, [client.laptop.run()])
    client.laptop.wrap([(james.me.identity, homes.raw(profiles.box_key(james).key))]).say(HELLO)
    homes.deliver(james, client.id, [client.laptop.run(3)])
    assert homes.state(james, client.id)["deal"][0]["line"] == 2
    assert sound(james, client.id)


@pytest.mark.parametrize("counts", [True, False])
def test_terms_that_nobody_took_up_have_to_name_the_device_that_has_the_role(counts: bool) -> None:
    """Behind a handover that moved the role, and behind one that moved nothing, since it follows nothing known."""
    for named, holds in (("phone", counts), ("lisa", not counts)):
        play = Play()
        play.device("phone")
        play.moved_to("lisa", "phone", play.opening if counts else text(bytes(32)))
        terms = play.terms(1_000, agent_device=text(play.pens[named].device))
        offer, _ = play.offer(terms, "james")
        told = deals_told.folded(play.space, play.runs(), play.pens["lisa"].secret)
        assert told["agent"] == text(play.pens["phone" if counts else "lisa"].device)
        assert [offer, None, "ok" if holds else "terms.other_agent"] in told["events"]
