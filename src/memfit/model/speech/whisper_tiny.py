"""Whisper tiny; the English version (.en) has one token less."""

from memfit.model.speech._whisper import whisper

MODEL = whisper("tiny", 37_760_640, width=384, layers=4)
