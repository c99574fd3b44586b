"""What boards say of a model that is known by its size alone."""

from __future__ import annotations

from memfit.device.boards import BOARDS
from memfit.errors import NotSized


def on_boards(error: NotSized) -> NotSized:
    """The same failure, and which boards could hold its weights; as it is where nobody published their size."""
    needed = error.weights_bytes
    if needed is None:
        return error
    sized = {key: board.capacity_bytes for key, board in BOARDS.items() if board.capacity_bytes is not None}
    able = sorted((bytes_left, key) for key, bytes_left in sized.items() if bytes_left >= needed)
    if not able:
        words = "more than any board has for a deployment"
    elif len(able) == len(sized):
        words = "every board has as much for a deployment"
    else:
        words = f"the smallest board with as much for a deployment is {able[0][1].replace('_', '-')}"
    told, _, advice = (error.hint or "").partition("; ")
    hint = "; ".join(part for part in (told, words, advice) if part)
    return NotSized(error.message, weights_bytes=needed, hint=hint)
