"""What is told of a round of syncing that took a second exchange."""

from __future__ import annotations

from chaise_cli.session import boards, syncing
from chaise_cli.session.session import Session
from sync.engine import Tally
from sync.relay_findings import RolledBack
from sync.replica import Replica, Signer
from sync.wire import PeerClosed

LIE = RolledBack(relay="http://relay", about="", why="it had signed 9 entries and shows 7")


class SecondFails:
    """Self tells of a further board in the first exchange; in the second a lie is found, and the stream ends."""

    def __init__(self, session: Session) -> None:
        self.session, self.visits = session, 0

    def exchange(self, _replica: Replica, _signer: Signer, tally: Tally) -> None:
        self.visits += 1
        if self.visits == 1:
            boards.create(self.session, "den", None, None)
            return
        tally.problem(LIE.code, LIE.sentence())
        tally.alarm = LIE
        raise PeerClosed


def test_what_goes_wrong_in_the_second_exchange_is_told_too(lisa: Session) -> None:
    place = SecondFails(lisa)
    done = syncing._exchange(lisa, None, "there", place, lambda *_: None)
    assert place.visits == 2
    assert LIE.sentence() in done.problems
    assert done.alarm is LIE
    assert isinstance(done.failure, PeerClosed)
    assert done.peer()["state"] == "failed"
