"""What kind of file stands where in a deployment: a model, a projector, an adapter."""

from __future__ import annotations

from memfit.errors import ModelError
from memfit.model import ModelShape

# what a file is, in words, and how it is given to memfit
_KINDS = {
    "text": ("a model", "as MODEL, or as --draft"),
    "embedding": ("a model", "as MODEL"),
    "speech": ("a model for speech", "as MODEL"),
    "projector": ("a projector", "with --mmproj beside its model"),
    "adapter": ("a LoRA adapter", "with --lora beside its model"),
}
_PLACES = {
    "model": ("text", "embedding", "speech"),
    "draft": ("text",),
    "mmproj": ("projector",),
    "lora": ("adapter",),
}


def check_kind(shape: ModelShape, name: str, place: str) -> None:
    """Refuse a file in the place of another.

    Raises:
        ModelError: the hint says where it belongs.
    """
    wanted = _PLACES[place]
    if shape.kind in wanted:
        return
    what, where = _KINDS[shape.kind]
    expected = _KINDS[wanted[0]][0]
    file = shape.shards[0].path if shape.shards else name
    raise ModelError(f"is {what} and not {expected}", file=file, hint=f"pass it {where}")
