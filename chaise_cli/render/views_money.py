"""Views of the book: operations, balances, journal entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.render.document import Block, Cell, Column, Fields, Table, View
from chaise_cli.render.eye import Eye, handle, money, named
from chaise_cli.render.views_hire import moving

if TYPE_CHECKING:
    from chaise_cli.shapes import (
        Balance,
        BalanceBy,
        Grant,
        JournalEntry,
        Op,
        Payment,
        RailEntry,
        RailLine,
        Reconciliation,
        Statement,
    )


def _op_row(op: Op, eye: Eye) -> list[Cell]:
    what = op.get("text") or f"{moving(op)}: {op['state']}"
    return [eye.ids(op["id"]), op["kind"], eye.ids(op.get("milestone", "")), eye.ids(what)]


def _op_page(op: Op, eye: Eye) -> list[Block]:
    pairs = [
        ("operation", op["id"]),
        ("milestone", eye.ids(op.get("milestone", ""))),
        ("to do", eye.ids(op.get("text", ""))),
        ("kind", op["kind"]),
        ("amount", money(op["amount"])),
        ("total", money(op["total"])),
        ("held by" if op["kind"] == "fund" else "to", named(op["to"], eye)),
        ("state", op["state"]),
        ("reference", op["ref"] or ""),
        ("request", op["request_id"] or ""),
        ("grant", eye.ids(op["grant"] or "")),
    ]
    return [Fields(pairs)]


def _grant_row(grant: Grant, eye: Eye) -> list[Cell]:
    what = " ".join([", ".join(grant["can"]), *([eye.ids(grant["milestone"])] if grant["milestone"] else [])])
    return [eye.ids(grant["id"]), grant["name"], what, *_limits(grant), eye.at(grant["until"]), grant["state"]]


def _limits(grant: Grant) -> tuple[str, str]:
    return money(grant["spent"]), money(grant["max"])


def _grant_page(grant: Grant, eye: Eye) -> list[Block]:
    wants = grant["approvals"]
    hours = grant["delivered_for_ms"]
    pairs = [
        ("grant", grant["id"]),
        ("name", grant["name"]),
        ("deal", eye.ids(grant["deal"])),
        ("by", named(grant["by"], eye)),
        ("may", ", ".join(grant["can"])),
        ("milestone", eye.ids(grant["milestone"]) if grant["milestone"] else "any"),
        ("moved of", f"{money(grant['spent'])} of {money(grant['max'])}"),
        ("per day", money(grant["per_day"]) if grant["per_day"] else ""),
        ("until", eye.when(grant["until"])),
        ("approvals", f"{wants['need']} of {', '.join(named(who, eye) for who in wants['of'])}" if wants else ""),
        *(
            ("approved", f"{named(one['by'], eye)}: {money(one['total'])} of {eye.ids(one['milestone'])}")
            for one in grant["approved"]
        ),
        ("delivered", f"for {hours / 3_600_000:g} h" if hours is not None else ""),
        ("policy", grant["policy"] or ""),
        ("state", grant["state"] if grant["final"] else f"{grant['state']}, provisional"),
        ("key file", grant.get("file", "")),
    ]
    return [Fields(pairs)]


def _balance_row(balance: Balance | BalanceBy, _eye: Eye) -> list[Cell]:
    amounts = (
        balance["funded"],
        balance["held"],
        balance["released"],
        balance["refunded"],
        balance["disputed"],
        balance["payable"],
        balance["paid_out"],
    )
    return [balance["currency"], *(amount["text"].removesuffix(f" {amount['currency']}") for amount in amounts)]


def _balance_page(balance: Balance, eye: Eye) -> list[Block]:
    names = [column.title.lower() for column in _BALANCE]
    return [Fields(list(zip(names, (str(cell) for cell in _balance_row(balance, eye)), strict=True)))]


def _share_row(share: BalanceBy, eye: Eye) -> list[Cell]:
    person = share["person"]
    who = handle(person) or (eye.ids(person["id"]) if person else "")
    return [eye.ids(share["deal"] or "") or who or share["month"] or "", *_balance_row(share, eye)]


def _share_page(share: BalanceBy, eye: Eye) -> list[Block]:
    names = ["of", *(column.title.lower() for column in _BALANCE)]
    return [Fields(list(zip(names, (str(cell) for cell in _share_row(share, eye)), strict=True)))]


def _line_row(line: Payment, what: str, eye: Eye) -> list[Cell]:
    ops = tuple(eye.ids(op) for op in line["ops"])
    return [str(line["line"]), line["booked"], money(line["amount"]), what, ops, line["party"], line["text"]]


def _statement_page(statement: Statement, eye: Eye) -> list[Block]:
    pairs = [
        ("lines", str(statement["lines"])),
        ("attested", str(len(statement["attested"]))),
        ("known before", str(len(statement["known"]))),
        ("unmatched", str(len(statement["unmatched"]))),
        ("still due", str(len(statement["due"]))),
    ]
    rows = [_line_row(line, "attested", eye) for line in statement["attested"]]
    rows += [_line_row(line, (line["why"] or "").replace("_", " "), eye) for line in statement["unmatched"]]
    blocks: list[Block] = [Fields(pairs)]
    if rows:
        blocks.append(Table(_LINES, rows))
    if statement["due"]:
        blocks.append(Table(_OP, [_op_row(op, eye) for op in statement["due"]], "still due"))
    return blocks


def _statement_row(statement: Statement, _eye: Eye) -> list[Cell]:
    parts = (statement["attested"], statement["known"], statement["unmatched"], statement["due"])
    return [str(statement["lines"]), *(str(len(part)) for part in parts)]


def _side(item: RailLine | RailEntry, what: str, eye: Eye) -> list[Cell]:
    return [what, eye.at(item["at"]), item["ref"], money(item["amount"]), money(item["cost"]), eye.ids(item["text"])]


def _reconciliation_page(found: Reconciliation, eye: Eye) -> list[Block]:
    """The differences, each with what the one side has and the other lacks or has otherwise, then the sums."""
    rows = [_side(line, "not in the book", eye) for line in found["unbooked"]]
    rows += [_side(entry, "not on the statement", eye) for entry in found["unshown"]]
    for one in found["differing"]:
        rows += [_side(line, "the statement says", eye) for line in one["lines"]]
        rows += [_side(entry, "the book says", eye) for entry in one["entries"]]
    blocks: list[Block] = [Fields([("rail", found["rail"]), ("agreed", str(found["agreed"]))])]
    if rows:
        blocks.append(Table(_SIDES, rows, "differences"))
    if found["own"]:
        blocks.append(Table(_SIDES, [_side(line, line["kind"], eye) for line in found["own"]], "of no deal"))
    sums = [[money(one["statement"]), money(one["book"]), money(one["difference"])] for one in found["sums"]]
    return [*blocks, Table(_SUMS, sums)] if sums else blocks


def _reconciliation_row(found: Reconciliation, _eye: Eye) -> list[Cell]:
    parts = (found["unbooked"], found["unshown"], found["differing"])
    return [found["rail"], str(found["agreed"]), *(str(len(part)) for part in parts)]


def _entry_row(entry: JournalEntry, eye: Eye) -> list[Cell]:
    accounts = tuple(_short_account(eye.ids(posting["account"])) for posting in entry["postings"])
    amounts = tuple(money(posting["amount"]) for posting in entry["postings"])
    return [eye.at(entry["at"]), eye.ids(entry["text"]), accounts, amounts, entry["ref"] or ""]


def _short_account(account: str) -> str:
    """The account without its class, which the sign of the amount tells; the page of an entry has it in full."""
    return account.removeprefix("assets:").removeprefix("liabilities:")


def _entry_page(entry: JournalEntry, eye: Eye) -> list[Block]:
    rows = [[eye.ids(posting["account"]), money(posting["amount"])] for posting in entry["postings"]]
    pairs = [("at", eye.when(entry["at"])), ("text", eye.ids(entry["text"])), ("reference", entry["ref"] or "")]
    return [Fields(pairs), Table([Column("ACCOUNT"), Column("AMOUNT", right=True)], rows)]


_OP: Final = [
    Column("OPERATION"),
    Column("KIND"),
    Column("MILESTONE"),
    Column("TO DO", wrap=True),
]
_GRANT: Final = [
    Column("GRANT"),
    Column("NAME", flex=True),
    Column("MAY", wrap=True),
    Column("MOVED", right=True),
    Column("OF", right=True),
    Column("UNTIL", drop=1),
    Column("STATE"),
]
_BALANCE: Final = [
    Column("CURRENCY"),
    Column("FUNDED", right=True),
    Column("HELD", right=True),
    Column("RELEASED", right=True),
    Column("REFUNDED", right=True),
    Column("DISPUTED", right=True, drop=1),
    Column("PAYABLE", right=True),
    Column("PAID OUT", right=True),
]
_SHARES: Final = [
    Column("OF"),
    Column(""),
    Column("FUNDED", right=True, drop=1),
    Column("HELD", right=True),
    Column("RELEASED", right=True, drop=2),
    Column("REFUNDED", right=True, drop=3),
    Column("DISPUTED", right=True, drop=4),
    Column("PAYABLE", right=True),
    Column("PAID OUT", right=True),
]
_LINES: Final = [
    Column("LINE", right=True),
    Column("BOOKED"),
    Column("AMOUNT", right=True),
    Column("WHAT"),
    Column("OPERATION"),
    Column("PARTY", flex=True, drop=2),
    Column("TEXT", flex=True, drop=1),
]
_STATEMENT: Final = [Column(title, right=True) for title in ("LINES", "ATTESTED", "KNOWN", "UNMATCHED", "DUE")]


_SIDES: Final = [
    Column("WHAT"),
    Column("AT"),
    Column("REFERENCE"),
    Column("AMOUNT", right=True),
    Column("COST", right=True, drop=2),
    Column("TEXT", flex=True, drop=1),
]
_SUMS: Final = [Column(title, right=True) for title in ("STATEMENT", "BOOK", "DIFFERENCE")]
_RECONCILIATION: Final = [
    Column("RAIL"),
    *(Column(title, right=True) for title in ("AGREED", "NOT IN THE BOOK", "NOT ON THE STATEMENT", "DIFFERING")),
]


def _entry_columns(eye: Eye) -> list[Column]:
    return [
        Column(eye.column("AT")),
        Column("TEXT", wrap=True),
        Column("ACCOUNT"),
        Column("AMOUNT", right=True),
        Column("REFERENCE", flex=True, drop=1),
    ]


VIEWS: Final = {
    "op": View(lambda _eye: _OP, _op_row, _op_page, "nothing is due"),
    "grant": View(lambda _eye: _GRANT, _grant_row, _grant_page, "no grants: chaise grant create"),
    "balance": View(lambda _eye: _BALANCE, _balance_row, _balance_page, "no money has moved"),
    "balance_by": View(lambda _eye: _SHARES, _share_row, _share_page, "no money has moved"),
    "statement": View(lambda _eye: _STATEMENT, _statement_row, _statement_page, "no statement"),
    "reconciliation": View(
        lambda _eye: _RECONCILIATION, _reconciliation_row, _reconciliation_page, "nothing was compared"
    ),
    "journal_entry": View(_entry_columns, _entry_row, _entry_page, "no money has moved"),
}
