"""Terms beside what stood before them: the offer before, or the proposal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.domain import deal_view, hiring
from chaise_cli.domain.transitions import WrongState
from chaise_cli.session import finding, showing, showing_deals
from chaise_cli.store import deal_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chaise_cli.domain.deal import Deal
    from chaise_cli.domain.terms import Terms
    from chaise_cli.ids import SpaceId
    from chaise_cli.session.session import Session


def terms(session: Session, deal: SpaceId, *, diff: bool) -> dict[str, Any]:
    """`terms` of a deal and, with `diff`, `terms_diff`: a list of {field, before, after}. Raises WrongState."""
    state = showing.state_of(session, deal)
    now = showing_deals.terms_of(session, state)
    if now is None:
        raise WrongState(act="show --terms", of=state.deal.public, state=state.deal.state)
    if not diff:
        return {"terms": now}
    before, person = _before(session, state.deal, str(now["hash"]), deal), showing.look(session)
    old = deal_view.terms_shape(before, person) if before else {}
    return {"terms": now, "terms_diff": difference(old, deal_view.terms_shape(_current(state.deal), person))}


def _current(deal: Deal) -> Terms:
    found = deal.terms or (deal.offer.terms if deal.offer else None)
    assert found, "terms that were shown"
    return found


def _before(session: Session, deal: Deal, current: str, space: SpaceId) -> Terms | None:
    """The terms offered before the current ones, else what the proposal would have come to."""
    offers = deal_words.offers(session.db, finding.space_no(session, space))
    earlier = [offer for offer in offers if offer.hash != current]
    if earlier:
        return earlier[-1].terms
    return hiring.draft(deal._replace(offer=None)) if deal.proposal else None


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where two terms objects differ, field by field; milestones as `1.amount`. None stands for nothing there."""
    before, after = dict(_flat(old)), dict(_flat(new))
    names = list(dict.fromkeys([*before, *after]))
    return [
        {"field": name, "before": before.get(name), "after": after.get(name)}
        for name in names
        if before.get(name) != after.get(name)
    ]


def _flat(shape: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in shape.items():
        if key == "milestones":
            for step in value:
                yield from ((f"{step['n']}.{name}", each) for name, each in step.items() if name != "n")
        else:
            yield key, value
