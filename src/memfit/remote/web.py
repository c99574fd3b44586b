"""One door to the web: bounded answers, parts of files, and a clear error for everything that goes wrong.

``urllib`` and not ``http.client``: proxies of the environment (``https_proxy``) are what many boards are behind.
"""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from typing import IO, Any
from urllib.parse import urlsplit

import memfit
from memfit.errors import ModelError, Unreachable

TIMEOUT_S = 20.0
# a server that drips keeps every single timeout
PATIENCE_S = 30.0
LEAST_BYTES_PER_S = 1024
MOST_REDIRECTS = 5
MOST_FILE_BYTES = 1 << 47  # 128 TiB: a hundred times the largest checkpoints
_PIECE = 1 << 16
_OFFLINE = "without a network: give a file of this machine, or take a well-known model (memfit list models)"


class Answer:
    """What a server said: its head, and the body to be read.

    Attributes:
        url: where it was found after all redirects.
        status: 200, 206.
        headers: as sent.
    """

    def __init__(self, url: str, status: int, headers: Message, body: Any, web: Web) -> None:
        self.url = url
        self.status = status
        self.headers = headers
        self._body = body
        self._web = web

    def pieces(self, most_bytes: int) -> Iterator[bytes]:
        """The body as it comes, up to ``most_bytes``.

        Raises:
            Unreachable: the server stalls or drops the connection.
        """
        left = most_bytes
        began = time.monotonic()
        while left:
            with _told(self.url):
                piece = self._body.read1(min(left, _PIECE))
            if not piece:
                return
            left -= len(piece)
            taken_s = time.monotonic() - began
            if taken_s > PATIENCE_S and most_bytes - left < LEAST_BYTES_PER_S * taken_s:
                raise Unreachable(
                    f"the server sent {most_bytes - left} bytes in {taken_s:.0f} s", file=self.url, hint="try again"
                )
            self._web.received_bytes += len(piece)
            yield piece

    def all(self, most_bytes: int) -> bytes:
        """The whole body.

        Raises:
            ModelError: it has more than ``most_bytes``.
            Unreachable: as ``pieces``.
        """
        body = b"".join(self.pieces(most_bytes + 1))
        if len(body) > most_bytes:
            raise ModelError(
                f"sends more than {most_bytes} bytes", file=self.url, hint="this is not what was asked for"
            )
        return body


class Web:
    """Asks servers; counts what it asked and got.

    Args:
        token: the bearer token for a URL, None for none.
        timeout_s: without a byte.

    Attributes:
        requests: sent, redirects among them.
        received_bytes: of bodies.
    """

    def __init__(self, token: Callable[[str], str | None] = lambda url: None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._token = token
        self._timeout_s = timeout_s
        self.requests = 0
        self.received_bytes = 0
        self._opener = urllib.request.build_opener(_Redirects(self))

    @contextmanager
    def get(
        self, url: str, *, first: int | None = None, last: int | None = None, whole: bool = False
    ) -> Iterator[Answer]:
        """Ask for a file, or for its bytes ``first`` to ``last``, both included; closed at the end.

        ``whole``: take the whole file from a server that has no parts to give; its ``status`` is then 200.

        Raises:
            Unreachable: there is no answer.
            ModelError: the server refuses, or has no parts of files to give.
        """
        check_address(url)
        request = urllib.request.Request(url, headers={"User-Agent": f"memfit/{memfit.__version__}"})
        if first is not None:
            request.add_header("Range", f"bytes={first}-{'' if last is None else last}")
        self.authorize(request)
        self.requests += 1
        with _told(url):
            response = self._opener.open(request, timeout=self._timeout_s)
        with response:
            if first is not None and not whole and response.status != 206:
                raise ModelError(
                    "the server sends whole files only (it ignores ranges)",
                    file=url,
                    hint="download the file (memfit pull), and give it",
                )
            yield Answer(response.url, response.status, response.headers, response, self)

    def authorize(self, request: urllib.request.Request) -> None:
        """Add the token of the request's host, for this request and no redirect of it."""
        token = self._token(request.full_url)
        if token:
            request.add_unredirected_header("Authorization", f"Bearer {token}")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects and counts them; a token stays with its host."""

    max_redirections = MOST_REDIRECTS
    max_repeats = 2

    def __init__(self, web: Web) -> None:
        self._web = web

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """See urllib."""
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None:
            check_address(newurl)
            self._web.requests += 1
            self._web.authorize(request)
        return request


def check_address(url: str) -> None:
    """Refuse what is no address of a web server.

    Raises:
        ModelError: it is none.
    """
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname
        _ = parts.port
    except ValueError:
        known = None
    if not known or any(char <= " " for char in url):
        raise ModelError("is no http or https address", file=url, hint="write it as https://host/path/model.gguf")


def check_size(size_bytes: int, url: str) -> None:
    """Refuse a size that no file has: what a server claims must not look like a fault of this machine's disk.

    Raises:
        ModelError: it claims more.
    """
    if size_bytes > MOST_FILE_BYTES:
        raise ModelError(
            f"the server claims that it has {size_bytes} bytes, more than any model",
            file=url,
            hint="it does not say the truth: take another server or a mirror",
        )


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Every way to fail, as one clear error."""
    try:
        yield
    except urllib.error.HTTPError as failure:
        with failure:
            raise _refused(url, failure) from failure
    except TimeoutError as failure:
        raise Unreachable(f"the server sent nothing for {TIMEOUT_S:.0f} s", file=url, hint="try again") from failure
    except urllib.error.URLError as failure:
        if isinstance(failure.reason, TimeoutError):
            raise Unreachable("the server does not answer", file=url, hint=_OFFLINE) from failure
        if isinstance(failure.reason, ssl.SSLError):
            raise Unreachable(
                f"its certificate is not trusted: {failure.reason.reason or failure.reason}",
                file=url,
                hint="check the clock of this machine and its certificates (ca-certificates)",
            ) from failure
        raise Unreachable(f"cannot be reached: {_reason(failure.reason)}", file=url, hint=_OFFLINE) from failure
    except (http.client.HTTPException, OSError) as failure:
        raise Unreachable(f"the connection broke: {_reason(failure)}", file=url, hint="try again") from failure


def _reason(failure: object) -> str:
    said = failure.strerror if isinstance(failure, OSError) else None
    return said or str(failure) or type(failure).__name__


def _refused(url: str, failure: urllib.error.HTTPError) -> ModelError:
    code = failure.code
    if code in (401, 403):
        return ModelError(
            f"the server asks for a token ({code})",
            file=url,
            hint="accept the model's licence on its page, then export HF_TOKEN=hf_…; a name that does not exist is"
            " answered in the same way",
        )
    if code in (404, 410):
        return ModelError("there is no such file", file=url, hint="check the name")
    if code == 416:
        return ModelError("the server has no such part of the file: it is shorter than it said", file=url)
    if 300 <= code < 400:
        return ModelError("its redirects lead nowhere", file=url, hint="give the address that they should lead to")
    if code == 429 or code >= 500:
        return Unreachable(f"the server is in trouble ({code} {failure.reason})", file=url, hint="try again later")
    return ModelError(f"the server refuses ({code} {failure.reason})", file=url)
