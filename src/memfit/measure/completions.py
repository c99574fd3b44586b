"""An OpenAI-compatible server asked over HTTP: whether it is ready, and one streamed completion.

Written for ``llama-server`` and tried on nothing else for real. Others take less: what a server refuses with 400 or 422
is asked again more plainly, first without what only llama.cpp knows, then with a prompt of words instead of token ids.
"""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from memfit.errors import UsageError

_AS_IN = "as in http://127.0.0.1:8080, or http://[::1]:8080"
_MOST_BODY_BYTES = 1 << 20
_MOST_LINE_BYTES = 1 << 20
_SHOWN = 200
_NAME_S = 10.0


class Trouble(Exception):
    """The server answers wrongly; the message says how."""


class Refused(Trouble):
    """The server does not take this request."""


class Answer(msgspec.Struct):
    """One completion.

    Attributes:
        prompt_tokens: as the server counted them; 0 where it does not say.
        at_s: when each piece of the answer came, monotonic.
        began_s: when it was asked.
        tokens: as the server counted them, else the pieces.
        version: what the server says of itself.
        ended: whether it said why it stopped.
    """

    began_s: float
    prompt_tokens: int = 0
    tokens: int = 0
    at_s: list[float] = []
    version: str = ""
    ended: bool = False


class Client:
    """Asks one server; every request has a connection of its own.

    Args:
        url: scheme, host, port and maybe a prefix of all paths.
        key: shown as bearer token, empty for none.
        timeout_s: of the question whether it is ready. A completion has none: whoever asked for it watches over it.

    Raises:
        UsageError: no http URL.
    """

    def __init__(self, url: str, key: str = "", *, timeout_s: float) -> None:
        address = _address(url)
        self._https = address.https
        self._host, self._port, self._prefix = address.host, address.port, address.prefix
        self._key = key
        self._timeout_s = timeout_s

    def taken(self) -> bool:
        """Whether somebody listens at its port."""
        try:
            with socket.create_connection((self._host, self._port), timeout=1.0):
                return True
        except OSError:
            return False

    def ready(self) -> bool | None:
        """Whether the model is loaded; None where nobody listens yet.

        Raises:
            Trouble: it answers, and neither with success nor that it loads.
        """
        for path in ("/health", "/v1/models"):
            try:
                status, body = self._get(path, self._timeout_s)
            except ConnectionError:
                return None
            if status == http.client.NOT_FOUND:
                continue
            if status == http.client.SERVICE_UNAVAILABLE:
                return False
            if status != http.client.OK:
                raise Trouble(f"it answers {path} with HTTP {status}: {_message(body)}")
            return True
        raise Trouble("it answers neither /health nor /v1/models")

    def model(self) -> str:
        """What the server calls its model; ``default`` where it does not say."""
        try:
            status, body = self._get("/v1/models", _NAME_S)
            found: Any = msgspec.json.decode(body) if status == http.client.OK else {}
            return str(found["data"][0]["id"])
        except (ConnectionError, TimeoutError, Trouble, msgspec.MsgspecError, LookupError, TypeError):
            return "default"

    def complete(self, request: dict[str, Any], alive: Callable[[], None]) -> Answer:
        """One completion, streamed.

        Args:
            request: the body.
            alive: called for every piece.

        Raises:
            Refused: it does not take this request (400, 404, 422).
            Trouble: anything else but an answer.
        """
        answer = Answer(began_s=time.monotonic())
        connection = self._connection(None)
        try:
            connection.request("POST", f"{self._prefix}/v1/completions", msgspec.json.encode(request), self._headers())
            with connection.getresponse() as response:
                if response.status != http.client.OK:
                    body = response.read(_MOST_BODY_BYTES)
                    kind = Refused if response.status in (400, 404, 422) else Trouble
                    raise kind(f"it answers HTTP {response.status}: {_message(body)}")
                for piece in _pieces(response):
                    alive()
                    _take(piece, answer)
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException) as error:
            raise Trouble(f"the connection failed in the middle: {error or type(error).__name__}") from None
        finally:
            connection.close()
        if not answer.at_s:
            raise Trouble("it ends its answer without a token")
        if not answer.ended:
            raise Trouble("its answer stops in the middle")
        answer.tokens = answer.tokens or len(answer.at_s)
        return answer

    def _get(self, path: str, timeout_s: float) -> tuple[int, bytes]:
        connection = self._connection(timeout_s)
        try:
            connection.request("GET", self._prefix + path, headers=self._headers())
            response = connection.getresponse()
            return response.status, response.read(_MOST_BODY_BYTES)
        except (ConnectionError, TimeoutError):
            raise
        except http.client.HTTPException as error:
            raise Trouble(f"what listens there speaks no HTTP: {error or type(error).__name__}") from None
        except OSError as error:
            raise ConnectionError(str(error)) from None
        finally:
            connection.close()

    def _connection(self, timeout_s: float | None) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._https else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=timeout_s)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        return {**headers, "Authorization": f"Bearer {self._key}"} if self._key else headers


class _Address(NamedTuple):
    https: bool
    host: str
    port: int
    prefix: str


def _address(url: str) -> _Address:
    """Where a server answers.

    Raises:
        UsageError: no http URL, or one with a port or host that cannot be.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port  # each may be one that cannot be
        (host or "").encode("idna")  # as a connection encodes it
    except ValueError as error:
        raise UsageError(f"{url!r} is no http address: {error}", hint=_AS_IN) from None
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(f"{url!r} is no http address", hint=_AS_IN)
    https = parts.scheme == "https"
    usual = 443 if https else 80
    return _Address(https, host, usual if port is None else port, parts.path.rstrip("/").removesuffix("/v1"))


def _pieces(response: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """The events of a stream (``text/event-stream``), decoded.

    Raises:
        Trouble: something else.
    """
    while line := response.readline(_MOST_LINE_BYTES):
        kind, _, data = line.strip().partition(b":")
        if not line.strip() or kind in (b"", b"event", b"id", b"retry"):
            continue
        if kind not in (b"data", b"error"):
            raise Trouble(f"it streams what is no event: {line[:_SHOWN].decode('utf-8', 'replace')!r}")
        if data.strip() == b"[DONE]":
            return
        try:
            found = msgspec.json.decode(data.strip())
        except msgspec.MsgspecError:
            found = None
        if not isinstance(found, dict):
            raise Trouble(f"it streams what is no JSON object: {data[:_SHOWN].decode('utf-8', 'replace')!r}")
        if kind == b"error" or "error" in found:
            raise Trouble(f"it fails in the middle of its answer: {_message(data)}")
        yield found


def _take(piece: dict[str, Any], answer: Answer) -> None:
    """The end of a stream has no choices or one with a reason to stop, and counts."""
    choices = piece.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        if choices[0].get("finish_reason"):
            answer.ended = True
        else:
            answer.at_s.append(time.monotonic())
    usage = piece.get("usage")
    if isinstance(usage, dict):
        answer.prompt_tokens = _count(usage.get("prompt_tokens")) or answer.prompt_tokens
        answer.tokens = _count(usage.get("completion_tokens")) or answer.tokens
    answer.version = str(piece.get("system_fingerprint") or answer.version)


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _message(body: bytes) -> str:
    """What a failure says of itself: OpenAI's ``{"error": {"message": ...}}``, or the beginning of whatever it is."""
    try:
        found: Any = msgspec.json.decode(body)
        return str(found["error"]["message"])[:_SHOWN]
    except (msgspec.MsgspecError, LookupError, TypeError):
        return body[:_SHOWN].decode("utf-8", "replace").strip() or "nothing more"
