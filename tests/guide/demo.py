"""`make demo`: plays the guide between Lisa and James in a temporary folder, printing each command and its output."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.guide import play


def main() -> int:
    """Play every chapter; 1 when something printed is not what the guide says."""
    wrong = sum(_play(part) for part in play.parts() if part)
    sys.stdout.write(f"\n{wrong} outputs differ from the guide\n" if wrong else "\nplayed as the guide says\n")
    return 1 if wrong else 0


def _play(part: list[Path]) -> int:
    """Play one part between fresh homes; how many outputs are not what the guide says."""
    with tempfile.TemporaryDirectory(prefix="chaise-demo-") as name:
        stage = play.Stage(Path(name))
        wrong = 0
        for chapter in part:
            title = chapter.read_text().splitlines()[0].lstrip("# ")
            sys.stdout.write(f"\n== {title}\n\n")
            wrong += sum(_show(stage, step) for step in play.steps(chapter.read_text()))
        stage.close()
        calls = Path(name) / "lisa" / "calls.ics"
        if calls.exists():
            sys.stdout.write(f"\n== The calendar file that Lisa wrote\n\n{calls.read_text()}")
        return wrong


def _show(stage: play.Stage, step: play.Step) -> bool:
    """Play one step and print it; whether its output differs."""
    output = stage.play(step).replace("\r\n", "\n")
    sys.stdout.write(f"{step.who}$ {step.command}\n{output}" + ("" if output.endswith("\n") else "\n"))
    sys.stdout.flush()
    difference = stage.differs(step, output)
    if difference:
        sys.stdout.write(f"!! not what the guide says:\n{difference}\n")
    return difference is not None


if __name__ == "__main__":
    sys.exit(main())
