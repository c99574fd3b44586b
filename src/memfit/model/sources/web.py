"""A GGUF file on any server: ``https://host/path/model.gguf``."""

from __future__ import annotations

import re
from pathlib import Path

from memfit.errors import ModelError
from memfit.model.sources import hub
from memfit.model.sources._source import Source

_PAGE = re.compile(
    r"https://huggingface\.co/([^/]+/[^/?#]+)(?:/(?:blob|resolve|tree)/([^/?#]+))?(?:/([^?#]+))?/?(?:[?#].*)?"
)


def locate(name: str) -> Path:
    """See ``Source.locate``. A page of the hub is taken for the file or repository it shows."""
    # here and not above: whoever names a file waits for no HTTP
    from urllib.parse import unquote, urlsplit, urlunsplit

    from memfit.model.sources._headers import fetch_gguf
    from memfit.remote.hub import hub_web

    page = _PAGE.fullmatch(name)
    if page is not None:
        revision = f"@{page[2]}" if page[2] and page[2] != "main" else ""
        file = f"/{unquote(page[3])}" if page[3] else ""
        return hub.locate(f"{hub.PREFIX}{page[1]}{revision}{file}")
    parts = urlsplit(name)
    if not parts.path.lower().endswith(".gguf"):
        raise ModelError(
            "is the address of no GGUF file", file=name, hint="give the address of a .gguf file, or hf://org/repo"
        )
    before, _, last = parts.path.rpartition("/")

    def url_of(path: str) -> str:
        return urlunsplit(parts._replace(path=f"{before}/{path}"))

    return fetch_gguf(hub_web(), url_of, last)


SOURCE = Source(
    summary="a GGUF file on a server: https://host/model.gguf",
    matches=lambda name: re.match(r"https?://", name, re.IGNORECASE) is not None,
    locate=locate,
)
