"""Which releases of AutoGen the adapter was made for."""

from __future__ import annotations

import re
from importlib.metadata import version

from trace_agents.errors import TraceAgentsError

FLOOR = (0, 7, 1)
"""The oldest release that works."""
CEILING = (0, 8)
"""The first release that may not."""


class UnsupportedAutoGen(TraceAgentsError, ImportError):
    """The installed AutoGen is too old or too new; the sentence names what to install."""

    def __init__(self, package: str, found: str) -> None:
        self.package = package
        self.found = found
        floor, ceiling = (".".join(map(str, numbers)) for numbers in (FLOOR, CEILING))
        super().__init__(
            f"{package} {found} is installed, and the adapter needs at least {floor} and less "
            f"than {ceiling}; run: pip install '{package}>={floor},<{ceiling}'"
        )


def require_supported(package: str = "autogen-agentchat", found: str | None = None) -> None:
    """Return if a release is supported.

    Raises:
        UnsupportedAutoGen: it is not.
    """
    installed = found or version(package)
    numbers = tuple(int(part) for part in re.findall(r"\d+", installed)[:3])
    if not FLOOR <= numbers < CEILING:
        raise UnsupportedAutoGen(package, installed)
