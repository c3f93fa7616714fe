"""Writes llama/*.gguf, tiny random models that llama.cpp reads, and llama.json: their logits in transformers.

    pip install torch==2.13.0 transformers==5.19.0 gguf==0.19.0 && python llama.py

Weights as in architectures.py: mulberry32, seeded with the index of the case + 1. See README.md.
"""

import base64
import importlib.metadata
import json
import math
import os

import gguf
import numpy as np
import torch
import transformers

from architectures import mulberry32

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "llama")
LENGTH, CONTEXT, LAYERS = 40, 64, 2
POSITIONS = [0, 1, 7, 19, 31, 39]
torch.set_num_threads(1)

# the tokenizers

VOCABULARY, SPECIAL = 72, 3
ALPHABET = [*"abcdefghijklmnopqrstuvwxyz0123456789.,!?'-:TI"]
PIECES = "the and ing tion is was of to in it for that with he you at be on not are this have from or had by".split()


def merges_of(space):
    """Pairs that build the pieces from the left, each with a space before it, and what they make."""
    merges, made = [], []
    for piece in PIECES:
        left = space
        for letter in piece:
            if left + letter not in made:
                merges.append(f"{left} {letter}")
                made.append(left + letter)
            left += letter
    return merges, made


def byte_pairs(pre):
    merges, made = merges_of("Ġ")
    room = VOCABULARY - SPECIAL - 2 - len(ALPHABET)
    merges, made = merges[:room], made[:room]
    tokens = ["<|endoftext|>", "<|bos|>", "<|pad|>", "Ġ", "Ċ", *ALPHABET, *made]
    types = [3] * SPECIAL + [1] * (len(tokens) - SPECIAL)
    return dict(model="gpt2", pre=pre, tokens=tokens, types=types, merges=merges, bos=1, eos=0)


def sentence_pieces():
    merges, made = merges_of("▁")
    made = made[: VOCABULARY - SPECIAL - 2 - len(ALPHABET) - 1]
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", "<0x0A>", "▁", *ALPHABET, *made]
    types = [3, 3, 3, 2, 6] + [1] * (len(tokens) - 5)
    scores = [0.0] * 5 + [-1000.0] * (1 + len(ALPHABET)) + [-float(i + 1) for i in range(len(made))]
    return dict(model="llama", pre="default", tokens=tokens, types=types, scores=scores, bos=2, eos=1, unk=3)


def write_tokenizer(writer, t):
    writer.add_tokenizer_model(t["model"])
    writer.add_tokenizer_pre(t["pre"])
    writer.add_token_list(t["tokens"])
    writer.add_token_types(t["types"])
    if "merges" in t:
        writer.add_token_merges(t["merges"])
    else:
        writer.add_token_scores(t["scores"])
        writer.add_unk_token_id(t["unk"])
    writer.add_bos_token_id(t["bos"])
    writer.add_eos_token_id(t["eos"])
    writer.add_add_bos_token(t["model"] == "llama")


# how tensors of transformers become llama.cpp's


def pairs_together(heads):
    """Rows of q or k from halves to neighbours, for the architectures that rotate neighbours."""
    return lambda w: w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).transpose(1, 2).reshape(w.shape)


def rotated(heads, kv_heads):
    return {"q_proj": pairs_together(heads), "k_proj": pairs_together(kv_heads)}


def falcon_heads(heads, kv_heads):
    """Groups of queries, a key and a value to all queries, all keys, all values."""

    def split(w):
        groups = w.reshape(kv_heads, heads // kv_heads + 2, -1, w.shape[1])
        return torch.cat([x.reshape(-1, w.shape[1]) for x in (groups[:, :-2], groups[:, -2], groups[:, -1])])

    return {"query_key_value": split}


def bloom_heads(heads):
    """(query, key, value) a head to all queries, all keys, all values."""
    return {"query_key_value": lambda w: w.reshape(heads, 3, -1, *w.shape[1:]).transpose(0, 1).reshape(w.shape)}


NORM_PLUS_1 = {"norm.weight": lambda w: w + 1}
TRANSPOSED = {name: lambda w: w.t() if w.dim() == 2 else w for name in ("c_attn", "c_proj", "c_fc")}


def tensors_of(arch, weights, changes):
    names = gguf.get_tensor_name_map(arch, LAYERS)
    for name, w in weights.items():
        for part, change in changes.items():
            if part in name:
                w = change(w)
        layer = name.split(".")[2] if name.startswith("model.layers.") else None
        if name.endswith("experts.gate_up_proj"):
            gate, up = w.chunk(2, 1)
            yield f"blk.{layer}.ffn_gate_exps.weight", gate
            yield f"blk.{layer}.ffn_up_exps.weight", up
        elif name.endswith("experts.down_proj"):
            yield f"blk.{layer}.ffn_down_exps.weight", w
        else:
            known = (names.get_name(n, try_suffixes=(".weight", ".bias")) for n in (name, name.removeprefix("transformer.")))
            mapped = next(filter(None, known), None)
            assert mapped, name
            yield mapped, w


# the cases

HEADS, KV, FF = 4, 2, 24
LLAMA = dict(
    hidden_size=32,
    num_hidden_layers=LAYERS,
    num_attention_heads=HEADS,
    num_key_value_heads=KV,
    intermediate_size=FF,
    vocab_size=VOCABULARY,
    max_position_embeddings=CONTEXT,
    rope_parameters=dict(rope_type="default", rope_theta=500.0),
    tie_word_embeddings=False,
    bos_token_id=1,
    eos_token_id=0,
    pad_token_id=2,
)


def rope(share):
    return dict(rope_parameters=dict(rope_type="default", rope_theta=500.0, partial_rotary_factor=share))


def sizes(ff=FF, kv=KV, width=32, head=8, rotated=None, eps=1e-5, rms=True, theta=True):
    """Keys that nearly all have."""
    keys = dict(context_length=CONTEXT, embedding_length=width, block_count=LAYERS, feed_forward_length=ff)
    keys |= {"attention.head_count": HEADS, "attention.head_count_kv": kv}
    keys |= {f"attention.layer_norm_{'rms_' if rms else ''}epsilon": eps}
    return keys | ({"rope.dimension_count": rotated or head, "rope.freq_base": 500.0} if theta else {})


GEMMA2 = dict(
    head_dim=12,
    query_pre_attn_scalar=12,
    sliding_window=6,
    attn_logit_softcapping=2.0,
    final_logit_softcapping=3.0,
    hidden_activation="gelu_pytorch_tanh",
    tie_word_embeddings=True,
    rms_norm_eps=1e-3,
)
GEMMA3 = dict(
    head_dim=8,
    query_pre_attn_scalar=8,
    sliding_window=6,
    layer_types=["sliding_attention"] * LAYERS,
    rope_parameters={
        "full_attention": dict(rope_type="default", rope_theta=500.0),
        "sliding_attention": dict(rope_type="default", rope_theta=100.0),
    },
    hidden_activation="gelu_pytorch_tanh",
    tie_word_embeddings=True,
    rms_norm_eps=1e-3,
)
HEADS_OF_12 = {"attention.key_length": 12, "attention.value_length": 12}
MOE = dict(num_experts=4, num_experts_per_tok=2)
MULTIPLIERS = dict(embedding_multiplier=3.0, residual_multiplier=0.6, attention_multiplier=0.5, logits_scaling=0.4)
A = gguf.MODEL_ARCH

# name, llama.cpp's architecture, transformers' model type, options, tokenizer's pre, keys, changes of tensors
CASES = [
    ("gemma2", A.GEMMA2, "gemma2", LLAMA | GEMMA2, None, sizes(head=12, eps=1e-3) | HEADS_OF_12 | {
        "attention.sliding_window": 6, "attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0}, NORM_PLUS_1),
    ("gemma", A.GEMMA, "gemma", LLAMA | dict(head_dim=8, hidden_activation="gelu_pytorch_tanh", rms_norm_eps=1e-3, tie_word_embeddings=True),
        None, sizes(eps=1e-3), NORM_PLUS_1),
    ("gemma3", A.GEMMA3, "gemma3_text", LLAMA | GEMMA3, None, sizes(eps=1e-3) | {"attention.key_length": 8, "attention.value_length": 8,
        "attention.sliding_window": 6, "rope.freq_base_swa": 100.0}, NORM_PLUS_1),
    ("granite", A.GRANITE, "granite", LLAMA | MULTIPLIERS | dict(rms_norm_eps=1e-3, tie_word_embeddings=True), "refact", sizes(eps=1e-3) | {
        "embedding_scale": 3.0, "residual_scale": 0.6, "attention.scale": 0.5, "logit_scale": 0.4}, rotated(HEADS, KV)),
    ("starcoder2", A.STARCODER2, "starcoder2", LLAMA | dict(norm_epsilon=1e-3, use_bias=True, sliding_window=None, tie_word_embeddings=True),
        "starcoder", sizes(eps=1e-3, rms=False), {}),
    ("phi2", A.PHI2, "phi", LLAMA | rope(0.5) | dict(layer_norm_eps=1e-3, hidden_act="gelu_new"), "phi-2",
        sizes(eps=1e-3, rms=False, rotated=4), {}),
    ("falcon", A.FALCON, "falcon", LLAMA | dict(num_kv_heads=KV, new_decoder_architecture=True, parallel_attn=True, bias=False, alibi=False,
        layer_norm_epsilon=1e-3, activation="gelu_pytorch_tanh", ffn_hidden_size=64, tie_word_embeddings=True), "falcon",
        sizes(ff=64, eps=1e-3, rms=False), falcon_heads(HEADS, KV)),
    ("gpt2", A.GPT2, "gpt2", dict(n_embd=32, n_layer=LAYERS, n_head=HEADS, n_inner=32, n_positions=CONTEXT, vocab_size=VOCABULARY,
        layer_norm_epsilon=1e-3, bos_token_id=1, eos_token_id=0, tie_word_embeddings=True), "gpt-2",
        sizes(ff=32, kv=HEADS, eps=1e-3, rms=False, theta=False), TRANSPOSED),
    ("stablelm", A.STABLELM, "stablelm", LLAMA | rope(0.5) | dict(layer_norm_eps=1e-3, use_qkv_bias=True), "stablelm2",
        sizes(eps=1e-3, rms=False, rotated=4) | {"use_parallel_residual": False}, {}),
    ("command-r", A.COMMAND_R, "cohere", LLAMA | dict(layer_norm_eps=1e-3, logit_scale=1.5, tie_word_embeddings=True), "command-r",
        sizes(eps=1e-3, rms=False) | {"logit_scale": 1.5, "rope.scaling.type": "none"}, {}),
    ("olmo", A.OLMO, "olmo", LLAMA | dict(clip_qkv=1.5), "olmo", sizes(rms=False) | {"attention.clamp_kqv": 1.5}, rotated(HEADS, KV)),
    ("qwen2moe", A.QWEN2MOE, "qwen2_moe", LLAMA | MOE | dict(moe_intermediate_size=8, shared_expert_intermediate_size=16,
        norm_topk_prob=False, rms_norm_eps=1e-3, decoder_sparse_step=1, use_sliding_window=False), "qwen2", sizes(eps=1e-3) | {
        "expert_count": 4, "expert_used_count": 2, "expert_feed_forward_length": 8, "expert_shared_feed_forward_length": 16}, {}),
    ("nemotron", A.NEMOTRON, "nemotron", LLAMA | rope(0.5) | dict(head_dim=8, norm_eps=1e-3, hidden_act="relu2", attention_bias=True, mlp_bias=True),
        "gpt-2", sizes(eps=1e-3, rms=False, rotated=4) | {"rope.scaling.type": "none"}, NORM_PLUS_1),
    ("bloom", A.BLOOM, "bloom", dict(hidden_size=16, n_layer=LAYERS, n_head=HEADS, vocab_size=VOCABULARY, layer_norm_epsilon=1e-3,
        bos_token_id=1, eos_token_id=0, pad_token_id=2, tie_word_embeddings=True), "bloom",
        sizes(ff=64, width=16, kv=HEADS, eps=1e-3, rms=False, theta=False), bloom_heads(HEADS)),
    # v0.4.0 does not read this one's ε and takes 0
    ("qwen2vl", A.QWEN2VL, "qwen2_vl_text", LLAMA | dict(rms_norm_eps=1e-8, use_sliding_window=False,
        rope_parameters=dict(rope_type="default", rope_theta=500.0, mrope_section=[1, 1, 2])), "qwen2",
        sizes(eps=1e-8) | {"rope.dimension_sections": [1, 1, 2, 0]}, {}),
]


class HalfGelu(torch.nn.Module):
    """GELU as llama.cpp's CPU backend takes it: from a table of float16."""

    def forward(self, x):
        return torch.nn.functional.gelu(x.half().float(), approximate="tanh").half().float()


def with_half_gelu(model):
    """Replaces every GELU; whether there was one."""
    found = [(m, name) for m in model.modules() for name, child in m.named_children() if "gelu" in type(child).__name__.lower()]
    for module, name in found:
        setattr(module, name, HalfGelu())
    return bool(found)


class TextOnly(torch.nn.Module):
    """Qwen2-VL's language model with its table as the head."""

    def __init__(self, config):
        super().__init__()
        config._attn_implementation = "eager"
        self.model = transformers.models.qwen2_vl.modeling_qwen2_vl.Qwen2VLTextModel(config)

    def get_input_embeddings(self):
        return self.model.embed_tokens

    def forward(self, **inputs):
        logits = self.model(**inputs).last_hidden_state @ self.model.embed_tokens.weight.t()
        return transformers.modeling_outputs.CausalLMOutput(logits=logits)


def model_of(kind, options):
    if kind == "qwen2_vl_text":
        return TextOnly(transformers.models.qwen2_vl.configuration_qwen2_vl.Qwen2VLTextConfig(**options))
    config = transformers.CONFIG_MAPPING[kind](**options)
    return transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").float()


def scale_of(name, shape, kind):
    """(a, b): elements are a + b · (u − ½), u uniform in [0, 1)."""
    if len(shape) == 1:
        return (0 if name.endswith("bias") or (kind.startswith("gemma") or kind == "nemotron") else 1), 1
    if any(part in name for part in ("embed", "wte", "wpe")):
        return 0, 2 if "wpe" not in name else 1
    width = shape[0] if kind == "gpt2" else shape[-1]
    return 0, (8 if "lm_head" in name or "mlp.gate.weight" in name else 5) / math.sqrt(width)


def weights_of(seed, shapes, kind):
    numbers, at, out = mulberry32(seed, sum(math.prod(shape) for shape in shapes.values())), 0, {}
    for name in sorted(shapes):
        shape, count = shapes[name], math.prod(shapes[name])
        a, b = scale_of(name, shape, kind)
        out[name] = torch.from_numpy((a + b * (numbers[at : at + count] - 0.5)).astype(np.float32).reshape(shape))
        at += count
    return out


def fill(model, seed, kind):
    """Gives a model its weights; the tensors that a file needs."""
    parameters = dict(model.named_parameters())  # without repetitions: tied heads are left out
    weights = weights_of(seed, {name: list(p.shape) for name, p in parameters.items()}, kind)
    with torch.no_grad():
        for name, p in parameters.items():
            p.copy_(weights[name])
    return weights


def write_keys(writer, arch, keys):
    for key, value in keys.items():
        name = f"{gguf.MODEL_ARCH_NAMES[arch]}.{key}"
        if isinstance(value, bool):
            writer.add_bool(name, value)
        elif isinstance(value, int):
            writer.add_uint32(name, value)
        elif isinstance(value, float):
            writer.add_float32(name, value)
        elif isinstance(value, list):
            writer.add_array(name, value)
        else:
            writer.add_string(name, value)


def write_file(name, arch, keys, tokenizer, tensors):
    writer = gguf.GGUFWriter(os.path.join(FOLDER, f"{name}.gguf"), gguf.MODEL_ARCH_NAMES[arch])
    write_keys(writer, arch, keys)
    write_tokenizer(writer, tokenizer)
    for key, w in tensors:
        if isinstance(w, tuple):
            writer.add_tensor(key, w[0], raw_dtype=w[1])
        else:
            writer.add_tensor(key, np.ascontiguousarray(w.numpy(), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def base64_of(logits):
    return base64.b64encode(logits.numpy().astype("<f4").tobytes()).decode()


def mixtures_of(seed):
    """Three positions that hold mixtures, in place of tokens: ids and weights in 64ths, of sum 1."""
    numbers = iter(mulberry32(3000 + seed, 64))
    for position, weights in ((5, [32, 20, 12]), (LENGTH - 9, [40, 9, 8, 7]), (LENGTH - 1, [24, 23, 17])):
        ids = []
        while len(ids) < len(weights):
            value = SPECIAL + int(next(numbers) * (VOCABULARY - SPECIAL))
            ids += [value] if value not in ids else []
        yield dict(position=position, ids=ids, weights=[w / 64 for w in weights])


def rows_logits(model, ids, mixtures):
    """Logits where rows of the embedding table, and mixtures of them, are the input."""
    embed = model.get_input_embeddings()
    table = embed.weight
    rows = table[torch.tensor(ids)].clone()
    for m in mixtures:
        rows[m["position"]] = torch.tensor(m["weights"]) @ table[m["ids"]]
    # where the embedding itself scales, the model takes scaled rows
    return model(inputs_embeds=(rows * getattr(embed, "embed_scale", 1.0))[None], use_cache=False).logits[0]


# files that only have to load and decode ids: name, architecture, pre, keys, tensors without the layer's prefix


def attention(width):
    kv = width // HEADS * KV
    return {"attn_q": (width, width), "attn_k": (kv, width), "attn_v": (kv, width), "attn_output": (width, width)}


def gemma3n():
    """Per-layer inputs: 256 numbers an id and layer, whose count llama.cpp fixes, as 4 streams and rank 64."""
    width, each = 32, 256
    once = {"token_embd": (VOCABULARY, width), "output_norm": (width,), "altup_proj": (3, width, width), "altup_unembd_proj": (3, width, width)}
    once |= {"per_layer_token_embd": (VOCABULARY, each), "per_layer_model_proj": (each, width), "per_layer_proj_norm": (each,)}
    layer = attention(width) | {"ffn_gate": (FF, width), "ffn_up": (FF, width), "ffn_down": (width, FF)}
    layer |= {"attn_q_norm": (8,), "attn_k_norm": (8,), "inp_gate": (each, width), "proj": (width, each)}
    layer |= {f"{name}norm": (width,) for name in ("attn_", "post_attention_", "ffn_", "post_ffw_", "post_", "altup_router_", "laurel_post_")}
    layer |= {"altup_correct_coef": (4, 4), "altup_correct_scale": (width,), "altup_predict_coef": (16, 4), "altup_router": (4, width)}
    layer |= {"laurel_l": (64, width), "laurel_r": (width, 64)}
    keys = sizes() | dict(block_count=1) | {"attention.key_length": 8, "attention.value_length": 8, "attention.sliding_window": 6}
    return A.GEMMA3N, None, keys, once, layer


def mamba():
    width, inner, states = 16, 32, 4
    once = {"token_embd": (VOCABULARY, width), "output_norm": (width,)}
    layer = {"attn_norm": (width,), "ssm_in": (2 * inner, width), "ssm_conv1d": (inner, 4), "ssm_conv1d.bias": (inner,)}
    layer |= {"ssm_x": (1 + 2 * states, inner), "ssm_dt": (inner, 1), "ssm_dt.bias": (inner,), "ssm_a": (inner, states), "ssm_d": (inner,)}
    layer |= {"ssm_out": (width, inner)}
    keys = dict(context_length=CONTEXT, embedding_length=width, block_count=LAYERS, feed_forward_length=0)
    keys |= {"attention.head_count": 0, "attention.layer_norm_rms_epsilon": 1e-5}
    return A.MAMBA, "gpt-2", keys | {"ssm.conv_kernel": 4, "ssm.inner_size": inner, "ssm.state_size": states, "ssm.time_step_rank": 1}, once, layer


def glm4():
    width = 16
    once = {"token_embd": (VOCABULARY, width), "output_norm": (width,), "output": (VOCABULARY, width)}
    layer = attention(width) | {"ffn_up": (2 * FF, width), "ffn_down": (width, FF)}
    layer |= {f"{name}_norm": (width,) for name in ("attn", "post_attention", "ffn", "post_ffw")}
    return A.GLM4, "glm4", sizes(width=width, head=4, rotated=2), once, layer


REFUSED = dict(gemma3n=gemma3n, mamba=mamba, glm4=glm4)


def write_refused(name, seed):
    arch, pre, keys, once, layer = REFUSED[name]()
    shapes = once | {f"blk.{i}.{key}": shape for i in range(keys["block_count"]) for key, shape in layer.items()}
    shapes = {key if key.endswith(("bias", "ssm_a", "ssm_d")) else f"{key}.weight": list(shape) for key, shape in shapes.items()}
    weights = weights_of(seed, shapes, arch.name)
    tensors = {key: -1 - w.abs() if key.endswith("ssm_a") else w for key, w in weights.items()}
    if name == "gemma3n":
        large = [key for key, w in weights.items() if w.numel() >= 2048 and key != "token_embd.weight"]
        kind = gguf.GGMLQuantizationType.Q8_0
        tensors |= {key: (gguf.quants.quantize(weights[key].numpy(), kind), kind) for key in large}
    write_file(name, arch, keys, sentence_pieces() if pre is None else byte_pairs(pre), tensors.items())


LAST = [5, 6, LENGTH - 9, LENGTH - 1]


def outputs_of(model, ids, mixtures):
    """Logits at POSITIONS by ids, and at LAST where three positions hold mixtures."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
        assert (rows_logits(model, ids, []) - logits).abs().max() < 1e-5
        return dict(logits=logits[POSITIONS], mixed=rows_logits(model, ids, mixtures)[LAST])


def case_of(index):
    name, arch, kind, options, pre, keys, changes = CASES[index]
    model = model_of(kind, options).eval()
    weights = fill(model, index + 1, kind)
    tokenizer = sentence_pieces() if pre is None else byte_pairs(pre)
    write_file(name, arch, keys, tokenizer, tensors_of(arch, weights, changes))
    ids = [SPECIAL + int(u * (VOCABULARY - SPECIAL)) for u in mulberry32(2000 + index, LENGTH)]
    mixtures = list(mixtures_of(index))
    exact = outputs_of(model, ids, mixtures)
    half = outputs_of(model, ids, mixtures) if with_half_gelu(model) else None
    print(name, *(f"{key}: spread {x.std():.2f}" + (f", half moves {(half[key] - x).abs().max():.1e}" if half else "") for key, x in exact.items()))
    encoded = [{key: base64_of(x) for key, x in values.items()} for values in (exact, half) if values]
    return dict(name=name, ids=ids, positions=POSITIONS, mixtures=mixtures, mixed_positions=LAST, **encoded[0], half_gelu=encoded[1] if half else None)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    cases = [case_of(index) for index in range(len(CASES))]
    for index, name in enumerate(REFUSED):
        write_refused(name, 101 + index)
    versions = dict(transformers=transformers.__version__, torch=torch.__version__, gguf=importlib.metadata.version("gguf"))
    with open(os.path.join(HERE, "llama.json"), "w") as file:
        lines = ",\n".join(json.dumps(case) for case in cases)
        file.write(f'{{"versions": {json.dumps(versions)}, "refused": {json.dumps(list(REFUSED))}, "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
