"""Which releases of LangChain the adapter was made for."""

from __future__ import annotations

import re
from importlib.metadata import version

from trace_agents.errors import TraceAgentsError

FLOOR = (1, 0)
"""The oldest release that works."""
CEILING = (2, 0)
"""The first release that may not."""


class UnsupportedLangChain(TraceAgentsError, ImportError):
    """The installed LangChain is too old or too new; the sentence names what to install."""

    def __init__(self, package: str, found: str) -> None:
        self.package = package
        self.found = found
        floor, ceiling = (".".join(map(str, numbers)) for numbers in (FLOOR, CEILING))
        super().__init__(
            f"{package} {found} is installed, and the adapter needs at least {floor} and less "
            f"than {ceiling}; run: pip install '{package}>={floor},<{ceiling}'"
        )


def require_supported(package: str = "langchain-core", found: str | None = None) -> None:
    """Return if a release is supported.

    Raises:
        UnsupportedLangChain: it is not.
    """
    installed = found or version(package)
    numbers = tuple(int(part) for part in re.findall(r"\d+", installed)[:2])
    if not FLOOR <= numbers < CEILING:
        raise UnsupportedLangChain(package, installed)
