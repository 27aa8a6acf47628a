"""Second histories that an earlier Chaise kept only as proofs: admitted now, as far as they continue what is held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.errors import ChaiseError
from chaise_cli.ledger import segment as segments
from chaise_cli.session.admission import Admission
from chaise_cli.session.replica import Head, HomeReplica
from chaise_cli.store import events, forks

if TYPE_CHECKING:
    from chaise_cli.session.session import Session


def take(session: Session) -> None:
    """Admit every proof; one whose beginning is not here stays a proof."""
    for proof in forks.proofs(session.db):
        space = events.space_numbered(session.db, proof.space)
        try:
            segment = segments.unpack(proof.segment)
        except ChaiseError:  # not one that this program has written
            continue
        with session.admitting():
            Admission(session, space.id).run([segment])
            last = Head(segment.device, segment.last_seq, segments.links(segment)[-1].id)
            if HomeReplica(session).common(segment.space, last, last) is not None:
                forks.drop(session.db, proof)
