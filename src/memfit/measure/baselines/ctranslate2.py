"""CTranslate2."""

from memfit.measure.baselines._runtime import Runtime

RUNTIME = Runtime(
    name="CTranslate2",
    module="ctranslate2",
    distribution="ctranslate2",
    statement="""
import ctranslate2
import numpy
types = ctranslate2.get_supported_compute_types("cpu")
view = ctranslate2.StorageView.from_array(numpy.zeros((1, 1), dtype=numpy.float32))
""",
    brings_up="a storage view of one number; it has no runtime objects without a model",
    summary="transformer inference, as under faster-whisper",
    note="the document has no row for it",
    aliases=("faster whisper",),
)
