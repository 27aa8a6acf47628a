from __future__ import annotations

from typing import Any

import pytest

from chaise_cli.crypto import edwards, sealing, signing
from chaise_cli.domain import deal as deals
from chaise_cli.domain import directory, order, own, talk
from chaise_cli.domain.body import replace
from chaise_cli.ids import DeviceId, SpaceId, raw, text
from chaise_cli.ledger import clear
from chaise_cli.session import profiles
from chaise_cli.session.replica import HomeReplica
from chaise_cli.session.session import Session, SpaceNewer
from chaise_cli.store import events
from sync.replica import Admission
from tests.fakes import homes
from tests.fakes.homes import Market
from tests.fakes.pen import Pen, certify, signer

SECRET = bytes(range(32))
HELLO = talk.MessageSent("Hello", ())


def codes(done: Admission) -> set[str]:
    return {problem.code for problem in done.problems}


def kept(session: Session, pen: Pen) -> list[str | None]:
    """Why each event of a chain counts for nothing, as far as it was admitted."""
    return [row[6] for row in homes.state(session, pen.id)["event"] if row[0] == pen.device]


def me(session: Session) -> tuple[str, bytes]:
    """What a stranger needs to wrap something to a person."""
    return session.me.identity, raw(profiles.box_key(session).key)


def opened(pen: Pen, session: Session, *, agent: str | None = None) -> deals.DealOpened:
    """An opening by which the pen's talent addresses the owner of a home."""
    mine = profiles.box_key(session)
    return deals.DealOpened(
        board=SpaceId(text(bytes(32))), post=None, client=session.me.identity, talent=pen.identity,
        agent_device=DeviceId(agent or session.me.device), client_box=mine, talent_box=mine,
    )  # fmt: skip


def stranger(session: Session, name: str = "stranger") -> Pen:
    """A deal that a stranger opened with the owner of a home; not delivered yet."""
    pen = Pen(name, secret=SECRET).genesis()
    pen.wrap([me(session)])
    return pen.say(opened(pen, session))


def board_pen(session: Session, market: Market, name: str = "newcomer", **more: Any) -> Pen:
    """Somebody who has the invite to the board."""
    space = events.find_space(session.db, market.board)
    assert space is not None
    return Pen(name, space=market.board, secret=session.epochs.secret(space), **more)


def test_a_wrap_is_the_introduction_to_a_deal(lisa: Session) -> None:
    pen = stranger(lisa).say(HELLO)
    done = homes.deliver(lisa, pen.id, [pen.run()])
    assert (done.accepted, done.rejected, done.problems) == (4, 0, [])
    assert homes.state(lisa, pen.id)["message"]
    assert kept(lisa, pen) == [None] * 4


def test_what_is_held_already_changes_nothing(lisa: Session) -> None:
    pen = stranger(lisa).say(HELLO)
    homes.deliver(lisa, pen.id, [pen.run()])
    before = homes.state(lisa, pen.id)
    for again in ([pen.run()], [pen.run(2, 3)], [pen.run(), pen.run()]):
        done = homes.deliver(lisa, pen.id, again)
        assert (done.accepted, done.rejected, done.problems) == (0, 0, [])
    assert homes.state(lisa, pen.id) == before


def test_a_space_that_names_somebody_else_is_refused(lisa: Session, james: Session) -> None:
    pen = stranger(james)
    done = homes.deliver(lisa, pen.id, [pen.run()])
    assert (done.accepted, done.rejected, codes(done)) == (0, 3, {"space.not_for_us"})
    assert events.find_space(lisa.db, pen.id) is None


def test_a_wrap_whose_commitment_is_not_that_of_its_secret_introduces_nobody(lisa: Session) -> None:
    pen = Pen("stranger", secret=SECRET).genesis()
    pen.wrap([me(lisa)])
    forged = clear.read_wrap(pen.events[1].body)._replace(commit=text(bytes(32)))
    other = Pen("stranger", secret=SECRET).genesis().clear(clear.write_wrap(forged))
    assert codes(homes.deliver(lisa, other.id, [other.run()])) == {"space.not_for_us"}


@pytest.mark.parametrize("claimed", ["stranger", "us"])
def test_nobody_introduces_a_self_space_to_a_home_that_has_one(lisa: Session, claimed: str) -> None:
    """Otherwise a stranger's settings and box key would become ours."""
    pen = Pen("stranger", secret=SECRET)
    pen.genesis("self", creator=lisa.me.identity if claimed == "us" else None).wrap([me(lisa)])
    pen.say(own.SelfSettings("mallory", "Mallory", "client", "EUR", "UTC", None))
    pen.say(own.SelfBoxKey(text(bytes(32)), text(bytes(32))))
    settings, box = lisa.me.settings, homes.own.get(lisa.db, "box")
    done = homes.deliver(lisa, pen.id, [pen.run()])
    assert (done.accepted, codes(done)) == (0, {"space.not_for_us"})
    assert homes.own.settings(lisa.db) == settings
    assert homes.own.get(lisa.db, "box") == box


def test_only_our_own_devices_are_believed_in_our_self_space(lisa: Session) -> None:
    """Should its key ever leak, a stranger's words there still count for nothing."""
    space = events.spaces(lisa.db, "self")[0]
    pen = Pen("stranger", space=space.id, secret=lisa.epochs.secret(space))
    pen.say(own.SelfSettings("mallory", "Mallory", "client", "EUR", "UTC", None))
    settings = homes.own.settings(lisa.db)
    homes.deliver(lisa, space.id, [pen.run()])
    assert homes.own.settings(lisa.db) == settings


def test_events_of_another_space_are_refused(lisa: Session, market: Market) -> None:
    """A device's events cannot be replayed into another space to spoil its chain there."""
    pen = stranger(lisa)
    second = Pen("second", root="stranger's root", space=pen.id, secret=SECRET).say(HELLO)
    done = homes.deliver(lisa, market.board, [pen.run(), second.run()])
    assert (done.accepted, done.rejected) == (0, 4)
    assert codes(done) == {"envelope.bad_segment"}
    assert homes.waiting(lisa) == 0


def test_a_space_is_not_introduced_under_another_id(lisa: Session) -> None:
    pen, other = stranger(lisa), Pen("other").genesis()
    done = homes.deliver(lisa, other.id, [pen.run()])
    assert done.accepted == 0
    assert events.find_space(lisa.db, other.id) is None


def test_our_own_events_of_another_space_do_not_make_us_read_only(lisa: Session, market: Market) -> None:
    pen = stranger(lisa)
    homes.deliver(lisa, pen.id, [pen.run()])
    homes.write(lisa, pen.id, HELLO)
    mine = [run for run in homes.runs(lisa, pen.id) if run.device == raw(lisa.me.device)]
    assert homes.deliver(lisa, market.board, mine).accepted == 0
    assert not lisa.behind


@pytest.mark.parametrize("kind", ["self", "deal"])
def test_a_board_whose_genesis_says_otherwise_is_refused(lisa: Session, kind: str) -> None:
    pen = Pen("founder", secret=SECRET).genesis(kind)
    with lisa.writing():
        lisa.epochs.add(events.add_space(lisa.db, pen.id, "board", "", b""), SECRET)
    pen.say(directory.BoardNamed("A trap"))
    done = homes.deliver(lisa, pen.id, [pen.run()])
    assert (done.accepted, done.rejected, codes(done)) == (0, 2, {"envelope.bad_segment"})


@pytest.mark.parametrize("body", [b"{}", b'{"creator":"x"}', b"\xff", b'{"space": "deal"}'])
def test_a_malformed_genesis_is_refused(lisa: Session, body: bytes) -> None:
    pen = Pen("stranger", secret=SECRET).genesis(body=body)
    pen.wrap([me(lisa)])
    done = homes.deliver(lisa, pen.id, [pen.run()])
    assert done.accepted == 0
    assert codes(done) <= {"envelope.bad_clear_body", "envelope.not_canonical", "space.not_for_us"}


def test_a_malformed_wrap_is_kept_and_used_for_nothing(lisa: Session) -> None:
    pen = stranger(lisa).clear(b"no wrap at all").say(HELLO)
    done = homes.deliver(lisa, pen.id, [pen.run()])
    assert (done.accepted, done.problems) == (5, [])
    assert homes.state(lisa, pen.id)["message"]
    assert HomeReplica(lisa).read(raw(pen.id), pen.tip(), 0, 10) == pen.run()


@pytest.mark.parametrize("name", ["torsion", "small", "sign"])
def test_a_key_that_verifiers_may_disagree_about_enters_no_deal(lisa: Session, name: str) -> None:
    pen = stranger(lisa)
    homes.deliver(lisa, pen.id, [pen.run()])
    key = {"torsion": _mixed(), "small": min(edwards.SMALL_ORDER), "sign": bytes(31) + b"\x80"}[name]
    segment = Pen("x", space=pen.id, secret=SECRET).say(HELLO).run()._replace(device=key)
    done = homes.deliver(lisa, pen.id, [segment])
    assert (done.accepted, done.rejected) == (0, 1)
    assert HomeReplica(lisa).heads(raw(pen.id)) == [(pen.device, 2, pen.ids[-1])]


def test_a_key_with_torsion_is_named_when_its_signature_holds(lisa: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    pen = stranger(lisa)
    homes.deliver(lisa, pen.id, [pen.run()])
    segment = Pen("x", space=pen.id, secret=SECRET).say(HELLO).run()._replace(device=_mixed())
    monkeypatch.setattr(signing, "verify", lambda *_: True)
    assert codes(homes.deliver(lisa, pen.id, [segment])) == {"key.torsion"}


def _mixed() -> bytes:
    small = edwards.decode(next(key for key in sorted(edwards.SMALL_ORDER) if _is_point(key)))
    honest = edwards.decode(signer("x").public)
    assert small is not None
    assert honest is not None
    return edwards.encode(edwards.add(small, honest))


def _is_point(key: bytes) -> bool:
    point = edwards.decode(key) if edwards.is_canonical(key) else None
    return point is not None and not edwards.is_identity(point)


@pytest.mark.parametrize(
    "cert",
    [None, [], "text", [1], "another device", "another identity", "not a chain", "grant of nobody"],
    ids=str,
)
def test_a_chain_without_sound_certificates_is_void_for_good(lisa: Session, cert: object) -> None:
    pen = stranger(lisa)
    homes.deliver(lisa, pen.id, [pen.run()])
    other = Pen("other", space=pen.id, secret=SECRET)
    root = signer("other's root")
    good = certify(root, other.device)
    made: dict[object, object] = {
        "another device": certify(root, pen.device),
        "another identity": [{**_first(good), "identity": pen.identity}],
        "not a chain": [*good, *certify(signer("stranger's root"), root.public)],
        "grant of nobody": [{**_first(good), "kind": "grant"}],
    }
    other.say(HELLO, cert=made.get(cert, cert) if isinstance(cert, str) else cert)
    other.say(HELLO, cert=good)
    homes.deliver(lisa, pen.id, [other.run()])
    reason = "certificate.bad" if cert != "text" else "body.malformed"
    assert kept(lisa, Pen("other", space=pen.id)) == [reason, "certificate.bad"]
    assert homes.state(lisa, pen.id)["message"] == []


def _first(certificates: list[object]) -> dict[str, object]:
    first = certificates[0]
    assert isinstance(first, dict)
    return first


def test_nobody_but_the_two_sides_is_heard_in_a_deal(lisa: Session) -> None:
    pen = stranger(lisa)
    third = Pen("third", space=pen.id, secret=SECRET).say(HELLO).say(deals.DealInvited("psst"))
    third.say(talk.ContactShared("lisa", "Not Lisa", "UTC", None))
    homes.deliver(lisa, pen.id, [pen.run(), third.run()])
    assert kept(lisa, Pen("third", space=pen.id)) == ["deal.not_a_member"] * 3
    assert homes.state(lisa, pen.id)["message"] == []


def test_a_bystander_opens_no_deal_between_two_others(lisa: Session, james: Session) -> None:
    pen = Pen("bystander", secret=SECRET).genesis()
    pen.wrap([me(lisa), me(james)])
    pen.say(replace(opened(pen, lisa), talent=james.me.identity)).say(HELLO)
    for session in (lisa, james):
        homes.deliver(session, pen.id, [pen.run()])
        assert kept(session, pen)[2] == "deal.bad_opening"
        assert homes.state(session, pen.id)["deal"] == []
        assert homes.state(session, pen.id)["message"] == []


def test_a_deal_is_opened_by_the_first_sealed_event_of_its_maker_or_never(lisa: Session) -> None:
    pen = Pen("late", secret=SECRET).genesis()
    pen.wrap([me(lisa)])
    pen.say(HELLO).say(opened(pen, lisa)).say(HELLO)
    homes.deliver(lisa, pen.id, [pen.run()])
    assert homes.state(lisa, pen.id)["deal"] == []


def test_the_talent_cannot_make_his_own_device_the_agent_of_the_client(lisa: Session) -> None:
    """The agent device must be the agent's: otherwise he alone would say what was taken up."""
    pen = Pen("talent", secret=SECRET).genesis()
    pen.wrap([me(lisa)])
    pen.say(opened(pen, lisa, agent=text(pen.device)))
    pen.say(homes.OFFER).say(order.Taken())
    homes.deliver(lisa, pen.id, [pen.run()])
    uptakes = [row[5] for row in homes.state(lisa, pen.id)["event"]]
    assert uptakes == [None] * 5
    assert homes.state(lisa, pen.id)["deal"][0]["line"] == 0


def test_an_unopenable_body_is_void_and_its_chain_goes_on(lisa: Session) -> None:
    pen = stranger(lisa)
    name = pen.events[2].epoch
    pen.put(b"x" * 80, name).put(b"", name).say(HELLO)
    done = homes.deliver(lisa, pen.id, [pen.run()])
    assert (done.accepted, done.problems) == (6, [])
    assert kept(lisa, pen)[3:] == ["body.unopenable", "body.unopenable", None]
    assert HomeReplica(lisa).read(raw(pen.id), pen.tip(), 0, 10) == pen.run()


@pytest.mark.parametrize(
    "padded",
    [b"", bytes(64), b"{}", b"{}" + bytes(126), b"{}" + bytes(62), b'{ "kind": 1}' + bytes(52), b"[1]" + bytes(61)],
    ids=["empty", "zeros only", "unpadded", "padded twice", "no keys", "not canonical", "no object"],
)
def test_a_malformed_content_is_void_and_its_chain_goes_on(lisa: Session, padded: bytes) -> None:
    pen = stranger(lisa).seal(padded).say(HELLO)
    homes.deliver(lisa, pen.id, [pen.run()])
    assert kept(lisa, pen)[3:] == ["body.malformed", None]
    assert HomeReplica(lisa).read(raw(pen.id), pen.tip(), 0, 10) == pen.run()


def test_a_clock_beyond_every_calendar_is_malformed(lisa: Session) -> None:
    """No list could show it, so one stranger's message would take the inbox away."""
    pen = stranger(lisa).say(HELLO, at=2**47).say(HELLO, at=2**47 - 1)
    homes.deliver(lisa, pen.id, [pen.run()])
    assert kept(lisa, pen)[3:] == ["body.malformed", None]


def test_a_kind_of_another_space_is_void(lisa: Session) -> None:
    pen = stranger(lisa).say(directory.BoardNamed("here?")).say(own.SelfBoxKey(text(bytes(32)), text(bytes(32))))
    homes.deliver(lisa, pen.id, [pen.run()])
    assert kept(lisa, pen)[3:] == ["kind.misplaced", "kind.misplaced"]


@pytest.mark.parametrize(
    "data",
    [
        {"text": "x"},
        {"text": "x", "files": [], "more": 1},
        {"text": 1, "files": []},
        {"text": "x", "files": [{"name": "x"}]},
        {"text": "a\u0000b", "files": []},
        {"text": "x" * 32_001, "files": []},
    ],
)
def test_a_body_not_of_its_kinds_form_is_void(lisa: Session, data: dict[str, object]) -> None:
    pen = stranger(lisa).tell("message.sent", data).say(HELLO)
    homes.deliver(lisa, pen.id, [pen.run()])
    assert kept(lisa, pen)[3:] == ["body.invalid", None]


def test_a_kind_from_the_future_makes_its_space_read_only(lisa: Session) -> None:
    pen = stranger(lisa).tell("deal.sang", {}).say(HELLO)
    homes.deliver(lisa, pen.id, [pen.run()])
    assert kept(lisa, pen)[3:] == ["kind.unknown", None]
    with pytest.raises(SpaceNewer):
        homes.write(lisa, pen.id, HELLO)


def test_an_optional_kind_from_the_future_is_kept_and_carried(lisa: Session) -> None:
    pen = stranger(lisa).tell("deal.sang", {"a": [1]}, optional=True)
    homes.deliver(lisa, pen.id, [pen.run()])
    homes.write(lisa, pen.id, HELLO)
    assert HomeReplica(lisa).read(raw(pen.id), pen.tip(), 0, 10) == pen.run()


def test_a_chain_that_is_void_cannot_make_a_space_read_only(lisa: Session) -> None:
    pen = stranger(lisa)
    other = Pen("other", space=pen.id, secret=SECRET).tell("deal.sang", {}, cert=None)
    homes.deliver(lisa, pen.id, [pen.run(), other.run()])
    homes.write(lisa, pen.id, HELLO)


def test_terms_count_with_the_signature_of_the_device_that_says_them(lisa: Session) -> None:
    pen = stranger(lisa)
    body = deals.TermsAccepted(offer=_id(pen), hash=text(bytes(32)), signature=text(bytes(64)))
    pen.say(body)
    homes.deliver(lisa, pen.id, [pen.run()])
    assert kept(lisa, pen)[3:] == ["terms.bad_signature"]


def _id(pen: Pen) -> Any:
    return text(pen.ids[-1])


def test_a_key_that_carries_no_older_one_seals_nothing_but_from_the_spaces_maker(lisa: Session) -> None:
    pen = stranger(lisa)
    homes.deliver(lisa, pen.id, [pen.run()])
    key = events.find_space(lisa.db, pen.id)
    other = Pen("other", space=pen.id, secret=SECRET).say(HELLO)
    other.wrap([me(lisa)], secret=bytes(32))
    homes.deliver(lisa, pen.id, [other.run()])
    assert events.find_space(lisa.db, pen.id) == key
    homes.write(lisa, pen.id, HELLO)
    after = events.find_space(lisa.db, pen.id)
    stray = sealing.epoch_commit(raw(pen.id), bytes(32))[:8]
    assert after is not None
    assert after.epoch is not None
    assert lisa.epochs.name(after.epoch) != stray


def test_a_board_keeps_its_key_whatever_its_maker_wraps(james: Session) -> None:
    """Its key is in the invite, for life; a wrap could split its readers."""
    pen = Pen("founder", secret=SECRET).genesis("board")
    with james.writing():
        no = james.epochs.add(events.add_space(james.db, pen.id, "board", "", b""), SECRET)
    pen.wrap([me(james)], secret=bytes(32))
    homes.deliver(james, pen.id, [pen.run()])
    held = events.find_space(james.db, pen.id)
    assert held is not None
    assert held.epoch == no


def test_a_wrap_by_somebody_outside_a_deal_names_nobody(lisa: Session) -> None:
    """Whom a wrap names is served the space; who cannot read it cannot hand it out."""
    pen = stranger(lisa)
    homes.deliver(lisa, pen.id, [pen.run()])
    spy = Pen("spy", space=pen.id, secret=bytes(32)).say(HELLO)
    spy.wrap([(spy.identity, me(lisa)[1])])
    homes.deliver(lisa, pen.id, [spy.run()])
    named = {info.id: info.names for info in HomeReplica(lisa).spaces()}
    assert raw(spy.identity) not in named[raw(pen.id)]


def test_what_cites_something_missing_waits_for_it(lisa: Session) -> None:
    pen = stranger(lisa)
    homes.deliver(lisa, pen.id, [pen.run()])
    second = Pen("second", root="stranger's root", space=pen.id, secret=SECRET).say(HELLO)
    pen.say(HELLO, seen=[second.head()]).say(HELLO)
    assert homes.deliver(lisa, pen.id, [pen.run(3)]).accepted == 2
    assert homes.waiting(lisa) == 2
    assert homes.deliver(lisa, pen.id, [second.run()]).accepted == 1
    assert homes.waiting(lisa) == 0
    assert len(homes.state(lisa, pen.id)["message"]) == 3


def test_what_waits_is_handed_on_as_it_came(lisa: Session) -> None:
    pen = stranger(lisa)
    second = Pen("second", root="stranger's root", space=pen.id, secret=SECRET).say(HELLO)
    pen.say(HELLO, seen=[second.head()]).say(HELLO)
    homes.deliver(lisa, pen.id, [pen.run()])
    assert HomeReplica(lisa).read(raw(pen.id), pen.tip(), 0, 10) == pen.run()
    assert HomeReplica(lisa).read(raw(pen.id), pen.tip(), 4, 10) == pen.run(4)
    assert HomeReplica(lisa).heads(raw(pen.id)) == [(pen.device, 4, pen.ids[-1])]


def test_what_waits_is_opened_when_its_key_comes(lisa: Session) -> None:
    pen = stranger(lisa)
    homes.deliver(lisa, pen.id, [pen.run()])
    later = Pen("stranger", space=pen.id, secret=bytes(32))
    later.events, later.ids, later.headers = [*pen.events], [*pen.ids], [*pen.headers]
    later.say(HELLO)
    homes.deliver(lisa, pen.id, [later.run(3)])
    assert homes.waiting(lisa) == 1
    later.wrap([me(lisa)])
    homes.deliver(lisa, pen.id, [later.run(4)])
    assert homes.waiting(lisa) == 0
    assert kept(lisa, pen) == [None] * 5


def test_at_most_a_thousand_events_of_a_chain_wait_and_the_rest_is_fetched_again(lisa: Session) -> None:
    pen = stranger(lisa)
    second = Pen("second", root="stranger's root", space=pen.id, secret=SECRET).say(HELLO)
    pen.say(HELLO, seen=[second.head()])
    for _ in range(1200):
        pen.say(HELLO)
    done = homes.deliver(lisa, pen.id, [pen.run(0, 703), pen.run(703, 903), pen.run(903)])
    assert codes(done) == {"sync.waiting_full"}
    assert homes.waiting(lisa) <= 1000
    assert done.accepted == 3 + homes.waiting(lisa)
    homes.deliver(lisa, pen.id, [second.run()])
    head = HomeReplica(lisa).heads(raw(pen.id))
    at = next(one.seq for one in head if one.device == pen.device)
    homes.deliver(lisa, pen.id, [pen.run(at + 1)])
    assert homes.waiting(lisa) == 0
    assert len(homes.state(lisa, pen.id)["message"]) == 1202


def test_more_of_one_chain_than_one_transaction_takes_is_said_to_be_refused(lisa: Session) -> None:
    pen = stranger(lisa)
    for _ in range(5200):
        pen.say(HELLO)
    done = homes.deliver(lisa, pen.id, [pen.run(at, min(at + 1000, pen.seq)) for at in range(0, pen.seq, 1000)])
    assert done.accepted + done.rejected == pen.seq
    assert done.rejected == 0 or done.problems


def test_events_before_which_something_is_missing_are_refused(lisa: Session) -> None:
    pen = stranger(lisa).say(HELLO).say(HELLO)
    homes.deliver(lisa, pen.id, [pen.run(0, 3)])
    done = homes.deliver(lisa, pen.id, [pen.run(4)])
    assert (done.accepted, done.rejected, codes(done)) == (0, 1, {"sync.gap"})


def test_a_chain_of_which_nothing_could_be_kept_is_not_among_the_heads(lisa: Session) -> None:
    """Its head would be before the first event, which no exchange can say: every later sync would end there."""
    pen = stranger(lisa).say(HELLO)
    homes.deliver(lisa, pen.id, [pen.run()])
    other = Pen("another device", root="stranger's root", space=pen.id, secret=pen.secret).say(HELLO).say(HELLO)
    done = homes.deliver(lisa, pen.id, [other.run(1)])
    assert codes(done) == {"sync.gap"}
    assert {head.device for head in homes.HomeReplica(lisa).heads(pen.space)} == {pen.device}


def test_one_spoilt_segment_does_not_hold_up_the_others(lisa: Session) -> None:
    pen = stranger(lisa)
    spoilt = Pen("x", space=pen.id, secret=SECRET).say(HELLO).run()._replace(signature=bytes(64))
    done = homes.deliver(lisa, pen.id, [spoilt, pen.run()])
    assert (done.accepted, done.rejected, codes(done)) == (3, 1, {"envelope.bad_segment"})


def test_our_own_events_coming_back_change_nothing(lisa: Session, james: Session) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    homes.carry(lisa, james)
    before = homes.state(lisa, deal)
    done = homes.deliver(lisa, deal, homes.runs(james, deal))
    assert (done.accepted, done.rejected, done.problems) == (0, 0, [])
    assert homes.state(lisa, deal) == before
    assert not lisa.behind


def test_a_post_changed_by_somebody_else_is_void_alike_whatever_came_first(
    lisa: Session, james: Session, market: Market
) -> None:
    """The reason must not tell which replica heard of the post first."""
    post = homes.post(lisa, market.board)
    pen = board_pen(lisa, market).say(directory.PostClosed(post, "closed"))
    hers = homes.runs(lisa, market.board)
    homes.deliver(lisa, market.board, [pen.run()])
    homes.deliver(james, market.board, [pen.run()])
    homes.deliver(james, market.board, hers)
    assert kept(lisa, pen) == kept(james, pen) == ["board.nothing_there"]
    assert homes.state(james, market.board)["listing"][0]["ended"] == ""


def test_a_boards_name_counts_although_its_genesis_came_later(lisa: Session, market: Market) -> None:
    """The creator of a board joined by invite is known only when its genesis arrives."""
    founder = Pen("founder", root="r", secret=SECRET).genesis("board").say(directory.BoardNamed("old"))
    phone = Pen("phone", root="r", space=founder.id, secret=SECRET).say(directory.BoardNamed("new"))
    with lisa.writing():
        lisa.epochs.add(events.add_space(lisa.db, founder.id, "board", "", b""), SECRET)
    homes.deliver(lisa, founder.id, [phone.run()])
    homes.deliver(lisa, founder.id, [founder.run()])
    found = homes.state(lisa, founder.id)
    assert [row[6] for row in found["event"]] == [None] * 3


def test_a_chain_of_a_deal_is_not_heard_before_the_deal_and_is_afterwards(lisa: Session) -> None:
    pen = stranger(lisa).say(HELLO)
    homes.deliver(lisa, pen.id, [pen.run(0, 2)])
    assert homes.state(lisa, pen.id)["deal"] == []
    homes.deliver(lisa, pen.id, [pen.run(2)])
    assert len(homes.state(lisa, pen.id)["message"]) == 1


def test_no_bytes_that_a_device_may_sign_stop_an_exchange(lisa: Session) -> None:
    """Bodies of every deal kind, empty of sense, one after the other; nothing raises and all of them are carried on."""
    from chaise_cli.domain import kinds

    pen = stranger(lisa)
    for kind, row in sorted(kinds.KINDS.items()):
        for data in ({}, {"of": text(bytes(32))}, {"milestone": 1, "text": "", "files": []}):
            pen.tell(kind, data)
        assert row.space in clear.SPACE_KINDS
    done = homes.deliver(lisa, pen.id, [pen.run()])
    assert (done.accepted, done.problems) == (pen.seq, [])
    assert HomeReplica(lisa).read(raw(pen.id), pen.tip(), 0, 1000) == pen.run()


def test_a_segment_of_a_newer_envelope_is_refused_by_name(lisa: Session) -> None:
    pen = stranger(lisa)
    odd = pen.run()._replace(events=[event._replace(suite=7) if event.suite else event for event in pen.events])
    assert "envelope.newer" in codes(homes.deliver(lisa, pen.id, [pen.run(), odd]))


def test_genesis_and_wrap_may_come_in_two_pieces(lisa: Session) -> None:
    pen = stranger(lisa)
    assert homes.deliver(lisa, pen.id, [pen.run(0, 1), pen.run(1)]).accepted == 3


def test_chains_that_proved_no_owner_share_one_limit_of_waiting_events(lisa: Session, james: Session) -> None:
    """A stranger makes any number of chains; what waits of them all is bounded, and the deal goes on."""
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    refused = 0
    for number in range(5):
        noise = Pen(f"noise {number}", space=deal, secret=bytes(32))
        for _ in range(300):
            noise.say(HELLO)
        refused += homes.deliver(lisa, deal, [noise.run()]).rejected
    assert refused == 5 * 300 - homes.waiting(lisa)
    assert 0 < homes.waiting(lisa) <= 1000
    homes.meet(lisa, james)
    homes.write(james, deal, talk.MessageSent("still here", ()))
    homes.meet(lisa, james)
    assert homes.state(lisa, deal) == homes.state(james, deal)


def test_a_newcomer_does_not_displace_what_waits_already(lisa: Session, james: Session) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    first = Pen("first", space=deal, secret=bytes(32))
    for _ in range(1000):
        first.say(HELLO)
    assert homes.deliver(lisa, deal, [first.run()]).accepted == 1000
    late = Pen("late", space=deal, secret=bytes(32)).say(HELLO)
    done = homes.deliver(lisa, deal, [late.run()])
    assert (done.accepted, done.rejected) == (0, 1)
    assert homes.waiting(lisa) == 1000
