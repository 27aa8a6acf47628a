"""Modules that a library imports for what nobody here calls: they are loaded when somebody does.

Typer names `subprocess` for `typer.launch` and for installing completion scripts, which we write ourselves; with what
it imports in turn it is a quarter of a bare start. A stand-in serves that one import; whoever imports it later gets it
as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


@contextmanager
def postponed(names: Sequence[str]) -> Iterator[None]:
    """While the block runs, an import of these modules gives a stand-in, unless they were loaded before.

    The first look at an attribute of it, during the block or at any time later, loads the module and is answered by it.
    """
    waiting = {name: _StandIn(name) for name in names if name not in sys.modules}
    sys.modules.update(waiting)
    try:
        yield
    finally:
        for module in waiting.values():
            module.leave()


class _StandIn(ModuleType):
    """Something that is imported in a module's place. Not LazyLoader's, which a second import makes load."""

    def __getattr__(self, attribute: str) -> Any:
        self.leave()
        return getattr(import_module(self.__name__), attribute)

    def leave(self) -> None:
        """From now on an import gives the module itself."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
