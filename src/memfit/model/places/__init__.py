"""Where a model's name leads that is no path and no card: one file for each way of naming one.

    path = locate("ollama:llama3.2:3b")   # a file or folder of this machine, or None: the name is of no such kind

Of a model on a server only headers are fetched, into a sparse file of its size: whoever reads headers sees no
difference.
"""

import re
from pathlib import Path

from memfit.catalog import Catalog
from memfit.model.places._place import Place

PLACES: Catalog[Place] = Catalog(
    "memfit.model.places", Path(__file__).parent, constant="PLACE", kind="place", type=Place
)


# org/repo as the hub writes it
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def _of_cache(repository: str) -> str | None:
    """What `hf download org/repo` brought here; nothing is asked of the hub for a name without hf://."""
    from memfit.model.places.hub import kept
    from memfit.remote.hub import parse_hub

    found = kept(parse_hub(f"hf://{repository}"), config_alone=True)
    return None if found is None else str(found)


def locate(name: str) -> str | None:
    """The file or folder of this machine that ``name`` stands for; None where it is a path or a card, or nothing.

    Raises:
        ModelError: there is no such model there, or it cannot be had.
        Unreachable: its server does not answer.
        UsageError: it is not written as that kind of name is.
    """
    if ":" not in name:  # most are files, which should not wait for a catalog
        return _of_cache(name) if _REPOSITORY.fullmatch(name) and not Path(name).exists() else None
    place = next((place for place in PLACES if place.matches(name)), None)
    return None if place is None else str(place.locate(name))


__all__ = ["PLACES", "Place", "locate"]
