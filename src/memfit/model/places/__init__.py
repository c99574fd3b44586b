"""Where a model's name leads that is no path and no card: one file for each way of naming one.

    path = locate("ollama:llama3.2:3b")   # a file or folder of this machine, or None: the name is of no such kind

Of a model on a server only headers are fetched, into a sparse file of its size: whoever reads headers sees no
difference.
"""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.model.places._place import Place

PLACES: Catalog[Place] = Catalog(
    "memfit.model.places", Path(__file__).parent, constant="PLACE", kind="place", type=Place
)


def locate(name: str) -> str | None:
    """The file or folder of this machine that ``name`` stands for; None where it is a path or a card, or nothing.

    Raises:
        ModelError: there is no such model there, or it cannot be had.
        Unreachable: its server does not answer.
        UsageError: it is not written as that kind of name is.
    """
    if ":" not in name:  # every such name has one; most are files, which should not wait for a catalog
        return None
    place = next((place for place in PLACES if place.matches(name)), None)
    return None if place is None else str(place.locate(name))


__all__ = ["PLACES", "Place", "locate"]
