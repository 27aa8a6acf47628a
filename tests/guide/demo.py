"""`make demo`: plays the guide between Lisa and James in a temporary folder, printing each command and its output."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.guide import play


def main() -> int:
    """Play every chapter; 1 when something printed is not what the guide says."""
    record = "--record" in sys.argv
    with tempfile.TemporaryDirectory(prefix="chaise-demo-") as name:
        stage = play.Stage(Path(name))
        wrong = 0
        for chapter in play.chapters():
            title = chapter.read_text().splitlines()[0].lstrip("# ")
            sys.stdout.write(f"\n== {title}\n\n")
            for step in play.steps(chapter.read_text()):
                output = stage.play(step).replace("\r\n", "\n")
                sys.stdout.write(f"{step.who}$ {step.command}\n{output}" + ("" if output.endswith("\n") else "\n"))
                sys.stdout.flush()
                difference = stage.differs(step, output)
                if difference and not record:
                    sys.stdout.write(f"!! not what the guide says:\n{difference}\n")
                    wrong += 1
        calls = Path(name) / "lisa" / "calls.ics"
        sys.stdout.write(f"\n== The calendar file that Lisa wrote\n\n{calls.read_text()}")
        sys.stdout.write(f"\n{wrong} outputs differ from the guide\n" if wrong else "\nplayed as the guide says\n")
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
