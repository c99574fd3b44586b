# make demo   make a virtual environment, install, size two models with the engine beside the formulas, and run one of
#             them on this machine to hold it against the prediction
# make test   the test suite
# Both work from a fresh clone with Python, make and a C++ compiler; the first run compiles llama.cpp (about 4 minutes).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT := build/demo

.PHONY: demo test lint conformance coefficients bench fuzz soak soak-agent test-vm verify-accuracy verify-device clean

demo: $(VENV)/installed
	@mkdir -p $(OUT)
	$(BIN)/memfit estimate models/memfit-tiny/memfit-tiny-F16.gguf --context 2048 --source both
	$(BIN)/memfit estimate Llama-3.1-8B --format Q4_K_M --context 8192 --device orin-nano-8gb --source both \
	    --html $(OUT)/llama-3.1-8b.html --svg $(OUT)/llama-3.1-8b.svg --png $(OUT)/llama-3.1-8b.png
	$(BIN)/memfit verify models/memfit-tiny/memfit-tiny-F16.gguf --context 2048 \
	    --html $(OUT)/verified.html --svg $(OUT)/verified.svg --png $(OUT)/verified.png
	@echo; echo "The pictures: $(OUT)/llama-3.1-8b.png and $(OUT)/verified.png, the pages beside them"

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

# the soak of everything that reads what others wrote of a machine: 10^5 damaged inputs a parser (10 to 30 minutes)
fuzz: $(VENV)/installed
	$(BIN)/pytest -n 2 --dist loadfile -m slow tests/device tests/host

# 1,000 random deployments decided beside the engine, 60 of them run under their limits (hours; goes on where it ended;
# limits need root or systemd). SOAK="--minutes 30" and others: tools/soak.py --help
soak: $(VENV)/installed
	$(BIN)/python tools/soak.py $(SOAK)

# the agent killed, without power and without space at more than 10,000 calls, and asked 10^5 odd things (15 minutes)
soak-agent: $(VENV)/installed
	$(BIN)/pytest -m slow tests/crash tests/agent

# real kernels under QEMU (the first run makes a disk of Debian; needs root and packages: CONTRIBUTING.md)
test-vm: $(VENV)/installed
	$(BIN)/pytest -m vm tests/vm

# predictions beside 96 real runs of models of 1B to 8B, into docs/verification.md (hours; goes on where it ended)
verify-accuracy: $(VENV)/installed
	$(BIN)/python tools/verify_accuracy.py --write $(ACCURACY)

# for the owner of a board: everything that can be verified there, in one record to share
verify-device: $(VENV)/installed
	$(BIN)/python tools/verify_device.py $(DEVICE)

# llama.cpp is compiled for the processor at hand. Some virtual machines show AMX instructions and fault on them: there it
# is compiled without, and once more where a build with them came out of pip's cache
WITHOUT_AMX := -mno-amx-tile -mno-amx-int8 -mno-amx-bf16
FLAGS := $(if $(shell grep -sq amx_int8 /proc/cpuinfo && $(CC) $(WITHOUT_AMX) -E -x c /dev/null 2>&1),CFLAGS="$(WITHOUT_AMX)" CXXFLAGS="$(WITHOUT_AMX)")
PIP := $(BIN)/pip install --quiet --disable-pip-version-check

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(FLAGS) $(PIP) --editable '.[llama,search,png,dev]'
	@$(BIN)/python tools/try_engine.py || \
	    $(FLAGS) $(PIP) --force-reinstall --no-deps --no-cache-dir --no-binary llama-cpp-python \
	    llama-cpp-python
	@touch $@

clean:
	rm -rf $(VENV) build dist
