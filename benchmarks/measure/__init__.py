"""The measurements behind ``benchmarks/RESULTS.md``; ``benchmarks/run.py`` runs them."""
