"""Reading the graphs that llama.cpp reserves: development machinery behind ``tools/generate_compute.py``."""
