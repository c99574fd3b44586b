"""What inference runtimes allocate, how to start them and how to read what they say."""

from memfit.engine._engine import Engine, Ledger, Models
from memfit.engine._start import EngineLog, Start
from memfit.engine.records import Deployment, Options, Part, Term

__all__ = ["Deployment", "Engine", "EngineLog", "Ledger", "Models", "Options", "Part", "Start", "Term"]
