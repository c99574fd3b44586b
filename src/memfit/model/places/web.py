"""A GGUF file on any server: ``https://host/path/model.gguf``."""

from __future__ import annotations

import re
from pathlib import Path

from memfit.errors import ModelError
from memfit.model.places import hub
from memfit.model.places._place import Place


def locate(name: str) -> Path:
    """See ``Place.locate``. A page of the hub is taken for the file or repository it shows."""
    # here and not above: whoever names a file waits for no HTTP
    from urllib.parse import urlsplit, urlunsplit

    from memfit.model.places._headers import fetch_gguf
    from memfit.remote.hub import hub_web

    page = hub.page_of(name)
    if page is not None:
        return hub.locate(page)
    parts = urlsplit(name)
    if not parts.path.lower().endswith(".gguf"):
        raise ModelError(
            "is the address of no GGUF file", file=name, hint="give the address of a .gguf file, or hf://org/repo"
        )
    before, _, last = parts.path.rpartition("/")

    def url_of(path: str) -> str:
        return urlunsplit(parts._replace(path=f"{before}/{path}"))

    return fetch_gguf(hub_web(), url_of, last)


PLACE = Place(
    summary="a GGUF file on a server: https://host/model.gguf",
    matches=lambda name: re.match(r"https?://", name, re.IGNORECASE) is not None,
    locate=locate,
)
