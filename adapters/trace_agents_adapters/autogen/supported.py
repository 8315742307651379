"""Which releases of AutoGen the adapter was made for."""

from __future__ import annotations

from trace_agents_adapters.releases import Unsupported


class UnsupportedAutoGen(Unsupported):
    """The installed AutoGen is too old or too new; the sentence names what to install."""

    floor = (0, 7, 1)
    ceiling = (0, 8)


def require_supported(package: str = "autogen-agentchat", found: str | None = None) -> None:
    """Return if a release is supported.

    Raises:
        UnsupportedAutoGen: it is not.
    """
    UnsupportedAutoGen.require(package, found)
