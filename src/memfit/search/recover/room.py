"""What training takes of memory, told beforehand, and whether that is there."""

from __future__ import annotations

from pathlib import Path

import torch

from memfit.device.meminfo import parse_meminfo
from memfit.errors import MemfitError
from memfit.search.recover.distil import MOST_LOGITS
from memfit.search.recover.network import Network
from memfit.units import format_bytes

# of float32 numbers for each weight: teacher, student, what ggml makes of it, two moments of the optimiser, and one
# that comes and goes within a step
_COPIES = 6
_LOGITS_COPIES = 6  # both models' logits, their log probabilities, the addends and the gradient


def needed_bytes(network: Network, parameters: int, window_tokens: int, workers: int) -> int:
    """An upper bound of what training takes beside the process itself.

    Each worker has a gradient, weights cast to bfloat16 (student's and teacher's), the activations of one window that
    the backward pass reads, and a piece of logits.
    """
    each = 8 * parameters + 4 * window_tokens * _kept_numbers(network, window_tokens)
    return 4 * _COPIES * parameters + workers * (each + 4 * _LOGITS_COPIES * MOST_LOGITS)


def _kept_numbers(network: Network, window_tokens: int) -> int:
    """Activations a token that are kept for the backward pass."""
    queries, values = network.heads * network.key_length, network.kv_heads * network.value_length
    # scores, what the softmax makes of them, and the sum with the mask that comes and goes
    attention = 3 * network.heads * window_tokens
    layer = 8 * network.width + 6 * queries + 4 * values + 5 * network.feed_forward + attention
    return network.layers * layer + 4 * network.width


def workers_for(parameters: int, threads: int, windows: int) -> int:
    """Windows at once: as many as a step has, while the gradients of each are small, otherwise all threads on one."""
    workers = min(threads, windows)
    return workers if parameters * workers <= 1 << 29 else 1


def refuse(name: str, needed: int, device: torch.device) -> None:
    """Raises:
    MemfitError: there is not so much memory.
    """
    free = available_bytes(device)
    if free is not None and free < needed:
        where = "the GPU" if device.type == "cuda" else "this machine"
        raise MemfitError(
            f"recovering {name} takes some {format_bytes(needed)}, and {where} has {format_bytes(free)} to give",
            hint="take shorter windows (--window 256), free some memory, or leave --recover out",
        )


def available_bytes(device: torch.device) -> int | None:
    """What the device can give; None where nobody says."""
    if device.type == "cuda":
        free: int = torch.cuda.mem_get_info(device)[0]
        return free
    try:
        return parse_meminfo(Path("/proc/meminfo").read_text(encoding="ascii")).get("MemAvailable")
    except OSError:
        return None
