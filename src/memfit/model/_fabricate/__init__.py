"""Parts of a fabricated model: random numbers of every format, a vocabulary, fewer layers, a file in one piece."""
