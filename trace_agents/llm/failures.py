"""Our errors for those of litellm and of the providers behind it, in one place."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import cast

from trace_agents.errors import ModelError, ModelUnavailable, UnknownModel

_PASSING = (408, 409, 425, 429)
"""What may be answered the next time, beside all from 500 on."""

_OUT_OF_MONEY = "insufficient_quota"
"""A provider says it with the status of a rate limit; waiting does not help."""

_NO_KEY = re.compile(
    r"missing credentials|missing [\w ]*api key|api_?key[\w ]* is not set"
    r"|default credentials were not found|cannot configure default credentials",
    re.IGNORECASE,
)
"""How litellm and the clients under it say that no key was given, with the status of a server's
failure though nothing was sent."""


def translated(name: str, error: Exception) -> ModelError:
    """Return our error for one that a call of the model `name` through litellm raised.

    It is a `ModelUnavailable` where another try may help.
    """
    if isinstance(error, ModelError):
        return error
    said = _said(error)
    status = _status(error)
    if isinstance(error, TimeoutError) or status == 408:
        return ModelUnavailable(
            f"the model {name!r} did not answer in time; raise timeout= or try later"
        )
    if _NO_KEY.search(said):
        return ModelError(
            f"the model {name!r} has no key; set api_key=, or the variable it needs: {said}"
        )
    if status is not None and (status in _PASSING or status >= 500):
        return _unavailable(name, status, said, error)
    return _final(name, status, said)


def _unavailable(name: str, status: int, said: str, error: Exception) -> ModelError:
    if status == 429 and _OUT_OF_MONEY in str(error):
        return ModelError(f"the account for the model {name!r} has no money left: {said}")
    if status == 429:
        ours = ModelUnavailable(f"the model {name!r} is over its rate limit; try later: {said}")
    else:
        ours = ModelUnavailable(f"the model {name!r} could not answer: {said}")
    ours.retry_after = retry_after(_headers(error))
    return ours


def _final(name: str, status: int | None, said: str) -> ModelError:
    match status:
        case 404:
            return UnknownModel(f"the provider does not know the model {name!r}: {said}")
        case 401 | 403:
            return ModelError(f"the model {name!r} refused the key; set api_key=: {said}")
        case _:
            return ModelError(f"the model {name!r} could not answer: {said}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer's headers ask to wait; None where they do not say.

    `Retry-After` holds seconds or a date (RFC 9110, section 10.2.3); `retry-after-ms` is what
    some providers send beside it.
    """
    exact, said = headers.get("retry-after-ms"), headers.get("retry-after")
    try:
        if exact is not None:
            return max(0.0, float(exact) / 1000)
        return None if said is None else max(0.0, float(said))
    except ValueError:
        return None if said is None else _until(said)


def _until(date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except ValueError:
        return None


def _said(error: Exception) -> str:
    """Return an error's own words in one line; litellm adds the stack to some."""
    words = str(error).partition("Traceback (most recent call last)")[0]
    return " ".join(words.split())[:300]


def _status(error: Exception) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def _headers(error: Exception) -> Mapping[str, str]:
    """Return the headers of the answer, with small letters; litellm keeps them in one of these."""
    response = getattr(error, "response", None)
    for headers in (
        getattr(error, "litellm_response_headers", None),
        getattr(error, "headers", None),
        getattr(response, "headers", None),
    ):
        if isinstance(headers, Mapping) and headers:
            found = cast("Mapping[str, str]", headers)
            return {name.lower(): value for name, value in found.items()}
    return {}
