"""Whisper large, version 3."""

from memfit.model.speech._whisper import whisper

MODEL = whisper(
    "large-v3",
    1_543_490_560,
    width=1280,
    layers=32,
    released="2023-11",
    bands=128,
    tokens=51866,
    aliases=("whisper-large",),
)
