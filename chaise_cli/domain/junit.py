"""JUnit reports, read strictly: cases are counted, totals are only ever compared. docs/spec/policies.md, JUnit.

A report comes from a job whose tests may be hostile: no document type, no entities, known elements alone, and
bounds on size, depth and count.
"""

from __future__ import annotations

import re
from typing import Final
from xml.parsers import expat

from chaise_cli.domain.light import NamedTuple

BYTES_MOST: Final = 4 << 20
DEPTH_MOST: Final = 32
ELEMENTS_MOST: Final = 200_000
AGAIN: Final = frozenset({"flakyFailure", "flakyError", "rerunFailure", "rerunError"})
_OUTPUT: Final = frozenset({"system-out", "system-err"})
_INSIDE: Final[dict[str, frozenset[str]]] = {  # element → what may stand in it; "" is the document
    "": frozenset({"testsuites", "testsuite"}),
    "testsuites": frozenset({"testsuite", "properties"}) | _OUTPUT,
    "testsuite": frozenset({"testsuite", "testcase", "properties"}) | _OUTPUT,
    "testcase": frozenset({"properties", "failure", "error", "skipped"}) | _OUTPUT | AGAIN,
    "properties": frozenset({"property"}),
    **dict.fromkeys(AGAIN, frozenset({"stackTrace"}) | _OUTPUT),
}
_NOT_RUN: Final = (
    ("status", frozenset({"notrun", "disabled", "skipped"})),
    ("result", frozenset({"suppressed", "skipped"})),
)


class Unreadable(ValueError):
    """The bytes are no report that can be relied on; the argument says why."""


class Report(NamedTuple):
    """What a report counts. failed: cases that did not pass at the first try; ran: cases that were not skipped."""

    ran: int
    failed: int
    skipped: int


class _Suite:
    """A suite while it is read: the totals it claims, and what was counted below it."""

    def __init__(self, claims: dict[str, str]) -> None:
        self.claims = claims
        self.counts = dict.fromkeys(("tests", "failures", "errors", "skipped", "failed"), 0)

    def add(self, counts: dict[str, int]) -> None:
        for key, count in counts.items():
            self.counts[key] += count

    def check(self) -> None:
        """Raise Unreadable where a total lies."""
        for key, names in (
            ("tests", ("tests",)),
            ("failures", ("failures",)),
            ("errors", ("errors",)),
            ("skipped", ("skipped", "disabled")),
        ):
            claims = [self.claims[name] for name in names if name in self.claims]
            if not all(re.fullmatch(r"[0-9]{1,9}", claim) for claim in claims):
                raise Unreadable(f"{key} is not a number")
            if claims and sum(map(int, claims)) != self.counts[key]:
                raise Unreadable(f"{key} says {sum(map(int, claims))}, and {self.counts[key]} are there")


class _Reader:
    """The handlers of one parse."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.suites = [_Suite({})]
        self.found: set[str] = set()  # in the case that is read
        self.elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > ELEMENTS_MOST or len(self.open) == DEPTH_MOST:
            raise Unreadable("too many elements, or too deep")
        if name not in _INSIDE.get(self.open[-1] if self.open else "", frozenset()) or "xmlns" in attributes:
            raise Unreadable(f"an element that does not belong there: {name[:40]}")
        self.open.append(name)
        if name in {"testsuites", "testsuite"}:
            self.suites.append(_Suite(attributes))
        elif name == "testcase":
            self.found = {"skipped"} if any(attributes.get(key) in words for key, words in _NOT_RUN) else set()
        else:
            self.found.add(name)

    def end(self, name: str) -> None:
        self.open.pop()
        if name in {"testsuites", "testsuite"}:
            suite = self.suites.pop()
            suite.check()
            self.suites[-1].add(suite.counts)
        elif name == "testcase":
            self.suites[-1].add(
                {
                    "tests": 1,
                    "failures": int("failure" in self.found),
                    "errors": int("error" in self.found),
                    "skipped": int("skipped" in self.found),
                    "failed": int(bool(self.found & {"failure", "error", *AGAIN})),
                }
            )


def read(data: bytes) -> Report:
    """What the report says. Raises Unreadable.

    >>> read(b'<testsuite tests="2"><testcase name="a"/><testcase name="b"><skipped/></testcase></testsuite>')
    Report(ran=1, failed=0, skipped=1)
    """
    if len(data) > BYTES_MOST:
        raise Unreadable(f"more than {BYTES_MOST} bytes")
    reader, parser = _Reader(), expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise Unreadable(f"not XML: {expat.ErrorString(error.code)}") from error
    except (LookupError, ValueError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable("not XML: an unknown encoding") from error
    counts = reader.suites[0].counts
    return Report(counts["tests"] - counts["skipped"], counts["failed"], counts["skipped"])


def _refuse_doctype(*_: object) -> None:
    raise Unreadable("a document type")
