"""Who may revoke whom, and what is cut off: a pure rule over what stands in a space."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import revocation
from chaise_cli.domain.revocation import Claim, LastEvent, Revoked, SelfDeviceRevoked, limit, may_say, standing
from chaise_cli.ids import DeviceId, EventId, text

# Root → a, b; a → c, d; c → e. So the depths are a b: 1, c d: 2, e: 3.
ABOVE = {name: tuple(map(DeviceId, chain.split())) for name, chain in
         {"a": "a", "b": "b", "c": "c a", "d": "d a", "e": "e c a"}.items()}  # fmt: skip


END = EventId(text(bytes(32)))


def said(device: str, depth: int, last: int | None = None, keeps: Sequence[str] = ()) -> SelfDeviceRevoked:
    """A revocation signed by something `depth` certificates below the root."""
    end = LastEvent(last, END) if last is not None else None
    kept = tuple(DeviceId(one) for one in sorted(keeps))
    return SelfDeviceRevoked(DeviceId(device), end, kept, 0, "by", ("{}",) * depth, "signature")


def claim(writer: str, seq: int, body: SelfDeviceRevoked, lamport: int = 0) -> Claim:
    return Claim(ABOVE[writer], seq, (lamport, writer.encode(), seq, b""), body)


def cut(device: str, *claims: Claim) -> int | None:
    return limit(ABOVE[device], standing(claims))


def test_the_root_revokes_everybody_and_an_admin_only_who_is_farther_away() -> None:
    assert cut("a", claim("c", 3, said("a", 0, 7, keeps=["c"]))) == 7
    assert cut("c", claim("a", 3, said("c", 1, 7))) == 7
    assert cut("a", claim("c", 3, said("a", 2, 7))) is None
    assert cut("a", claim("b", 3, said("a", 1, 7))) is None
    assert cut("d", claim("c", 3, said("d", 2, 7))) is None


def test_a_history_that_does_not_lead_to_the_last_good_event_is_cut_whole_by_that_word_alone() -> None:
    one, other = (said("c", 0, at) for at in (7, 5))
    orders = standing([claim("a", 3, one)])
    assert limit(ABOVE["c"], orders, {END}) == -1
    assert limit(ABOVE["c"], orders, {"another"}) == 7
    assert limit(ABOVE["c"], standing([claim("a", 3, one), claim("a", 4, other)]), ()) == 7


def test_a_device_that_was_never_heard_is_cut_from_its_first_word() -> None:
    assert cut("c", claim("a", 3, said("c", 1))) == -1


def test_what_a_device_certified_goes_with_it_unless_it_is_kept_or_named() -> None:
    orders = [claim("b", 0, said("a", 0, 5, keeps=["d"]))]
    assert [cut(one, *orders) for one in "abcde"] == [5, None, -1, None, -1]
    assert cut("c", *orders, claim("b", 1, said("c", 0, 2, keeps=["e"]))) == 2


def test_nobody_speaks_of_a_device_that_would_cut_them_off() -> None:
    """Else a thief would revoke himself with an end far ahead, and be first."""
    assert not may_say(ABOVE["a"], said("a", 0, 99))
    assert not may_say(ABOVE["c"], said("a", 0, 99))
    assert may_say(ABOVE["c"], said("a", 0, 99, keeps=["c"]))
    assert may_say(ABOVE["b"], said("a", 0, 99))
    assert cut("a", claim("a", 0, said("a", 0, 99)), claim("b", 0, said("a", 0, 5), lamport=9)) == 5


def test_who_was_cut_off_before_revokes_nobody_after() -> None:
    gone = claim("b", 0, said("c", 1, 4))
    assert cut("e", gone, claim("c", 4, said("e", 2, 1))) == 1
    assert cut("e", gone, claim("c", 5, said("e", 2, 1))) == -1
    assert standing([gone, claim("c", 5, said("e", 2, 1))]) == [Revoked(DeviceId("c"), 1, (), 4, end=END)]


def test_what_the_root_signed_counts_whoever_hands_it_on() -> None:
    gone = claim("b", 0, said("c", 0, 4))
    assert cut("d", gone, claim("c", 9, said("d", 0, 1, keeps=["c"]))) == 1


CLAIMS = st.builds(
    claim,
    st.sampled_from(list(ABOVE)),
    st.integers(0, 5),
    st.builds(said, st.sampled_from(list(ABOVE)), st.integers(0, 3), st.none() | st.integers(0, 5),
              st.lists(st.sampled_from(list(ABOVE)), max_size=2, unique=True)),
    st.integers(0, 3),
)  # fmt: skip


@given(st.lists(CLAIMS, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(claims: list[Claim], chance: st.DataObject) -> None:
    unique = list({one.rank: one for one in claims}.values())
    mixed = list(unique)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert standing(unique) == standing(mixed)


@given(st.lists(CLAIMS, max_size=6))
def test_no_device_reaches_one_that_is_as_near_to_the_root(claims: list[Claim]) -> None:
    """Nor do two ever cut one another off: what a device says reaches only those farther away than the signer."""
    orders = standing([one for one in claims if one.body.certificates])
    nearest = min((one.depth for one in orders), default=9)
    assert all(limit(above, orders) is None for above in ABOVE.values() if len(above) <= nearest)


def test_all_three_kinds_say_the_same() -> None:
    names = [cls.__annotations__.keys() - {"KIND"} for cls in
             (revocation.SelfDeviceRevoked, revocation.BoardDeviceRevoked, revocation.DealDeviceRevoked)]  # fmt: skip
    assert names[0] == names[1] == names[2] - {"box"}
    assert len(revocation.KINDS) == 3
