"""Writes architectures.json: logits of transformers for tiny random models of every architecture.

    pip install torch==2.13.0 transformers==4.57.6 && python architectures.py

The weights are not stored. They come from mulberry32, as `randomNumbers` in golden.ts, seeded with the
index of the case, one number an element, tensors in the order of their names; `scale_of` says how they
are scaled. See README.md.
"""

import base64
import copy
import json
import math
import os

import numpy as np
import torch
import transformers
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

HERE = os.path.dirname(os.path.abspath(__file__))
POSITIONS, VOCABULARY = 40, 48
torch.manual_seed(0)
torch.set_num_threads(1)


def mulberry32(seed, count):
    state = (seed + 0x6D2B79F5 * np.arange(1, count + 1, dtype=np.uint64)).astype(np.uint32)
    t = ((state ^ (state >> 15)) * (state | 1)).astype(np.uint32)
    t = t ^ (t + ((t ^ (t >> 7)) * (t | 61)).astype(np.uint32))
    return (t ^ (t >> 14)).astype(np.float64) / 2**32


def scale_of(name, shape, gemma):
    """(a, b): elements are a + b · (u − ½), u uniform in [0, 1)."""
    if len(shape) == 1:
        if name.endswith("bias"):
            return 0, 1
        return (0 if gemma else 1), 1
    if "embed_tokens" in name:
        return 0, 1
    return 0, (8 if "lm_head" in name or "mlp.gate.weight" in name else 5) / math.sqrt(shape[1])


def weights_of(seed, shapes, gemma, dtype):
    total = sum(math.prod(shape) for shape in shapes.values())
    numbers, at, out = mulberry32(seed, total), 0, {}
    for name in sorted(shapes):
        shape, count = shapes[name], math.prod(shapes[name])
        a, b = scale_of(name, shape, gemma)
        values = (a + b * (numbers[at : at + count] - 0.5)).astype(np.float32)
        at += count
        out[name] = torch.from_numpy(values.reshape(shape)).to(getattr(torch, dtype)).float()
    return out


BASE = dict(
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=40,
    vocab_size=VOCABULARY,
    max_position_embeddings=64,
    rms_norm_eps=1e-5,
    rope_theta=500.0,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=0,
)


class NemotronNas(torch.nn.Module):
    """Llama layers of transformers, put together as NVIDIA's modeling_decilm.py does."""

    def __init__(self, config):
        super().__init__()
        llama = transformers.LlamaConfig(
            **{k: v for k, v in config.items() if k not in ("block_configs", "model_type")}
            | dict(num_key_value_heads=1, intermediate_size=1, num_hidden_layers=0)
        )
        llama._attn_implementation = "eager"
        self.model = transformers.LlamaModel(llama)
        self.lm_head = torch.nn.Linear(llama.hidden_size, llama.vocab_size, bias=False)
        self.blocks = config["block_configs"]
        for i, block in enumerate(self.blocks):
            own = copy.deepcopy(llama)
            group, mult = block["attention"]["n_heads_in_group"], block["ffn"]["ffn_mult"]
            own.num_key_value_heads = own.num_attention_heads // (group or 1)
            own.intermediate_size = -(-int(2 * (mult or 1) * own.hidden_size / 3) // 256) * 256
            layer = LlamaDecoderLayer(own, i)
            if block["attention"]["no_op"]:
                del layer.self_attn, layer.input_layernorm
            if block["ffn"]["no_op"]:
                del layer.mlp, layer.post_attention_layernorm
            self.model.layers.append(layer)

    def forward(self, input_ids, use_cache):
        x = self.model.embed_tokens(input_ids)
        length = x.shape[1]
        rotation = self.model.rotary_emb(x, torch.arange(length)[None])
        mask = torch.full((length, length), -torch.inf).triu(1)[None, None]
        for layer, block in zip(self.model.layers, self.blocks):
            if not block["attention"]["no_op"]:
                normed = layer.input_layernorm(x)
                x = x + layer.self_attn(normed, position_embeddings=rotation, attention_mask=mask)[0]
            if not block["ffn"]["no_op"]:
                x = x + layer.mlp(layer.post_attention_layernorm(x))
            layer.stream = x
        return transformers.modeling_outputs.CausalLMOutput(logits=self.lm_head(self.model.norm(x)))


def block(group, mult):
    return dict(
        attention=dict(n_heads_in_group=group, no_op=group is None, replace_with_linear=False),
        ffn=dict(ffn_mult=mult, no_op=mult is None, replace_with_linear=False),
    )


def scaling(type, **settings):
    return dict(rope_scaling=dict(rope_type=type, **settings))


LLAMA3 = scaling("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
YARN = dict(factor=4.0, original_max_position_embeddings=16, beta_fast=4.0, beta_slow=1.0)
LISTS = lambda n: dict(short_factor=[1 + 0.1 * i for i in range(n)], long_factor=[2 + 0.5 * i for i in range(n)])
GEMMA = dict(
    hidden_size=40,
    head_dim=16,
    num_hidden_layers=3,
    sliding_window=6,
    query_pre_attn_scalar=24,
    rope_theta=5000.0,
    rope_local_base_freq=100.0,
    rope_scaling=dict(rope_type="linear", factor=4.0),
    hidden_activation="gelu_pytorch_tanh",
    tie_word_embeddings=True,
)
MOE = dict(num_experts=6, num_experts_per_tok=2, moe_intermediate_size=24, head_dim=16, num_hidden_layers=3)

# name, model type, options; `as_file` changes the config that is stored, not the model
CASES = [
    ("qwen2", "qwen2", dict(head_dim=16)),
    ("qwen2, tied, windows from layer 1 on", "qwen2", dict(head_dim=16, tie_word_embeddings=True, use_sliding_window=True, sliding_window=7, max_window_layers=1)),
    ("qwen2, window named but off, yarn", "qwen2", dict(hidden_size=64, use_sliding_window=False, sliding_window=7, **scaling("yarn", **YARN))),
    ("qwen3", "qwen3", dict(head_dim=32)),
    ("qwen3, biases, heads of 24, windows by layer_types", "qwen3", dict(head_dim=24, attention_bias=True, use_sliding_window=True, sliding_window=5, layer_types=["sliding_attention", "full_attention"])),
    ("qwen3, tied, ε 1e-3, heads of 8", "qwen3", dict(head_dim=8, tie_word_embeddings=True, rms_norm_eps=1e-3)),
    ("llama, one key head a query head", "llama", dict(hidden_size=64, num_key_value_heads=4)),
    ("llama, biases, ε 1e-3, tied", "llama", dict(head_dim=16, attention_bias=True, mlp_bias=True, rms_norm_eps=1e-3, tie_word_embeddings=True)),
    ("llama, heads of 8", "llama", dict()),
    ("llama, linear", "llama", dict(head_dim=16, **scaling("linear", factor=3.0))),
    ("llama, llama3", "llama", dict(head_dim=32, **LLAMA3)),
    ("llama, yarn", "llama", dict(head_dim=16, **scaling("yarn", **YARN))),
    ("llama, yarn, bounds not rounded, mscale", "llama", dict(head_dim=32, **scaling("yarn", **YARN, truncate=False, mscale=0.7, mscale_all_dim=1.3))),
    ("llama, yarn, own attention factor, defaults", "llama", dict(head_dim=24, rope_theta=1e4, **scaling("yarn", factor=2.0, attention_factor=1.25))),
    ("llama, longrope", "llama", dict(head_dim=16, original_max_position_embeddings=32, **scaling("longrope", **LISTS(8)))),
    ("mistral, window", "mistral", dict(head_dim=16, sliding_window=5)),
    ("mistral, no window, heads of 40", "mistral", dict(head_dim=40, sliding_window=None)),
    ("nemotron-nas", "nemotron-nas", dict(
        num_hidden_layers=5,
        num_key_value_heads=None,
        intermediate_size=None,
        hidden_size=64,
        block_configs=[block(2, 5.25), block(None, 13.0), block(4, None), block(1, 1.3125), block(None, None)],
        **LLAMA3,
    )),
    ("gemma3_text", "gemma3_text", dict(**GEMMA, sliding_window_pattern=3)),
    ("gemma3_text, layer_types, biases, softcap, untied", "gemma3_text", dict(GEMMA | dict(head_dim=24, layer_types=["full_attention", "sliding_attention", "full_attention"], attention_bias=True, rms_norm_eps=0.05, final_logit_softcapping=5.0, tie_word_embeddings=False))),
    ("gemma3, tensors under language_model.model", "gemma3", dict(**GEMMA, sliding_window_pattern=2)),
    ("gemma3, tensors under model.language_model", "gemma3", dict(**GEMMA, sliding_window_pattern=2)),
    ("qwen3_moe, weights of the chosen experts normalized", "qwen3_moe", dict(**MOE, norm_topk_prob=True)),
    ("qwen3_moe, not normalized, a dense layer", "qwen3_moe", dict(**MOE, norm_topk_prob=False, mlp_only_layers=[1])),
    ("qwen3_moe, every second layer, window", "qwen3_moe", dict(**MOE, norm_topk_prob=True, decoder_sparse_step=2, use_sliding_window=True, sliding_window=6)),
    ("phi3, window", "phi3", dict(hidden_size=64, sliding_window=9)),
    ("phi3, three quarters rotated", "phi3", dict(hidden_size=128, partial_rotary_factor=0.75)),
    ("phi3, half rotated", "phi3", dict(hidden_size=128, partial_rotary_factor=0.5, tie_word_embeddings=True)),
    ("phi3, longrope, long", "phi3", dict(hidden_size=64, original_max_position_embeddings=32, rope_scaling=dict(type="longrope", **LISTS(8)))),
    ("phi3, longrope, short", "phi3", dict(hidden_size=64, max_position_embeddings=96, original_max_position_embeddings=48, rope_scaling=dict(type="longrope", **LISTS(8)))),
    ("olmo2", "olmo2", dict(head_dim=16)),
    ("olmo2, biases, linear", "olmo2", dict(head_dim=24, attention_bias=True, rms_norm_eps=1e-2, rope_scaling=dict(type="linear", factor=2.0))),
]
# stored under the field names of transformers 5
RENAMED = {3, 11, 18, 21, 26, 28}


def model_of(kind, config):
    if kind == "nemotron-nas":
        return NemotronNas(config)
    name = "gemma3_text" if kind == "gemma3" else kind
    own = transformers.CONFIG_MAPPING[name](**{k: v for k, v in copy.deepcopy(config).items() if k != "model_type"})
    own._attn_implementation = "eager"
    return transformers.AutoModelForCausalLM.from_config(own, attn_implementation="eager").float()


def renamed(kind, config):
    """The config as transformers 5 writes it."""
    config = copy.deepcopy(config)
    settings = config.pop("rope_scaling", None) or {}
    if "type" in settings:
        settings["rope_type"] = settings.pop("type")
    theta = config.pop("rope_theta")
    if "partial_rotary_factor" in config:
        settings["partial_rotary_factor"] = config.pop("partial_rotary_factor")
    if "original_max_position_embeddings" in config:
        settings["original_max_position_embeddings"] = config.pop("original_max_position_embeddings")
    parameters = dict(rope_type="default") | settings | dict(rope_theta=theta)
    if kind.startswith("gemma3"):
        local = dict(rope_type="default", rope_theta=config.pop("rope_local_base_freq"))
        parameters = dict(full_attention=parameters, sliding_attention=local)
        pattern = config.pop("sliding_window_pattern", None)
        if pattern:
            config["layer_types"] = ["full_attention" if (i + 1) % pattern == 0 else "sliding_attention" for i in range(config["num_hidden_layers"])]
    config["rope_parameters"] = parameters
    return config


def file_config(index, name, kind, config, dtype):
    stored = renamed(kind, config) if index in RENAMED else copy.deepcopy(config)
    key = "dtype" if index in RENAMED else "torch_dtype"
    if kind != "gemma3":
        return dict(stored, model_type=kind) | {key: dtype}
    ids = {k: stored.pop(k) for k in ("bos_token_id", "eos_token_id", "pad_token_id")}
    return dict(model_type=kind, text_config=dict(stored, model_type="gemma3_text"), vision_config=dict(hidden_size=8), mm_tokens_per_image=4, image_token_index=47, boi_token_index=46, eoi_token_index=45) | ids | {key: dtype}


def case_of(index):
    """The model of a case, with its weights, and what its tensors and inputs are."""
    _, kind, options = CASES[index]
    dtype = ["float32", "bfloat16"][index % 2] if not kind.startswith("gemma3") else "bfloat16"
    config = BASE | options
    model = model_of(kind, config).eval()
    tied = config.get("tie_word_embeddings", False)
    shapes = {k: list(v.shape) for k, v in model.state_dict().items() if not (tied and k == "lm_head.weight")}
    weights = weights_of(index + 1, shapes, kind.startswith("gemma3"), dtype)
    if tied:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    model.load_state_dict(weights)
    ids = [int(u * VOCABULARY) for u in mulberry32(1000 + index, POSITIONS)]
    return model, config, dtype, shapes, ids


def main():
    cases = []
    for index, (name, kind, _) in enumerate(CASES):
        model, config, dtype, shapes, ids = case_of(index)
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].float().numpy()
        prefix = {20: "language_model.model.", 21: "model.language_model."}.get(index, "model.")
        rename = lambda k: k.replace("model.", prefix, 1) if k.startswith("model.") else k
        # stored in the order of the numbers
        tensors = [[rename(k), shapes[k], *scale_of(k, shapes[k], kind.startswith("gemma3"))] for k in sorted(shapes)]
        cases.append(dict(
            name=name,
            seed=index + 1,
            dtype=dtype,
            config=file_config(index, name, kind, config, dtype),
            tensors=tensors,
            input_ids=ids,
            max_length=48 if name == "phi3, longrope, short" else 64,
            logits=base64.b64encode(logits.astype("<f4").tobytes()).decode(),
        ))
        print(f"{name}: {sum(math.prod(s) for s in shapes.values())} numbers, logits std {logits.std():.2f}")
    with open(os.path.join(HERE, "architectures.json"), "w") as file:
        versions = dict(transformers=transformers.__version__, torch=torch.__version__)
        lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
        file.write(f'{{"versions": {json.dumps(versions)}, "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
