"""Whisper medium; the English version (.en) has one token less."""

from memfit.model.speech._whisper import whisper

MODEL = whisper("medium", 763_857_920, width=1024, layers=24)
