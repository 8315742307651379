"""Which releases of LangChain the adapter was made for."""

from __future__ import annotations

from trace_agents_adapters.releases import Unsupported


class UnsupportedLangChain(Unsupported):
    """The installed LangChain is too old or too new; the sentence names what to install."""

    floor = (1, 0)
    ceiling = (2, 0)


def require_supported(package: str = "langchain-core", found: str | None = None) -> None:
    """Return if a release is supported.

    Raises:
        UnsupportedLangChain: it is not.
    """
    UnsupportedLangChain.require(package, found)
