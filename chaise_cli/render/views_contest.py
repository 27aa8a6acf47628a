"""The view of a contested deal: the histories of its agent side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.render.document import Block, Cell, Column, Fields, Table, View
from chaise_cli.render.eye import Eye, handle, money

if TYPE_CHECKING:
    from chaise_cli.shapes import Contest, History

_MOVEMENTS: Final = [Column("AT"), Column("MOVEMENT"), Column("MILESTONE", right=True), Column("AMOUNT", right=True)]


def _row(contest: Contest, eye: Eye) -> list[Cell]:
    return [eye.ids(contest["id"]), "contested" if contest["contested"] else "not contested"]


def _page(contest: Contest, eye: Eye) -> list[Block]:
    stands = "no" if not contest["contested"] else "yes: both sides name the agent's last event with --last"
    blocks: list[Block] = [Fields([("deal", contest["id"]), ("contested", stands)])]
    for number, history in enumerate(contest["histories"], 1):
        blocks += _history(number, history, eye)
    return blocks


def _history(number: int, history: History, eye: Eye) -> list[Block]:
    named = [f"{handle(one['person'])}: {one['last'][:12]}" for one in history["named"]]
    pairs = [
        ("last event", history["last"]),
        ("device", eye.ids(history["device"])),
        ("shown now", "yes" if history["stands"] else "no"),
        ("named by", "\n".join(named) or "nobody yet"),
    ]
    rows = [
        [eye.at(moved["at"]), moved["kind"], str(moved["milestone"]), money(moved["amount"]) if moved["amount"] else ""]
        for moved in history["movements"]
    ]
    return [Fields(pairs, f"History {number}"), Table(_MOVEMENTS, rows, f"Movements of history {number}")]


VIEWS: Final = {
    "contest": View(lambda _eye: [Column("DEAL"), Column("STATE")], _row, _page, "nothing is contested"),
}
