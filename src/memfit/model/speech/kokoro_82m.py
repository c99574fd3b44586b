"""Kokoro 82M: text to speech at 24 kHz."""

from memfit.model.speech._speech import Speech

MODEL = Speech(
    name="Kokoro-82M",
    task="synthesis",
    parameters=82_000_000,
    exact=False,
    file_bytes=327_212_226,
    source="README and kokoro-v1_0.pth of huggingface.co/hexgrad/Kokoro-82M, version 1.0",
    released="2025-01",
    aliases=("Kokoro", "Kokoro-82M-v1.0", "hexgrad/Kokoro-82M"),
)
