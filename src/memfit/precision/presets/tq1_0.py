"""Ternary weights, five to a byte, for models trained ternary; embeddings keep four bits."""

from memfit.precision._preset import Preset

PRESET = Preset(
    name="TQ1_0",
    file_type=36,
    base="TQ1_0",
    summary="1.69-bit ternary, embeddings Q4_K",
    aliases=("TQ1_0 - 1.69 bpw ternary",),
    embedding="Q4_K",
)
