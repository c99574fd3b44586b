"""XLM-RoBERTa: RoBERTa with a vocabulary of many languages."""

from __future__ import annotations

from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._encoders import read_roberta
from memfit.model.configs._section import Section


def read(config: Section) -> Checkpoint:
    """Every token sees every other; what stands on top depends on ``architectures``.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    return read_roberta(config, "XLMRoberta", vocabulary=30522)


CONFIG = Config(
    model_type="xlm-roberta",
    summary="BGE-M3, multilingual E5 and other embedding models",
    source=transformers("xlm_roberta"),
    read=read,
)
