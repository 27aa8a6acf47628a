"""The laws themselves: what they let pass is what is true, and nothing else."""

from __future__ import annotations

import pytest

from chaise_cli.ids import public
from tests.simulator import checks, plan
from tests.simulator.devices import Device, Line
from tests.simulator.stage import Stage

DEAL = b"deal"


def test_an_alarm_about_a_copied_device_is_false_unless_it_tells_of_its_histories(
    on: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsound(device: Device) -> list[str]:
        return [f"self: the verdict on event 2 of {public('dev', device.session.me.device)} is wrong"]

    monkeypatch.setattr(checks, "sound", unsound)
    done = plan.run(on, "copies", 1, [("clone", 0, 7)])
    assert done.broken is not None
    assert "false alarm" in done.broken


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        ([b"a", b"b", b"c", b"d"], {}),  # the line has grown: nothing at all may change
        ([b"a", b"b", b"x"], {DEAL: 4}),  # what came behind b may be taken up otherwise
        ([b"x"], {DEAL: -1}),
        ([], {DEAL: -1}),
    ],
)
def test_only_what_the_line_has_left_behind_may_be_taken_up_anew(now: list[bytes], kept: dict[bytes, int]) -> None:
    settled = {id_: (uptake, 0, None, DEAL) for id_, uptake in {b"a": 3, b"b": 4, b"c": 5}.items()}
    before = {DEAL: Line(9, [b"a", b"b", b"c"])}
    assert checks.final(settled, before, {DEAL: Line(12, now)}) == kept
