"""The table of docs/spec/errors.md, made from the error classes.

`python -m tests.architecture.errors_page` prints the page; redirect it to the file to publish a new code.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Final

import chaise_cli
import sync
from chaise_cli.errors import ChaiseError

HEAD: Final = """\
# Error codes

Every failure carries one of these codes, in `error.code` of its JSON object. Codes and exit statuses never change;
new ones may be added. `chaise help CODE` explains one. This page is made from the classes by
`python -m tests.architecture.errors_page`, and a test compares the two.

| code | exit | meaning |
| --- | --- | --- |
"""
_RUNS_ON_IMPORT: Final = ("__main__",)


@cache
def error_classes() -> tuple[type[ChaiseError], ...]:
    """Every error class of the product with a code of its own, by code; all our modules are imported to find them."""
    for package in (chaise_cli, sync):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(_RUNS_ON_IMPORT):
                importlib.import_module(module.name)
    return tuple(sorted((cls for cls in subclasses(ChaiseError) if "code" in vars(cls)), key=lambda cls: cls.code))


def subclasses(base: type[ChaiseError]) -> set[type[ChaiseError]]:
    """`base` and all classes below it that the product itself defines."""
    below = {cls for child in base.__subclasses__() for cls in subclasses(child)}
    return {cls for cls in {base, *below} if cls.__module__.partition(".")[0] in {"chaise_cli", "sync"}}


def page() -> str:
    """The whole page as it should stand in docs/spec/errors.md."""
    return HEAD + "".join(f"| `{cls.code}` | {cls.exit} | {_meaning(cls)} |\n" for cls in error_classes())


def _meaning(cls: type[ChaiseError]) -> str:
    return (cls.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ").replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
