"""Parts of a file on a server, kept in a sparse file of the same name and size here.

What was fetched once is not fetched again while the server's file stays the same (its ``ETag``), so an interrupted
reading goes on where it was.
"""

from __future__ import annotations

import os
import re
from binascii import crc32
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from memfit.errors import ModelError, Unreachable
from memfit.remote.web import Answer, Web, check_address, check_size

FIRST_BYTES = 256 << 10  # all of a small header
SLACK_BYTES = 240 << 10  # beyond what is surely needed, so that a few requests are enough
MOST_TRIES = 3
_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})")

Parts = list[tuple[int, int]]


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept beside the sparse file: of which version it is, and which bytes it holds (first, behind last)."""

    url: str
    version: str
    size_bytes: int
    parts: Parts


class RemoteFile:
    """A file on a server.

    Args:
        web: asks for it.
        url: where it is.
        folder: where files of servers are kept; this one lies in a folder of its own address.
        name: what the file is called here; the address' last part where it is not given.

    Attributes:
        path: the sparse file.
        size_bytes: of the whole file.

    Raises:
        Unreachable: no answer, and nothing was kept.
        ModelError: the server refuses, gives no parts, or contradicts itself.
    """

    def __init__(self, web: Web, url: str, folder: Path, *, name: str | None = None) -> None:
        check_address(url)
        self._web = web
        self._url = self._asked = url
        name = name or _name_of(url)
        self.path = folder / f"{crc32(url.rpartition('/')[0].encode()):08x}" / name
        self._state = self.path.with_name(name + ".parts")
        self._known = self._kept()
        self._ask()

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole file on the server."""
        return self._known.size_bytes if self._known else 0

    def have(self, at: int, count: int, least: int = 0) -> int:
        """Make ``count`` bytes from ``at`` be there, and say how many are.

        Args:
            at: the first of them.
            count: how many are needed now; fewer where the file ends.
            least: how many from ``at`` will be needed at least; they are fetched together.

        Raises:
            Unreachable, ModelError: they cannot be had.
        """
        count = min(count, self.size_bytes - at)
        tries = 0
        while (held := self._held(at)) < count:
            tries += 1
            last = min(at + max(count, least) + SLACK_BYTES, self.size_bytes) - 1
            before = held
            self._fetch(at + held, last)
            if self._held(at) == before or tries > 8 * MOST_TRIES:
                raise Unreachable("the server sends nothing of the part asked for", file=self._asked, hint="try again")
        return held

    def _held(self, at: int) -> int:
        assert self._known is not None
        return next((behind - at for first, behind in self._known.parts if first <= at < behind), 0)

    def _ask(self) -> None:
        """The first bytes, with size and version; of a file that is known, one byte to see that it is the same."""
        kept = self._known
        try:
            self._fetch(0, 0 if kept else FIRST_BYTES - 1)
        except Unreachable:
            if kept is None:
                raise
            # what was read of it is as good as it was then; what is missing will be asked for, and told

    def _fetch(self, first: int, last: int) -> None:
        for attempt in range(MOST_TRIES):
            try:
                with self._web.get(self._url, first=first, last=last) as answer:
                    self._keep(answer, first, last)
                    self._url = answer.url  # a hub hands over to another server: asked directly from now on
                return
            except Unreachable:
                if attempt == MOST_TRIES - 1 or self._known is None:
                    raise
                first += self._held(first)
                if first > last:
                    return
            except ModelError:
                if self._url == self._asked:
                    raise
                self._url = self._asked  # the address that it handed over to was for a while only

    def _keep(self, answer: Answer, first: int, last: int) -> None:
        begins, ends, size = self._range(answer)
        if begins != first or ends > max(last, first) or ends < begins:
            raise ModelError(
                f"the server was asked for bytes {first} to {last} and sends {begins} to {ends}",
                file=self._asked,
                hint="it does not serve parts of files as it should: download the file, and give it",
            )
        version = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        if self._known is None or (self._known.version, self._known.size_bytes) != (version, size):
            self._begin(version, size)
        written = first
        try:
            with self.path.open("r+b", buffering=0) as file:
                for piece in answer.pieces(ends - begins + 1):
                    written += os.pwrite(file.fileno(), piece, written)
        except OSError as failure:
            raise ModelError(
                f"cannot be written: {failure.strerror}",
                file=str(self.path),
                hint="free some space, or set XDG_CACHE_HOME to another disk",
            ) from failure
        finally:
            self._add(first, written)
        if written <= ends:
            raise Unreachable(
                f"the server ended {ends + 1 - written} bytes too early", file=self._asked, hint="try again"
            )

    def _range(self, answer: Answer) -> tuple[int, int, int]:
        match = _RANGE.fullmatch((answer.headers.get("Content-Range") or "").strip())
        if match is None:
            raise ModelError(
                "the server does not say which part of how large a file it sends",
                file=self._asked,
                hint="download the file, and give it",
            )
        begins, ends, size = (int(group) for group in match.groups())
        if ends >= size:
            raise ModelError(f"the server sends up to byte {ends} of a file of {size}", file=self._asked)
        check_size(size, self._asked)
        return begins, ends, size

    def _begin(self, version: str, size: int) -> None:
        """A new file, or a new version: nothing of the old one counts."""
        if self._known is not None and self._known.size_bytes != size and self._known.version == version:
            raise ModelError(
                f"the server said that it has {self._known.size_bytes} bytes, and now {size}", file=self._asked
            )
        self._known = _Known(url=self._asked, version=version, size_bytes=size, parts=[])
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self.path.open("wb") as file:
                file.truncate(size)  # sparse: takes what is fetched of it
        except OSError as failure:
            raise ModelError(
                f"cannot be kept here: {failure.strerror}",
                file=str(self.path),
                hint="free some space, or set XDG_CACHE_HOME to another disk",
            ) from failure

    def _add(self, first: int, behind: int) -> None:
        known = self._known
        if known is None or behind <= first:
            return
        self._known = msgspec.structs.replace(known, parts=_merged([*known.parts, (first, behind)]))
        unfinished = self._state.with_name(f"{self._state.name}.{os.urandom(4).hex()}.tmp")
        try:
            unfinished.write_bytes(msgspec.json.encode(self._known))
            unfinished.replace(self._state)
        except OSError:  # it is fetched again next time
            unfinished.unlink(missing_ok=True)

    def _kept(self) -> _Known | None:
        try:
            known = msgspec.json.decode(self._state.read_bytes(), type=_Known)
            whole = self.path.stat().st_size == known.size_bytes
        except (OSError, msgspec.MsgspecError):
            return None
        sound = all(0 <= first < behind <= known.size_bytes for first, behind in known.parts)
        return known if whole and sound and known.url == self._asked and known.parts else None


def cache_folder() -> Path:
    """Where parts of remote files are kept: ``$XDG_CACHE_HOME/memfit/remote``."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    # a relative path there is to be ignored (XDG Base Directory Specification)
    base = Path(root) if root.startswith("/") else Path(os.environ.get("HOME", "/")) / ".cache"
    return base / "memfit" / "remote"


def _name_of(url: str) -> str:
    """A file name that stays in its folder, whatever the address says."""
    name = unquote(urlsplit(url).path.rpartition("/")[2])
    name = re.sub(r"[^\w.+-]", "_", name).lstrip(".")
    return name[-120:] or "model"


def _merged(parts: Parts) -> Parts:
    merged: Parts = []
    for first, behind in sorted(parts):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(behind, merged[-1][1]))
        else:
            merged.append((first, behind))
    return merged
