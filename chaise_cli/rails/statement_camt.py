"""Bank statements as camt.053 XML, versions 001.02 to 001.10. docs/spec/books.md.

Source: ISO 20022, BankToCustomerStatement; what is needed here is alike in these versions but for the places of names.
Read with expat and nothing on top: a document type is refused, so there are no entities of its own and nothing is
fetched; size, depth, number of elements and length of a text are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final
from xml.parsers import expat

from chaise_cli.domain.money import DIGITS, LARGEST, Money
from chaise_cli.domain.statement import ID_MOST, BadStatement, Line

MOST_BYTES: Final = 16 * 1024 * 1024
MOST_ELEMENTS: Final = 2_000_000
MOST_DEPTH: Final = 40
MOST_TEXT: Final = 4_000  # characters between two tags
_SPACE: Final = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(0[2-9]|10)")
_AMOUNT: Final = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,17}))?", re.ASCII)
_DATE: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T.*|Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII)


class Node:
    """An element: its name without the namespace, its attributes, its children and its text."""

    __slots__ = ("attributes", "children", "line", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str], line: int) -> None:
        self.name, self.attributes, self.line = name, attributes, line
        self.children: list[Node] = []
        self.text = ""

    def all(self, path: str) -> Iterator[Node]:
        """Every element at a path below this one: `NtryDtls/TxDtls`."""
        name, _, rest = path.partition("/")
        for child in self.children:
            if child.name == name:
                if rest:
                    yield from child.all(rest)
                else:
                    yield child

    def texts(self, *paths: str) -> list[str]:
        """The texts at these paths, without empty ones."""
        return [found for path in paths for node in self.all(path) if (found := node.text.strip())]

    def first(self, *paths: str) -> str:
        """The first of `texts`, or empty."""
        return next(iter(self.texts(*paths)), "")


def read(data: bytes) -> list[Line]:
    """The payments of every statement in the document, in its order. Raises BadStatement."""
    document = _parsed(data)
    lines: list[Line] = []
    statements = list(document.all("BkToCstmrStmt/Stmt"))
    if not statements:
        raise BadStatement(where="the document", why="there is no statement in it")
    for statement in statements:
        account = statement.first("Acct/Id/IBAN", "Acct/Id/Othr/Id")
        for entry in statement.all("Ntry"):
            lines += _payments(entry, account, len(lines))
    return lines


class _Tree:
    """Builds the document; what is out of bounds or unexpected ends it."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self.parser, self.count = parser, 0
        self.root = Node("", {}, 0)
        self.path = [self.root]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins. Names come as `namespace name`."""
        space, _, local = name.rpartition(" ")
        line = self.parser.CurrentLineNumber
        self.count += 1
        if len(self.path) == 1 and not (local == "Document" and _SPACE.fullmatch(space)):
            raise BadStatement(where=f"line {line}", why="it is no camt.053.001.02 to .10 document")
        if self.count > MOST_ELEMENTS or len(self.path) > MOST_DEPTH:
            raise BadStatement(where=f"line {line}", why="it has too many or too deep elements")
        node = Node(local if _SPACE.fullmatch(space) else f"{space} {local}", attributes, line)
        self.path[-1].children.append(node)
        self.path.append(node)

    def end(self, _name: str) -> None:
        """An element ends."""
        self.path.pop()

    def text(self, text: str) -> None:
        """Text between two tags, maybe in parts."""
        node = self.path[-1]
        if node.children:
            return  # between elements stands nothing but white space
        node.text += text
        if len(node.text) > MOST_TEXT:
            raise BadStatement(where=f"line {self.parser.CurrentLineNumber}", why="a text is too long")

    def doctype(self, *_given: object) -> None:
        """A document type, which a statement has no use for."""
        raise BadStatement(where=f"line {self.parser.CurrentLineNumber}", why="it declares a document type")


def _parsed(data: bytes) -> Node:
    if len(data) > MOST_BYTES:
        raise BadStatement(where="the file", why=f"it has more than {MOST_BYTES} bytes")
    parser = expat.ParserCreate(namespace_separator=" ")
    tree = _Tree(parser)
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = tree.start, tree.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = tree.text, tree.doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadStatement(where=f"line {error.lineno}", why=expat.errors.messages[error.code]) from error
    except (LookupError, ValueError) as error:  # an encoding that nobody knows, or that expat cannot use
        raise BadStatement(where="line 1", why="its encoding is not known") from error
    return tree.root.children[0]


def _payments(entry: Node, account: str, before: int) -> Iterator[Line]:
    """The payments of one entry: those in its details where each has an amount and they add up, else the entry."""
    whole = _amount(entry, "Amt", entry)
    own = entry.first("AcctSvcrRef", "NtryRef")
    unsettled = _unsettled(entry)
    day = _day(entry)
    details = list(entry.all("NtryDtls/TxDtls"))
    parts = [_part(entry, detail) for detail in details]
    added = Money(sum(part.minor for part in parts if part), whole.currency)
    if len(parts) > 1 and added == whole and all(part and part.currency == whole.currency for part in parts):
        for k, (detail, part) in enumerate(zip(details, parts, strict=True), 1):
            assert part is not None, "looked at above"
            mine = f"{own}/{k}" if own else _one_ref([detail])
            yield _line(entry, [detail], day, part, mine, account, before + k, unsettled)
    else:
        yield _line(entry, details, day, whole, own or _one_ref(details), account, before + 1, unsettled)


def _one_ref(details: Sequence[Node]) -> str:
    return details[0].first("Refs/AcctSvcrRef", "Refs/TxId") if len(details) == 1 else ""


def _line(
    entry: Node, details: Sequence[Node], day: str, amount: Money, own: str, account: str, n: int, unsettled: str
) -> Line:
    if not own:
        raise BadStatement(where=f"line {entry.line}", why="an entry has no reference of the bank's own")
    id_ = f"{account} {own}".strip()
    if len(id_) > ID_MOST or not id_.isprintable():
        raise BadStatement(where=f"line {entry.line}", why="the bank's id is too long or no plain text")
    texts = [
        found
        for detail in details
        for found in detail.texts(
            "Refs/EndToEndId", "Refs/InstrId", "RmtInf/Ustrd", "RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/AddtlRmtInf",
            "AddtlTxInf",
        )
    ]  # fmt: skip
    other = "Dbtr" if amount.minor > 0 else "Cdtr"
    party = [
        name
        for detail in details
        if (name := detail.first(f"RltdPties/{other}/Nm", f"RltdPties/{other}/Pty/Nm"))
    ]  # fmt: skip
    words = dict.fromkeys([*texts, *entry.texts("AddtlNtryInf")])
    return Line(n, day, amount, tuple(words), party[0] if len(party) == 1 else "", id_, unsettled)


def _part(entry: Node, detail: Node) -> Money | None:
    """The amount of a detail, in the currency of the account; None where it has none."""
    path = "Amt" if next(detail.all("Amt"), None) else "AmtDtls/TxAmt/Amt"
    return _amount(detail, path, entry) if next(detail.all(path), None) else None


def _amount(of: Node, path: str, entry: Node) -> Money:
    """What came in or, negative, went out."""
    where = f"line {of.line}"
    node = next(of.all(path), None)
    direction = of.first("CdtDbtInd") or entry.first("CdtDbtInd")
    if node is None or direction not in {"CRDT", "DBIT"}:
        raise BadStatement(where=where, why="an entry has no amount, or neither CRDT nor DBIT")
    currency, found = node.attributes.get("Ccy", ""), _AMOUNT.fullmatch(node.text.strip())
    if currency not in DIGITS or found is None:
        raise BadStatement(where=where, why=f"{node.text.strip()[:40]!r} {currency[:8]!r} is no amount")
    digits, decimals = DIGITS[currency], found[2] or ""
    minor = int(found[1] + decimals[:digits].ljust(digits, "0"))
    if decimals[digits:].strip("0") or minor > LARGEST:
        raise BadStatement(where=where, why=f"{node.text.strip()[:40]!r} is no amount of {currency}")
    return Money(minor if direction == "CRDT" else -minor, currency)


def _unsettled(entry: Node) -> str:
    if entry.first("RvslInd") in {"true", "1"}:
        return "reversal"
    return "" if entry.first("Sts/Cd", "Sts") == "BOOK" else "pending"


def _day(entry: Node) -> str:
    found = _DATE.fullmatch(entry.first("BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm"))
    try:
        return date.fromisoformat(found[1] if found else "").isoformat()
    except ValueError as error:
        raise BadStatement(where=f"line {entry.line}", why="an entry has no day on which it was booked") from error
