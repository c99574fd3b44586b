# make demo   make a virtual environment, install, and size two models with the engine beside the formulas
# make test   the test suite
# Both work from a fresh clone with Python, make and a C++ compiler; the first run compiles llama.cpp (about 4 minutes).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT := build/demo

.PHONY: demo test lint conformance coefficients bench clean

demo: $(VENV)/installed
	@mkdir -p $(OUT)
	$(BIN)/memfit estimate models/memfit-tiny/memfit-tiny-F16.gguf --context 2048 --source both
	$(BIN)/memfit estimate Llama-3.1-8B --format Q4_K_M --context 8192 --device orin-nano-8gb --source both \
	    --html $(OUT)/llama-3.1-8b.html --svg $(OUT)/llama-3.1-8b.svg --png $(OUT)/llama-3.1-8b.png
	@echo; echo "The picture: $(OUT)/llama-3.1-8b.png, the page: $(OUT)/llama-3.1-8b.html"

test: $(VENV)/installed
	$(BIN)/pytest -n 2 --dist loadfile

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# every architecture and card against the engine, over the whole grid of options (about 10 minutes)
conformance: $(VENV)/installed
	$(BIN)/pytest -n 2 --dist loadfile -m "slow or not slow" tests/conformance

# compute-buffer coefficients, generated from the installed engine
coefficients: $(VENV)/installed
	$(BIN)/python tools/generate_compute.py

bench: $(VENV)/installed
	$(BIN)/python benchmarks/run.py

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[llama,png,dev]'
	@touch $@

clean:
	rm -rf $(VENV) build dist
