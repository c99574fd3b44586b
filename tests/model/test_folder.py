"""Hugging Face folders: sized from their weights, or from their config alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from folders import LLAMA, llama_tensors, write_folder, write_safetensors
from memfit.errors import Malformed, ModelError, NotAModel, UnknownArchitecture, UsageError
from memfit.model import find_card, find_model
from memfit.model.folder import folder_shape, read_folder

PARAMETERS = 2 * 320 * 64 + 64 + 2 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 96 * 64 + 2 * 64)


def test_a_config_alone_says_all_that_memory_depends_on(tmp_path: Path) -> None:
    shape = folder_shape(write_folder(tmp_path / "small-llama"))
    assert (shape.name, shape.architecture, shape.shards) == ("small-llama", "llama", ())
    assert (shape.parameters, shape.weights_bytes) == (PARAMETERS, 2 * PARAMETERS)
    assert (shape.vocabulary_tokens, shape.context_trained_tokens, shape.embedding_length) == (320, 128, 64)
    assert [layer.kv_heads for layer in shape.layers] == [2, 2]
    assert {tensor.format for tensor in shape.tensors} == {"BF16"}


@pytest.mark.parametrize("shards", [1, 3])
def test_weights_are_taken_as_they_are(tmp_path: Path, shards: int) -> None:
    folder = write_folder(tmp_path, LLAMA, llama_tensors(dtype="F32"), shards=shards)
    shape = find_model(str(folder))
    assert (shape.parameters, shape.weights_bytes) == (PARAMETERS, 4 * PARAMETERS)
    by_name = {tensor.name: tensor for tensor in shape.tensors}
    assert by_name["model.layers.0.self_attn.k_proj.weight"].dims == (64, 32)
    assert len(shape.shards) == shards
    assert {tensor.shard for tensor in shape.tensors} == set(range(shards))


def test_a_preset_sizes_the_text_half_as_llama_cpp_converts_it(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "small", LLAMA, llama_tensors())
    shape = find_model(str(folder), format="Q8_0")
    assert {tensor.format for tensor in shape.tensors} == {"Q8_0", "F32"}
    assert (shape.name, shape.shards) == ("small", ())
    card = find_card(str(folder))
    assert card is not None
    assert card.architecture == "llama"


def test_the_config_s_own_path_names_the_folder(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "small")
    assert find_model(str(folder / "config.json")).name == "small"


def test_quantized_weights_keep_their_bytes(tmp_path: Path) -> None:
    config = {**LLAMA, "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 32}}
    kept = [tensor for tensor in llama_tensors() if "_proj" not in tensor[0]]
    packed = [(f"model.layers.{index}.self_attn.q_proj.qweight", (8, 64), "I32") for index in range(2)]
    folder = write_folder(tmp_path, config, [*kept, *packed])
    shape = folder_shape(folder)
    assert shape.parameters == PARAMETERS
    assert shape.weights_bytes == 2 * (2 * 320 * 64 + 64 + 4 * 64) + 2 * 4 * 8 * 64
    quantization = read_folder(folder).quantization
    assert quantization is not None
    assert (quantization.method, quantization.bits) == ("gptq", 4)


def test_modelopt_s_file_beside_the_config_is_read(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    assert read_folder(folder).quantization is None
    fields = {"quantization": {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8"}}
    (folder / "hf_quant_config.json").write_text(json.dumps(fields))
    quantization = read_folder(folder).quantization
    assert quantization is not None
    assert (quantization.format, quantization.bits, quantization.kv_cache) == ("NVFP4", 4, "FP8")


def test_the_tokenizer_is_measured(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    model = {"type": "BPE", "vocab": {"a": 0, "é": 1, "ab": 2}, "merges": [["a", "b"], "a é"]}
    (folder / "tokenizer.json").write_text(json.dumps({"model": model}), encoding="utf-8")
    tokenizer = folder_shape(folder).tokenizer
    assert tokenizer is not None
    assert (tokenizer.kind, tokenizer.tokens, tokenizer.token_bytes) == ("gpt2", 3, 5)
    assert (tokenizer.merges, tokenizer.merge_bytes) == (2, 7)
    (folder / "tokenizer.json").write_text("[")
    assert folder_shape(folder).tokenizer is None


@pytest.mark.parametrize(
    ("tensors", "complaint"),
    [
        (llama_tensors(rows=321), "has 321 rows, and"),
        (llama_tensors(layers=1), "holds 1 layers, and"),
        (llama_tensors(layers=3), "holds 3 layers, and"),
        (llama_tensors()[:-1], f"hold {PARAMETERS - 320 * 64} parameters, and"),
        ([*llama_tensors(), ("model.more.weight", (320, 64), "BF16")], f"hold {PARAMETERS + 320 * 64} parameters"),
    ],
)
def test_a_config_of_another_model_is_refused_with_both_files(tmp_path: Path, tensors: Any, complaint: str) -> None:
    folder = write_folder(tmp_path, LLAMA, tensors)
    with pytest.raises(Malformed) as caught:
        folder_shape(folder)
    assert str(folder / "model.safetensors") in caught.value.message
    assert str(folder / "config.json") in caught.value.message
    assert complaint in caught.value.message


def test_what_transformers_leaves_out_is_no_contradiction(tmp_path: Path) -> None:
    tied = {**LLAMA, "tie_word_embeddings": True}
    more = [
        ("model.layers.0.self_attn.rotary_emb.inv_freq", (8,), "F32"),
        ("model.layers.2.eh_proj.weight", (64, 128), "BF16"),
        ("mtp.fc.weight", (64, 128), "BF16"),
    ]
    shape = folder_shape(write_folder(tmp_path, tied, [*llama_tensors(), *more]))
    assert shape.parameters == PARAMETERS - 320 * 64
    assert shape.tied_embeddings


def test_missing_shards_are_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, LLAMA, llama_tensors(), shards=3)
    (folder / "model-00002-of-00003.safetensors").unlink()
    for preset in (None, "Q8_0"):  # what is not whole is not converted either
        with pytest.raises(ModelError, match="one shard of 3 is missing: model-00002-of-00003"):
            folder_shape(folder, format=preset)
    (folder / "model.safetensors.index.json").unlink()
    with pytest.raises(ModelError, match="model-00002-of-00003"):
        folder_shape(folder)
    with pytest.raises(ModelError, match="model-00002-of-00003"):
        find_model(str(folder), format="Q8_0")


@pytest.mark.parametrize("preset", [None, "Q8_0"])
def test_an_index_that_leads_out_of_its_folder_is_refused(tmp_path: Path, preset: str | None) -> None:
    folder = write_folder(tmp_path, LLAMA, llama_tensors(), shards=2)
    index = folder / "model.safetensors.index.json"
    places = json.loads(index.read_text())["weight_map"]
    index.write_text(json.dumps({"weight_map": {**places, "lm_head.weight": "../../etc/passwd"}}))
    with pytest.raises(Malformed, match="no file beside it"):
        folder_shape(folder, format=preset)


def test_an_index_of_another_download_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, LLAMA, llama_tensors(), shards=2)
    index = folder / "model.safetensors.index.json"
    values = json.loads(index.read_text())
    places = dict(values["weight_map"])
    index.write_text(json.dumps({"weight_map": {**places, "more.weight": "model-00001-of-00002.safetensors"}}))
    with pytest.raises(Malformed, match=r"places 'more.weight' in model-00001-of-00002.safetensors"):
        folder_shape(folder)
    del places["lm_head.weight"]
    index.write_text(json.dumps({"weight_map": places}))
    with pytest.raises(Malformed, match=r"does not list 'lm_head\.weight'"):
        folder_shape(folder)


def test_two_files_with_one_tensor_are_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    for name in ("a.safetensors", "b.safetensors"):
        write_safetensors(folder / name, llama_tensors())
    with pytest.raises(Malformed, match=r"which .*a\.safetensors has too"):
        folder_shape(folder)


def test_a_new_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = write_folder(tmp_path / "model", LLAMA, llama_tensors())
    assert folder_shape(folder).weights_bytes == 2 * PARAMETERS
    write_safetensors(folder / "model.safetensors", llama_tensors(dtype="F32"))
    assert folder_shape(folder).weights_bytes == 4 * PARAMETERS


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[]", "is not a JSON object"),
        ("{", "is not JSON"),
        ("{}", "model_type is missing"),
        ('{"model_type": 3}', "model_type is 3"),
    ],
)
def test_a_config_that_is_none_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(Malformed, match=complaint):
        find_model(str(tmp_path))


def test_an_unknown_model_type_names_the_nearest(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {**LLAMA, "model_type": "lama"})
    with pytest.raises(UnknownArchitecture, match="does not know the model_type 'lama'") as caught:
        find_model(str(folder))
    assert "llama" in (caught.value.hint or "")


def test_a_folder_without_config_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(NotAModel, match="is a folder"):
        find_model(str(tmp_path))
    with pytest.raises(NotAModel, match=r"has no config.json"):
        folder_shape(tmp_path)
    with pytest.raises(ModelError, match="no such folder"):
        folder_shape(tmp_path / "gone")
    with pytest.raises(UsageError):
        folder_shape("")


def test_what_llama_cpp_does_not_run_has_no_preset(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {"model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"]})
    assert find_model(str(folder)).towers[0].kind == "audio"
    assert find_card(str(folder)) is None
    with pytest.raises(UnknownArchitecture, match=r"llama\.cpp runs no model_type 'whisper'"):
        find_model(str(folder), format="Q4_K_M")


def test_a_quantization_of_an_unknown_layout_is_not_taken_for_16_bits(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {**LLAMA, "quantization_config": {"quant_method": "foo"}})
    with pytest.raises(ModelError, match="quantized by 'foo'") as told:
        folder_shape(folder)
    assert "download the weights" in str(told.value.hint)
    assert read_folder(folder).checkpoint.parameters


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"layer_types": ["full_attention"] * 3}, "layer_types has 3 entries for 2 layers"),
        ({"intermediate_size": None}, "intermediate_size is null"),
        ({"torch_dtype": "float7"}, "torch_dtype is 'float7', expected one of"),
        ({"torch_dtype": None, "dtype": "float7"}, "dtype is 'float7', expected one of"),
        (
            {"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 129}},
            "group_size is 129, which does not divide hidden_size 64",
        ),
    ],
)
def test_a_config_that_no_model_can_have_is_refused(tmp_path: Path, changed: Any, complaint: str) -> None:
    folder = write_folder(tmp_path, {**LLAMA, **changed})
    for preset in (None, "Q8_0"):
        with pytest.raises(Malformed, match=complaint) as refused:
            folder_shape(folder, format=preset)
        assert str(folder / "config.json") in str(refused.value)


def test_of_a_model_type_that_nothing_is_near_it_is_said_what_can_be_done(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {**LLAMA, "model_type": "zzzz"})
    with pytest.raises(UnknownArchitecture) as refused:
        folder_shape(folder)
    assert "give its GGUF file" in (refused.value.hint or "")
