"""Whisper base; the English version (.en) has one token less."""

from memfit.model.speech._whisper import whisper

MODEL = whisper("base", 72_593_920, width=512, layers=6)
