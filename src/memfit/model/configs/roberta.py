"""RoBERTa: BERT with two rows more in the position table."""

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
    return read_roberta(config, "Roberta", vocabulary=50265)


CONFIG = Config(
    model_type="roberta",
    summary="RoBERTa and embedding models built on it",
    source=transformers("roberta"),
    read=read,
)
