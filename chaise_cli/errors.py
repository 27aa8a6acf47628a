"""Errors a user or a script can meet: one class per failure, each with a code, an exit status and a hint.

The bases below fix the exit status; a concrete class stands beside the code that raises it and adds
`code`, `message`, `hint` and the data the message is filled from. One boundary, in `cli`, turns an
error into a sentence for people or an object for scripts.
"""

from __future__ import annotations

from typing import ClassVar, dataclass_transform


@dataclass_transform(kw_only_default=True, eq_default=False)
class ChaiseError(Exception):
    """Base of every failure with a stable code. Subclasses list their data as annotations.

    The annotations are the keyword arguments of the constructor, as with a dataclass; a real
    dataclass would cost every command half a millisecond per error class at start-up.
    """

    code: ClassVar[str] = "bug"
    message: ClassVar[str] = "a bug in Chaise"
    hint: ClassVar[str] = ""
    exit: ClassVar[int] = 1
    retryable: ClassVar[bool] = False
    reader_tz: str = ""  # the zone of whoever ran into it, as far as it is known; no part of the data

    def __init__(self, **data: object) -> None:
        self.__dict__.update(data)
        self._names = tuple(data)  # frameworks hang attributes of their own on exceptions
        super().__init__(self.sentence())

    def details(self) -> dict[str, object]:
        """The data of this failure, for `error.details`."""
        return {name: self.__dict__[name] for name in self._names}

    def sentence(self) -> str:
        """The message with its data filled in, not yet made safe for a terminal."""
        return self.message.format(**self.__dict__)

    def advice(self) -> str:
        """The hint with its data filled in; empty when there is none."""
        return self.hint.format(**self.__dict__)


class Usage(ChaiseError):
    """The call itself is wrong."""

    exit = 2


class NotFound(ChaiseError):
    """Nothing, or more than one thing, answers to what was named."""

    exit = 3


class NoKey(ChaiseError):
    """The home is locked, or the key given does not fit."""

    exit = 4


class Refused(ChaiseError):
    """A rule forbids the act: state, role, funds or deadline."""

    exit = 5


class Conflict(ChaiseError):
    """The state moved on since the request was prepared."""

    exit = 6


class Denied(ChaiseError):
    """A grant or a policy forbids the act."""

    exit = 7


class StillWaiting(ChaiseError):
    """Recorded or decided; the other side, the agent or the rail has yet to act."""

    exit = 8


class RailDeclined(ChaiseError):
    """The rail said no."""

    exit = 9


class RailUnknown(ChaiseError):
    """Nobody knows yet whether the rail moved the money."""

    exit = 10


class Corrupt(ChaiseError):
    """Verification failed: a signature, a chain, a balance, or a store behind its anchor."""

    exit = 11


class RequestReused(ChaiseError):
    """A request id came back with other parameters."""

    exit = 12


class Unreachable(ChaiseError):
    """A peer could not be reached; what was written here is kept."""

    exit = 13
    retryable = True


class Newer(ChaiseError):
    """Written by a newer Chaise."""

    exit = 14
