"""Bytes of number formats, and the mixes of them that quantization presets stand for."""
