"""How llama.cpp takes memory, read from its source at commit 0c1e57098 (inside llama-cpp-python 0.3.36)."""
