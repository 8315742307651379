"""Unpacking that stops: a few kilobytes of zeros must not become gigabytes of memory."""

from __future__ import annotations

import zlib

GZIP = b"\x1f\x8b"
"""The first bytes of whatever gzip packed."""

_STEP = 1 << 20
_GZIP_OR_ZLIB = 47
# zlib's word for "look at the header"


class TooLarge(ValueError):
    """More content than the limit allows."""


def unpacked(data: bytes, limit: int) -> bytes:
    """Return the content of gzip or zlib data, also of several members one after another.

    Raises:
        TooLarge: the content is longer than `limit` bytes; no more than that was unpacked.
        ValueError: the data is damaged or ends too early.
    """
    parts: list[bytes] = []
    room = limit
    try:
        while data:
            member = zlib.decompressobj(_GZIP_OR_ZLIB)
            while not member.eof:
                part = member.decompress(data, min(_STEP, room + 1))
                room -= len(part)
                if room < 0:
                    raise TooLarge(f"the unpacked content is longer than {limit} bytes")
                data = member.unconsumed_tail
                if not part and not data and not member.eof:
                    raise ValueError("the packed data ends too early")
                parts.append(part)
            # tar and disk blocks pad with zeros, which are no further member
            data = member.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise ValueError(f"the packed data is damaged: {error}") from None
    return b"".join(parts)
