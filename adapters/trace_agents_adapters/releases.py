"""Which releases of a framework an adapter was made for."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import ClassVar, TypeAlias

from trace_agents.errors import TraceAgentsError

Numbers: TypeAlias = tuple[int, ...]


class Unsupported(TraceAgentsError, ImportError):
    """The installed framework is too old or too new; the sentence names what to install.

    A framework's own error says from which release on the adapter works, and before which.
    """

    floor: ClassVar[Numbers]
    """The oldest release that works."""
    ceiling: ClassVar[Numbers]
    """The first release that may not."""

    def __init__(self, package: str, found: str) -> None:
        self.package = package
        self.found = found
        floor, ceiling = (".".join(map(str, numbers)) for numbers in (self.floor, self.ceiling))
        super().__init__(
            f"{package} {found} is installed, and the adapter needs at least {floor} and less "
            f"than {ceiling}; run: pip install '{package}>={floor},<{ceiling}'"
        )

    @classmethod
    def require(cls, package: str, found: str | None = None) -> None:
        """Return if a release is supported, the installed one where none is named; else raise."""
        installed = found or version(package)
        numbers = tuple(int(part) for part in re.findall(r"\d+", installed)[: len(cls.floor)])
        if not cls.floor <= numbers < cls.ceiling:
            raise cls(package, installed)
