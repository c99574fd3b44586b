"""Count the parameters of a Hugging Face config as transformers does, by building the model without weights.

Needs packages that memfit does not install (``pip install torch transformers timm``); what it writes is kept, and
checked without them. The counts that are kept are those of transformers 5.23.0 and torch 2.13.0::

    python tools/count_parameters.py CONFIG.json...                                     # the counts of these files
    python tools/count_parameters.py --vary 4 --out tests/fixtures/configs/counts.json  # of varied configs

A varied config has sizes, biases, ties, patterns of layers and mixtures of experts at random, and some of its fields
left out, so that the defaults of transformers' classes are counted too.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from varied_configs import Fields, bare, vary

# the kinds to vary; text halves are varied inside the larger models, and alone
KINDS = (
    "bamba bert cohere cohere2 deepseek_v2 deepseek_v3 falcon falcon_h1 falcon_mamba gemma gemma2 gemma3"
    " gemma3_text gemma3n gemma3n_text gemma4 gemma4_text gpt2 gpt_oss granite granitemoe granitemoehybrid"
    " granitemoeshared jamba lfm2 lfm2_moe lfm2_vl llama llama4 llama4_text llava mamba mamba2 ministral3 mistral"
    " mistral3 mixtral nemotron nemotron_h nomic_bert olmo2 olmo3 phi phi3 phimoe qwen2 qwen2_5_vl qwen2_moe"
    " qwen2_vl qwen3 qwen3_5 qwen3_5_moe qwen3_5_moe_text qwen3_5_text qwen3_moe qwen3_next qwen3_vl qwen3_vl_moe"
    " roberta smollm3 stablelm starcoder2 voxtral whisper xlm-roberta zamba2"
).split()
BARE = 4  # every so many varied configs leave their sizes to the defaults


def count(values: Mapping[str, Any]) -> tuple[str, int]:
    """The class that transformers would load, and its parameters, tied ones counted once."""
    import torch
    import transformers as hub

    config = hub.CONFIG_MAPPING[values["model_type"]].from_dict(dict(values))
    named = (values.get("architectures") or [None])[0]
    cls = getattr(hub, named) if named else _class_of(hub, type(config))
    with torch.device("meta"):
        model = cls._from_config(config)
    parameters = {id(each): each.numel() for each in model.parameters()}
    return cls.__name__, sum(parameters.values())


def _class_of(hub: Any, config: type) -> Any:
    whole = hub.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING  # first: some have a class for their text half alone
    for table in (
        *((whole,) if hasattr(config, "sub_configs_defaults") else ()),
        hub.MODEL_FOR_CAUSAL_LM_MAPPING,
        whole,
        hub.MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING,
        hub.MODEL_MAPPING,
    ):
        if config in table:
            found = table[config]
            return found[0] if isinstance(found, tuple) else found
    raise SystemExit(f"transformers has no model for {config.__name__}")


def varied(kinds: list[str], each: int, seed: int) -> Iterator[Fields]:
    """Varied configs with the counts of those that transformers can build."""
    for kind in kinds:
        found = 0
        for attempt in range(each * 8):
            values = (bare if attempt % BARE == BARE - 1 else vary)(kind, f"{seed} {attempt}")
            try:
                name, parameters = count(values)
            except Exception as error:  # what transformers refuses is no test of a count
                print(f"{kind} {attempt}: {type(error).__name__}: {str(error)[:100]}", file=sys.stderr)
                continue
            yield {"config": values, "class": name, "parameters": parameters}
            found += 1
            if found == each:
                break


def main() -> None:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("configs", nargs="*", type=Path)
    parser.add_argument("--vary", type=int, metavar="N", help="count N varied configs of every kind")
    parser.add_argument("--kinds", help="only these, separated by commas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    for path in given.configs:
        name, parameters = count(json.loads(path.read_text()))
        print(f"{parameters:>16,} {name} {path}")
    if given.vary:
        import torch
        import transformers

        kinds = given.kinds.split(",") if given.kinds else KINDS
        lines = ",\n".join(json.dumps(each) for each in varied(kinds, given.vary, given.seed))
        versions = json.dumps({"transformers": transformers.__version__, "torch": torch.__version__})
        text = f'{{"versions": {versions}, "counts": [\n{lines}\n]}}\n'
        if given.out:
            given.out.write_text(text)
        else:
            sys.stdout.write(text)


if __name__ == "__main__":
    main()
