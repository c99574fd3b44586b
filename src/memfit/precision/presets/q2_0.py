"""Two bits in groups of 64; embeddings keep four."""

from memfit.precision._preset import Preset

PRESET = Preset(
    name="Q2_0",
    file_type=41,
    base="Q2_0",
    summary="2-bit, embeddings Q4_K, output Q6_K",
    embedding="Q4_K",
)
