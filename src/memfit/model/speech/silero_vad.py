"""Silero VAD, version 6: one network for 16 kHz and one for 8 kHz in one file."""

from memfit.model.speech._speech import Speech

MODEL = Speech(
    name="silero-vad",
    task="activity",
    parameters=309_635 + 235_651,
    file_bytes=2_327_524,
    source="F32 constants of silero_vad.onnx, version 6 (github.com/snakers4/silero-vad), 16 kHz and 8 kHz",
    released="2025-08",
    aliases=("Silero VAD", "Silero", "silero_vad"),
)
