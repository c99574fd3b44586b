#!/bin/sh
# Puts the tools that memfit is measured beside into one folder: sh benchmarks/install_peers.sh build/peers
# Needs python3, node with npm, cmake and a C++ compiler; takes some minutes, most of them for llama.cpp.
set -eu
peers=$(mkdir -p "$1" && cd "$1" && pwd)

python3 -m venv "$peers/venv"
"$peers/venv/bin/pip" install --quiet gguf hf-mem llmfit

npm install --prefix "$peers/npm" --no-fund --no-audit node-llama-cpp

# llama.cpp's own tool, from the sdist of llama-cpp-python: the same source as the engine that memfit asks
"$peers/venv/bin/pip" download --quiet --no-deps --no-binary :all: --dest "$peers" llama-cpp-python==0.3.36
tar -C "$peers" -xzf "$peers"/llama_cpp_python-0.3.36.tar.gz
cd "$peers/llama_cpp_python-0.3.36"
cmake -S vendor/llama.cpp -B "$peers/llama.cpp" -DCMAKE_BUILD_TYPE=Release -DLLAMA_BUILD_TESTS=OFF -DLLAMA_CURL=OFF
cmake --build "$peers/llama.cpp" --target llama-fit-params llama-perplexity llama-quantize --parallel
