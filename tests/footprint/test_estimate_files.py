"""Files that do not belong where they are given, and architectures that only the engine knows, or nobody."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import projector_stub
from folders import LLAMA, llama_tensors, write_folder
from memfit.device import find_device
from memfit.engine.records import Deployment, Options
from memfit.engine.runtimes import ENGINES
from memfit.errors import EngineFailed, EngineMissing, Malformed, MemfitError, ModelError, UnknownArchitecture
from memfit.footprint.estimate import estimate, find_models
from memfit.model.gguf.writer import Writable, write_model
from stub_file import write_stub

HAS_ENGINE = importlib.util.find_spec("llama_cpp") is not None
needs_engine = [
    pytest.mark.engine,
    pytest.mark.skipif(not HAS_ENGINE, reason="llama-cpp-python is not installed"),
]
WIDTH, FEED_FORWARD, TOKENS = 64, 128, 256
CPU = Options(context_tokens=512, backend="cpu", threads=2)
CUDA = Options(context_tokens=512, backend="cuda", threads=2)

Tensors = list[tuple[str, tuple[int, ...], str]]


def header(architecture: str, **more: Writable) -> dict[str, Writable]:
    return {
        "general.architecture": architecture,
        f"{architecture}.context_length": 512,
        f"{architecture}.embedding_length": WIDTH,
        f"{architecture}.block_count": 1,
        f"{architecture}.feed_forward_length": FEED_FORWARD,
        f"{architecture}.vocab_size": TOKENS,
        f"{architecture}.attention.head_count": 2,
        f"{architecture}.attention.head_count_kv": 2,
        f"{architecture}.attention.layer_norm_rms_epsilon": 1e-5,
        f"{architecture}.rope.dimension_count": WIDTH // 2,
        "tokenizer.ggml.model": "no_vocab",
        **more,
    }


def tensors(*, gate: bool = True) -> Tensors:
    square = (WIDTH, WIDTH)
    block: Tensors = [(f"blk.0.attn_{name}.weight", square, "F16") for name in ("q", "k", "v", "output")]
    block += [("blk.0.ffn_gate.weight", (WIDTH, FEED_FORWARD), "F16")] if gate else []
    return [
        ("token_embd.weight", (WIDTH, TOKENS), "F16"),
        ("blk.0.attn_norm.weight", (WIDTH,), "F32"),
        *block,
        ("blk.0.ffn_norm.weight", (WIDTH,), "F32"),
        ("blk.0.ffn_up.weight", (WIDTH, FEED_FORWARD), "F16"),
        ("blk.0.ffn_down.weight", (FEED_FORWARD, WIDTH), "F16"),
        ("output_norm.weight", (WIDTH,), "F32"),
        ("output.weight", (WIDTH, TOKENS), "F16"),
    ]


class Files:
    """One file of each kind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = self.write("llama", header("llama"), tensors())
        # llama.cpp loads this architecture, and no file of memfit describes it
        self.arcee = self.write("arcee", header("arcee"), tensors(gate=False))
        self.new = self.write("llama9", header("llama9"), tensors())
        self.lora = self.adapter("lora")
        self.projector = str(folder / "mmproj.gguf")
        encoder = projector_stub.Encoder("mlp")
        write_stub(Path(self.projector), projector_stub.header(encoder), projector_stub.tensors(encoder))

    def write(self, name: str, values: dict[str, Writable], contents: Tensors) -> str:
        path = self.folder / f"{name}.gguf"
        write_model(path, values, contents)
        return str(path)

    def adapter(self, name: str, architecture: str = "llama", target: str = "blk.0.attn_q.weight") -> str:
        values: dict[str, Writable] = {
            "general.architecture": architecture,
            "general.type": "adapter",
            "adapter.type": "lora",
        }
        halves: Tensors = [(f"{target}.lora_a", (WIDTH, 4), "F16"), (f"{target}.lora_b", (4, WIDTH), "F16")]
        return self.write(name, values, halves)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("files"))


@pytest.mark.parametrize(
    ("given", "said", "hint"),
    [
        ({"model": "lora"}, "is a LoRA adapter and not a model", "--lora"),
        ({"model": "projector"}, "is a projector and not a model", "--mmproj"),
        ({"model": "model", "draft": "lora"}, "is a LoRA adapter and not a model", "--lora"),
        ({"model": "model", "draft": "projector"}, "is a projector and not a model", "--mmproj"),
        ({"model": "model", "projector": "model"}, "is a model and not a projector", "MODEL"),
        ({"model": "model", "projector": "lora"}, "is a LoRA adapter and not a projector", "--lora"),
        ({"model": "model", "adapters": "model"}, "is a model and not a LoRA adapter", "MODEL"),
        ({"model": "model", "adapters": "projector"}, "is a projector and not a LoRA adapter", "--mmproj"),
    ],
)
@pytest.mark.parametrize("source", ["auto", "formula"])
def test_a_file_in_the_place_of_another(files: Files, given: dict[str, str], said: str, hint: str, source: str) -> None:
    paths = {place: getattr(files, kind) for place, kind in given.items()}
    if "adapters" in paths:
        paths["adapters"] = (paths["adapters"],)
    with pytest.raises(ModelError, match=said) as caught:
        find_models(Deployment(**paths), source=source)  # type: ignore[arg-type]
    assert hint in (caught.value.hint or "")
    assert ".gguf" in caught.value.message


def test_each_in_its_own_place(files: Files) -> None:
    found = find_models(
        Deployment(model=files.model, draft=files.model, projector=files.projector, adapters=(files.lora, files.lora))
    )
    assert found.model.kind == "text"
    assert found.projector is not None
    assert found.projector.kind == "projector"
    assert [adapter.kind for adapter in found.adapters] == ["adapter", "adapter"]


def test_an_adapter_of_another_model(files: Files) -> None:
    other = files.adapter("other", architecture="qwen3")
    with pytest.raises(ModelError, match="architecture 'qwen3', and this one is 'llama'"):
        find_models(Deployment(model=files.model, adapters=(other,)))
    deeper = files.adapter("deeper", target="blk.7.attn_q.weight")
    with pytest.raises(ModelError, match=r"changes 'blk\.7\.attn_q\.weight'"):
        find_models(Deployment(model=files.model, adapters=(deeper,)))


def test_an_adapter_without_pairs_names_its_file(files: Files) -> None:
    values: dict[str, Writable] = {"general.architecture": "llama", "general.type": "adapter"}
    empty = files.write("empty", values, [("blk.0.attn_norm.weight", (WIDTH,), "F32")])
    with pytest.raises(Malformed, match=r"empty\.gguf: no LoRA pair"):
        find_models(Deployment(model=files.model, adapters=(empty,)))


def refusal(files: Files, model: str, **asked: object) -> MemfitError:
    with pytest.raises(MemfitError) as caught:
        estimate(getattr(files, model), **{"options": CPU, **asked})  # type: ignore[arg-type]
    assert caught.value.hint
    return caught.value


def test_an_unknown_draft_has_no_engine_to_ask(files: Files) -> None:
    failure = refusal(files, "model", draft=files.arcee)
    assert isinstance(failure, UnknownArchitecture)
    assert "arcee" in failure.message
    assert "--source engine" not in str(failure.hint)


@pytest.mark.parametrize("source", ["auto", "engine", "both"])
def test_the_gpu_leaves_an_unknown_architecture_to_nobody(files: Files, source: str) -> None:
    failure = refusal(files, "arcee", options=CUDA, source=source)
    assert isinstance(failure, UnknownArchitecture)
    assert "CPU only" in failure.message
    assert files.arcee in failure.message
    assert "--source formula" not in str(failure.hint)
    assert "--backend cpu" in str(failure.hint)


@pytest.mark.parametrize("source", ["engine", "both"])
def test_the_gpu_has_formulas_for_a_known_one(files: Files, source: str) -> None:
    failure = refusal(files, "model", options=CUDA, source=source)
    assert isinstance(failure, EngineMissing)
    assert "--source formula" in str(failure.hint)
    assert "pip" not in str(failure.hint)


def test_without_an_engine_the_hint_is_to_install_it(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memfit.engine._llama_cpp.oracle.is_installed", lambda: False)
    failure = refusal(files, "new")
    assert isinstance(failure, UnknownArchitecture)
    assert "llama9" in failure.message
    assert files.new in failure.message
    assert "nearest known: llama" in str(failure.hint)
    assert "pip install" in str(failure.hint)


def test_a_preset_of_an_unknown_architecture_is_no_traceback(files: Files) -> None:
    failure = refusal(files, "arcee", format="Q4_K_M")
    assert isinstance(failure, UnknownArchitecture)
    assert files.arcee in failure.message


class TestEngine:
    pytestmark = needs_engine

    def test_it_is_asked_about_what_memfit_does_not_know(self, files: Files) -> None:
        footprint = estimate(files.arcee, options=CPU)
        terms = {term.name: term for term in footprint.terms}
        # one layer of K and V in F16, 512 tokens of 64 numbers each
        assert terms["kv_cache"].likely_bytes == 2 * 2 * 512 * WIDTH
        assert terms["kv_cache"].source == "engine"

    def test_both_says_that_nothing_was_compared(self, files: Files) -> None:
        assert "nothing was compared" in estimate(files.arcee, options=CPU, source="both").warnings[0]
        assert not any("nothing was compared" in warning for warning in estimate(files.arcee, options=CPU).warnings)

    @pytest.mark.parametrize("source", ["auto", "engine", "both"])
    def test_what_it_does_not_know_either(self, files: Files, source: str) -> None:
        failure = refusal(files, "new", source=source)
        assert isinstance(failure, UnknownArchitecture)
        assert files.new in failure.message
        assert "neither does the llama.cpp" in failure.message
        assert "nearest known: llama" in str(failure.hint)
        assert "--source" not in str(failure.hint)

    def test_a_model_that_lacks_a_tensor(self, files: Files) -> None:
        lacking = files.write("lacking", header("llama"), [one for one in tensors() if "ffn_down" not in one[0]])
        with pytest.raises(EngineFailed, match=r"tensor 'blk\.0\.ffn_down\.weight' not found") as caught:
            estimate(lacking, options=CPU, source="engine")
        assert lacking in caught.value.message
        assert "--source formula" in str(caught.value.hint)

    def test_an_unknown_one_that_lacks_a_tensor_is_not_sent_to_the_formulas(self, files: Files) -> None:
        lacking = [one for one in tensors(gate=False) if "ffn_down" not in one[0]]
        with pytest.raises(EngineFailed, match="not found") as caught:
            estimate(files.write("arcee2", header("arcee"), lacking), options=CPU)
        assert "--source formula" not in str(caught.value.hint)


def test_a_hugging_face_folder_is_sized_as_its_conversion(tmp_path: Path) -> None:
    folder = str(write_folder(tmp_path / "small", LLAMA, llama_tensors()))
    models = find_models(Deployment(model=folder, format="Q8_0"), source="formula")
    assert {tensor.format for tensor in models.model.tensors} == {"Q8_0", "F32"}
    assert (models.origin.header or {})["general.architecture"] == "llama"
    assert find_models(Deployment(model=folder), source="formula").model.file_type == 15  # Q4_K_M


def test_a_folder_that_llama_cpp_cannot_run_says_so(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "small", {"model_type": "whisper"})
    with pytest.raises(UnknownArchitecture, match=r"llama\.cpp runs no 'whisper'|no models for speech"):
        find_models(Deployment(model=str(folder)), source="formula")


CONFIGS = Path(__file__).parents[3] / "shared" / "data" / "hf_configs"


@pytest.mark.parametrize(
    "name",
    [
        *("Qwen3-4B", "Llama-3.2-1B", "gemma-3-4b", "Qwen2.5-VL-7B-Instruct", "Qwen3-VL-2B-Instruct", "gpt2"),
        *("gpt-oss-20b", "Mixtral-8x7B-v0.1", "LFM2.5-VL-1.6B", "Phi-4-mini", "Qwen3.5-9B", "Nemotron-3-Nano-30B-A3B"),
    ],
)
def test_the_engine_takes_the_header_that_a_config_makes_and_agrees(name: str) -> None:
    if not (CONFIGS / name).is_dir():
        pytest.skip(f"no shared data: {name}")
    options = Options(context_tokens=1024)
    found = estimate(str(CONFIGS / name), source="both", options=options, format="Q4_K_M", relief=False)
    assert found.compared


def test_the_engine_takes_a_folder_without_being_told_how(tmp_path: Path) -> None:
    folder = str(write_folder(tmp_path / "small", LLAMA, llama_tensors()))
    assert "llama.cpp" in estimate(folder, options=Options(context_tokens=256), relief=False).engine


@pytest.mark.parametrize(("engine", "how"), [("llama_cpp", "--mmproj"), ("vllm", "checkpoint's folder")])
def test_a_model_that_sees_is_told_to_be_sized_without_its_encoder(engine: str, how: str) -> None:
    device = find_device("agx-orin-64gb")
    options = ENGINES.get(engine).profiles["library"]
    found = estimate("Qwen3-VL-2B", device=device, engine=engine, options=options, source="formula", relief=False)
    assert any("encoder of pictures is not in this figure" in word and how in word for word in found.warnings)
    text = estimate("Qwen3-4B", device=device, engine=engine, options=options, source="formula", relief=False)
    assert not any("pictures" in word for word in text.warnings)
