"""Speech to text, text to speech, and whether anybody speaks."""

from memfit.fit.uses._use import Use

USE = Use(
    summary="speech in and out",
    needs=("speech",),
    context_tokens=448,
    least_tokens_per_s=0.0,
    source="NVIDIA's 'Maximizing Memory Efficiency': STT on CTranslate2, TTS and VAD on ONNX Runtime",
    aliases=("stt", "tts", "asr"),
)
