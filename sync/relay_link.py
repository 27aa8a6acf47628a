"""Signed requests to one relay, and what its refusals mean. docs/spec/relay.md."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from chaise_cli import ids
from chaise_cli.errors import ChaiseError, Newer, Refused, Unreachable

from . import request_signing, wire
from .relay_messages import BODY_LIMIT, CODE_LIMIT, Malformed
from .replica import Signer
from .web import Address, Answer, Link, NoAnswer

VERSION: Final = 1
TIMEOUT_S: Final = 30.0  # for one request, from its first byte to the answer's last
POLL_GRACE_S: Final = 15.0  # for an answer to come after the longest wait that was asked for
_TEXT_LIMIT: Final = 300
SMALL: Final = 64 * 1024  # bytes of an answer in JSON

Now = Callable[[], int]  # ms since 1970, UTC


class Pause(NamedTuple):
    """How to let the time pass that a relay asks for."""

    sleep: Callable[[float], object] = time.sleep
    monotonic: Callable[[], float] = time.monotonic


REAL: Final = Pause()


class RelayRefused(Refused):
    """The relay does not do what it was asked."""

    code = "relay.refused"
    message = "{relay} refused: {said} ({answer})"
    hint = "what was written here is kept; ask the relay's operator"
    relay: str
    answer: str
    said: str


class NotRegistered(RelayRefused):
    """The relay does not know this device."""

    code = "relay.not_registered"


class NotAdmitted(RelayRefused):
    """The relay lets this device in neither by an invite of its own nor by a board's."""

    code = "relay.not_admitted"
    message = "{relay} does not let you in: {said}"
    hint = "ask its operator for an invite, then: chaise peer add {relay} --invite-file FILE"


class StruckOff(RelayRefused):
    """This device was struck off."""

    code = "relay.struck"
    message = "this device was struck off at {relay}"
    hint = "its person revoked it; if that was not you, tell the others by another way"


class WrongClock(RelayRefused):
    """The clocks of both sides are too far apart."""

    code = "relay.clock"
    message = "{relay} has another time than this machine: {apart}"
    hint = "set this machine's clock, then run chaise sync again"
    apart: str


BARRED: Final = (NotRegistered, StruckOff, WrongClock)  # nothing of this device's is taken at all


class RelayBusy(Unreachable):
    """Too much at once, or it is about to stop."""

    code = "relay.busy"
    message = "{relay} takes no more just now: {said}; try again in {seconds} s"
    hint = "what was done is kept; run chaise sync again later"
    relay: str
    said: str
    seconds: int


class RelayNewer(Newer):
    """The relay speaks a version of the protocol this Chaise does not know."""

    code = "relay.newer"
    message = "{relay} speaks version {version} of the relay protocol"
    hint = "upgrade Chaise here"
    relay: str
    version: int


class _Key:
    """The device, as requests are signed by it."""

    def __init__(self, of: Signer) -> None:
        self.public, self.sign_request = of.device, of.sign_request


class Caller:
    """One device at one relay, or somebody who signs nothing. where: the address as people know it."""

    def __init__(
        self,
        where: str,
        to: Address,
        signer: Signer | None,
        now: Now,
        *,
        timeout_s: float = TIMEOUT_S,
        link: Link | None = None,
        pause: Pause = REAL,
    ) -> None:
        self.where = where
        self._to, self._key, self._now = to, _Key(signer) if signer else None, now
        self._timeout_s, self._pause = timeout_s, pause
        self._link = link or Link(to)
        self._used = False  # over this connection something was answered already

    def close(self) -> None:
        """Let go of the connection."""
        self._link.close()

    def key(self) -> bytes:
        """Which relay answers here. Raises Malformed where it is none, RelayNewer, NoAnswer, Untrusted."""
        return who(self.where, self._ask("GET", "/v1/relay", b"", {}, SMALL, self._timeout_s))

    def post(self, path: str, body: bytes, *, limit: int = SMALL, wait_s: int | None = None) -> bytes:
        """The answer to one signed request. wait_s: how long the relay may keep it back.

        A relay that is busy is asked again when it says, if that is within the time of a request.
        Raises NoAnswer, Untrusted, RelayRefused, RelayBusy, Malformed.
        """
        assert self._key is not None, "somebody who signs"
        return self._post(path, body, limit, wait_s)

    def say(self, path: str, body: bytes, *, limit: int = SMALL, wait_s: int | None = None) -> bytes:
        """As `post`, without a signature: for what anybody may ask."""
        return self._post(path, body, limit, wait_s, signed=False)

    def _post(self, path: str, body: bytes, limit: int, wait_s: int | None, *, signed: bool = True) -> bytes:
        assert len(body) <= BODY_LIMIT, "a request over 4 MiB"
        deadline_s = self._timeout_s if wait_s is None else wait_s + POLL_GRACE_S
        end = self._pause.monotonic() + self._timeout_s
        while True:
            headers = self._signed(path, body) if signed else {}
            answer = self._ask("POST", path, body, headers, limit, deadline_s)
            if answer.status == 200:
                return answer.body
            error = self._refusal(answer)
            if not isinstance(error, RelayBusy) or self._pause.monotonic() + max(1, error.seconds) > end:
                raise error
            self._pause.sleep(max(1, error.seconds))

    def _signed(self, path: str, body: bytes) -> Mapping[str, str]:
        assert self._key is not None, "somebody who signs"
        where, at = self._to.path + path, self._now() // 1000
        return request_signing.sign("POST", authority(self._to), where, body, self._key, at)

    def _ask(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], limit: int, deadline_s: float
    ) -> Answer:
        """One request; once more, when a connection that was kept turns out to be closed. All may be repeated."""
        kept, self._used = self._used, False
        try:
            answer = self._link.request(method, path, body, limit=limit, deadline_s=deadline_s, headers=headers)
        except NoAnswer:
            if not kept:
                raise
            answer = self._link.request(method, path, body, limit=limit, deadline_s=deadline_s, headers=headers)
        self._used = True
        return answer

    def _refusal(self, answer: Answer) -> ChaiseError:
        try:
            said = read_json(answer.body)
        except Malformed:
            return Malformed(why=f"status {answer.status} without a reason")
        code = wire.printable(str(said.get("code")), CODE_LIMIT)
        text = wire.printable(str(said.get("text")), _TEXT_LIMIT)
        kinds = {"relay.not_registered": NotRegistered, "relay.not_admitted": NotAdmitted, "relay.struck": StruckOff}
        if code == "relay.clock":
            return WrongClock(relay=self.where, answer=code, said=text, apart=self._apart(answer))
        if answer.status == 503 or code == "relay.rate":
            return RelayBusy(relay=self.where, said=text, seconds=_seconds(answer.headers.get("retry-after")))
        return kinds.get(code, RelayRefused)(relay=self.where, answer=code, said=text)

    def _apart(self, answer: Answer) -> str:
        try:
            theirs = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
        except (ValueError, OverflowError):
            return "by more than 5 minutes"
        ahead = self._now() / 1000 - theirs
        return f"this one is {_span(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}"


def who(where: str, answer: Answer) -> bytes:
    """The key in a relay's answer about itself. Raises Malformed where it is no relay's, RelayNewer."""
    if answer.status != 200:
        raise Malformed(why=f"status {answer.status} where a relay says who it is")
    said = read_json(answer.body)
    version, key = said.get("version"), read_id(said.get("relay"))
    if not isinstance(version, int) or version < VERSION:
        raise Malformed(why="a relay that does not say who it is")
    if version > VERSION:
        raise RelayNewer(relay=where, version=version)
    return key


def authority(to: Address) -> str:
    """What `Host` says, in the one spelling that requests are signed with."""
    host = f"[{to.host}]" if ":" in to.host else to.host
    return host if to.port == (443 if to.secure else 80) else f"{host}:{to.port}"


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"


def _seconds(value: str | None) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 6 else 60


def read_json(body: bytes) -> dict[str, object]:
    """The object in an answer. Raises Malformed."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(why="an answer that is no JSON") from error
    if not isinstance(value, dict):
        raise Malformed(why="an answer that is no object")
    return value


def read_id(value: object) -> bytes:
    """32 bytes of an answer in JSON. Raises Malformed."""
    try:
        found = ids.raw(value) if isinstance(value, str) else b""
    except ValueError as error:
        raise Malformed(why="a key that is not base64url") from error
    if len(found) != 32:
        raise Malformed(why="a key of another size")
    return found
