"""Views of one's own devices and of the code that lets one in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.render.document import Block, Cell, Column, Fields, View

if TYPE_CHECKING:
    from chaise_cli.render.eye import Eye
    from chaise_cli.shapes import OwnDevice, Pairing


def _row(device: OwnDevice, eye: Eye) -> list[Cell]:
    deals = str(device["agent_of"] or "")
    return [eye.ids(device["id"]), device["name"], device["kind"], device["state"], deals, eye.when(device["since"])]


def _page(device: OwnDevice, eye: Eye) -> list[Block]:
    pairs = [
        ("id", device["id"]),
        ("name", device["name"]),
        ("kind", device["kind"]),
        ("state", device["state"]),
        ("since", eye.when(device["since"])),
        ("last heard", eye.at(device["seen"])),
        ("agent of", str(device["agent_of"] or "")),
    ]
    return [Fields(pairs)]


def _pairing_row(pairing: Pairing, eye: Eye) -> list[Cell]:
    return [eye.when(pairing["until"]), ", ".join(pairing["via"])]


def _pairing_page(pairing: Pairing, eye: Eye) -> list[Block]:
    device = pairing["device"]
    joined = f"{device['name']} ({eye.ids(device['id'])})" if device else "nobody yet"
    pairs = [
        ("good until", eye.when(pairing["until"])),
        ("meets at", ", ".join(pairing["via"]) or "this home, asked as a peer"),
        ("joined", joined),
        ("code in", pairing["code_file"] or ""),
        ("rights", "limited" if pairing["limited"] else ""),
    ]
    return [Fields(pairs)]


def _columns(eye: Eye) -> list[Column]:
    return [
        Column("ID"),
        Column("NAME", flex=True),
        Column("KIND"),
        Column("STATE"),
        Column("AGENT OF", right=True, drop=1),
        Column(eye.column("SINCE"), drop=2),
    ]


VIEWS: Final = {
    "device": View(_columns, _row, _page, "no devices are known yet: chaise sync"),
    "pairing": View(
        lambda eye: [Column(eye.column("UNTIL")), Column("VIA")], _pairing_row, _pairing_page, "no code was made"
    ),
}
