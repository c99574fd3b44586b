"""Piper, a voice of medium quality: text to speech at 22 kHz."""

from memfit.model.speech._speech import Speech

MODEL = Speech(
    name="piper-medium",
    task="synthesis",
    parameters=63_201_294 // 4,
    exact=False,
    file_bytes=63_201_294,
    source="voices.json of huggingface.co/rhasspy/piper-voices, en_US-lessac-medium; parameters by the file's size",
    aliases=("Piper", "en_US-lessac-medium"),
)
