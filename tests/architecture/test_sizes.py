from __future__ import annotations

from typing import Final

from tests.architecture.tree import PYTHON, functions, python_files, text

FILE_LINES: Final = 600
FUNCTION_LINES: Final = 70
COMMAND_LINES: Final = 200


def test_no_file_is_longer_than_one_concept_can_be() -> None:
    long = {f"{path}: {lines}" for path in python_files(*PYTHON) if (lines := _lines(text(path))) > FILE_LINES}
    assert not long


def test_no_function_is_longer_than_a_screen_or_two() -> None:
    long = {
        f"{function.name}: {function.lines}"
        for path in python_files(*PYTHON)
        if _lines(text(path)) > FUNCTION_LINES
        for function in functions(path)
        if function.lines > FUNCTION_LINES
    }
    assert not long


def test_commands_stay_thin() -> None:
    commands = [path for path in python_files("chaise_cli") if path.parts[1] == "commands"]
    thick = {f"{path}: {lines}" for path in commands if (lines := _lines(text(path))) > COMMAND_LINES}
    assert not thick


def _lines(content: str | None) -> int:
    return len((content or "").splitlines())
