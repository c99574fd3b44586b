"""What models for speech hold beside their weights: whisper by its shape, other networks by their file alone.

Whisper hears 30 s of sound as 1500 positions (``max_source_positions`` of its config.json). The encoder computes their
scores in every head at once, 1500 × 1500; the decoder keeps K and V of its own tokens for every beam, and those of the
encoder's output once a layer. Half of the trained 448 tokens is what one window of sound gives at most: the other half
is for the text before it (CTranslate2 4.8.5 ended at 224 tokens of a ``max_length`` of 448).
"""

from __future__ import annotations

from memfit.engine._sized.figures import Range
from memfit.engine._sized.request import Request

POSITIONS = 1500
BEAMS = 5
"""Of faster-whisper's ``transcribe``."""


def whisper_kv_bytes(wanted: Request, own: int, *, beams: int) -> Range:
    """K and V of the decoder and of the encoder's output.

    Args:
        wanted: what is asked.
        own: the decoder's cache at the whole context, of one beam.
        beams: that are followed at once; the least is one.
    """
    elements = wanted.facts.full_elements + wanted.facts.window_elements
    heard = elements * wanted.kv_element_bytes * POSITIONS * wanted.slots
    return Range(heard + own // 4, heard + own * beams // 2, heard + own * beams)


def whisper_pass_bytes(wanted: Request) -> Range:
    """One pass of the encoder: scores of a layer, once or twice beside their softmax, and the widest moment of a token.

    Measured beside CTranslate2 4.8.5 on x86 with random weights at real size (docs/engines.md).
    """
    scores = wanted.facts.heads * POSITIONS * POSITIONS * 4 * wanted.slots
    widest = POSITIONS * wanted.facts.widest_elements * 4 * wanted.slots
    return Range(scores // 2, scores, 2 * scores + widest)


def network_bytes(wanted: Request) -> Range:
    """Activations of a network of which nothing but the file is known: nothing at all, up to twice its weights."""
    weights = wanted.facts.weights_bytes
    return Range(0, weights // 2, 2 * weights)
