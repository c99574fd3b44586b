"""One reader for each kind of Hugging Face ``config.json``; the file's name is the ``model_type``."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.model.configs._checkpoint import Checkpoint, CheckpointTensor, Part
from memfit.model.configs._config import Config

CONFIGS: Catalog[Config] = Catalog(__name__, Path(__file__).parent, constant="CONFIG", kind="model type", type=Config)

__all__ = ["CONFIGS", "Checkpoint", "CheckpointTensor", "Config", "Part"]
