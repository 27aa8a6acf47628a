"""What goes wrong on request: each fault waits in line for the next payment that is asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType
from typing import Any, Final

from chaise_cli.rails.simulation.asked import REFERENCE, BadRequest

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "drop_request": "hang up without having done anything",
        "drop_reply": "do it, then hang up",
        "error_before": "answer 503 without having done anything",
        "error_after": "do it, then answer 500",
        "garble": "do it, then answer 200 with half of the answer's text",
        "duplicate": "do it as if it had come twice",
        "delay": "wait `seconds` of the machine's time, then do it",
        "decline": "decline it with `code`",
        "pend": "keep it pending; it succeeds after `seconds` of the sim's time",
        "action": "keep it pending until a person does what `text` says",
    }
)
MOST: Final = 1000  # in line
LONGEST_S: Final = 10 * 365 * 86_400


@dataclass(frozen=True, slots=True)
class Fault:
    """One of KINDS. seconds, code, text: as the kind wants them."""

    kind: str
    seconds: int = 0
    code: str = ""
    text: str = ""


def fault(value: Mapping[str, Any]) -> tuple[Fault, int]:
    """A fault and how often it strikes, from the fields of a request. Raises BadRequest."""
    made = Fault(
        value["fault"], value.get("seconds", 0), value.get("code", "card_declined"), value.get("text", "pay it")
    )
    times = value.get("times", 1)
    if made.kind not in KINDS:
        raise BadRequest("bad_fault", f"a fault is one of {', '.join(KINDS)}")
    if not 1 <= times <= MOST or not 0 <= made.seconds <= LONGEST_S:
        raise BadRequest("bad_fault", f"times goes from 1 to {MOST}, seconds from 0 to {LONGEST_S}")
    if not REFERENCE.fullmatch(made.code) or not 0 < len(made.text) <= 200 or not made.text.isprintable():
        raise BadRequest("bad_fault", "code is a word, text a line of up to 200 characters")
    return made, times


class Faults:
    """The line. Kept in memory: a sim that starts again is a healthy one."""

    def __init__(self) -> None:
        self._line: deque[Fault] = deque()
        self._lock = Lock()

    def add(self, what: Fault, times: int) -> int:
        """Put it in line so often; how many wait there now. Raises BadRequest."""
        with self._lock:
            if len(self._line) + times > MOST:
                raise BadRequest("bad_fault", f"no more than {MOST} faults wait")
            self._line.extend([what] * times)
            return len(self._line)

    def next(self) -> Fault | None:
        """The fault of the payment that is asked for now."""
        with self._lock:
            return self._line.popleft() if self._line else None

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._line.clear()

    def __len__(self) -> int:
        return len(self._line)
