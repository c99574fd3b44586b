"""Whisper small; the English version (.en) has one token less."""

from memfit.model.speech._whisper import whisper

MODEL = whisper("small", 241_734_912, width=768, layers=12)
