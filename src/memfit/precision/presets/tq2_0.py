"""Ternary weights, four to a byte, for models trained ternary; embeddings keep four bits."""

from memfit.precision._preset import Preset

PRESET = Preset(
    name="TQ2_0",
    file_type=37,
    base="TQ2_0",
    summary="2.06-bit ternary, embeddings Q4_K",
    aliases=("TQ2_0 - 2.06 bpw ternary",),
    embedding="Q4_K",
)
