"""Whisper large v3 turbo: the encoder of large v3, and four layers to decode."""

from memfit.model.speech._whisper import whisper

MODEL = whisper(
    "large-v3-turbo",
    808_878_080,
    width=1280,
    layers=32,
    decoder_layers=4,
    released="2024-10",
    bands=128,
    tokens=51866,
    aliases=("whisper-turbo", "whisper-large-turbo"),
)
