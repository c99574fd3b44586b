"""The parts of a folder that are read beside its config: weights and tokenizer."""
