"""One connection to an engine's server, kept open while the server does."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

_PATIENCE_S = 2.0
_MOST_BYTES = 1 << 20


class Endpoint:
    """Asks for pages; one that does not come, or that the server does not offer, is empty.

    Raises:
        ValueError: no such address can be.
    """

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint if "://" in endpoint else f"http://{endpoint}")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=_PATIENCE_S)
        self._base = parts.path.removesuffix("/").removesuffix("/v1")
        self._refused: set[str] = set()

    def close(self) -> None:
        """End it."""
        self._connection.close()

    def get(self, path: str) -> str:
        """A page's text, waiting two seconds at most for each part of it."""
        if path in self._refused:
            return ""
        try:
            self._connection.request("GET", self._base + path)
            answer = self._connection.getresponse()
            body = answer.read(_MOST_BYTES)
        except (OSError, http.client.HTTPException):  # not yet up, busy, or gone
            self._connection.close()
            return ""
        if not answer.isclosed():  # more than any of them has to say
            self._connection.close()
        if 400 <= answer.status < 500 or answer.status == 501:
            self._refused.add(path)  # this server does not offer it
        return body.decode("utf-8", "replace") if answer.status == 200 else ""
