"""Trains decisions-tiny-1, -2 and -3: tiny Llamas that sort stacks of pancakes, one-hot inputs only.

Needs torch 2.13 (for its Muon) and transformers 5.19; no GPU, no data. Each model is a function of its seed on one
machine, in two minutes of one core:

    python decisions.py train SEED FOLDER     # writes a folder of Hugging Face files
    python decisions.py golden FOLDER FILE    # what transformers makes of it, for the tests
    python decisions.py problems              # the 1000 held-out problems, a line each

The task is `lib/tasks/pancakes.ts`, made here a second time by other means: ways come from a table of all 9! stacks
by their distance, found breadth first, not from a search with a bound. Which stacks are held out is decided
by the MD5 of their letters, on both sides.
"""

import hashlib
import json
import random
import sys
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM

LETTERS = "abcdefghi"
FEWEST = (6, 7, 8)  # flips that problems take
STEPS, BATCH = 900, 32
ADAM_RATE, MUON_RATE = 3e-3, 4e-3  # largest rates; both climb for 50 steps and fall to 3 %

SPECIAL = ["<pad>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<answer>", "</answer>", "<unk>"]
ASK = "Sort by few flips: "
TOKENS = [*SPECIAL, "\n", "user", "assistant", ASK, *LETTERS]
IDS = {token: i for i, token in enumerate(TOKENS)}


def flipped(stack: str, letters: int) -> str:
    return stack[:letters][::-1] + stack[letters:]


def distances() -> dict[str, int]:
    """The fewest flips that sort each stack, nearest stacks first."""
    found, queue = {LETTERS: 0}, [LETTERS]
    for stack in queue:
        for letters in range(2, len(LETTERS) + 1):
            other = flipped(stack, letters)
            if other not in found:
                found[other] = found[stack] + 1
                queue.append(other)
    return found


def way(stack: str, distance: dict[str, int]) -> list[str]:
    """The stacks on the shortest way whose flips turn the fewest letters, the first flip first."""
    stacks = [stack]
    while stack != LETTERS:
        tried = (flipped(stack, letters) for letters in range(2, len(LETTERS) + 1))
        stack = next(other for other in tried if distance[other] < distance[stack])
        stacks.append(stack)
    return stacks


def gaps(stack: str) -> int:
    row = stack + chr(ord(LETTERS[-1]) + 1)
    return sum(abs(ord(a) - ord(b)) != 1 for a, b in zip(row, row[1:]))


def decisions(stacks: list[str]) -> int:
    """Flips of a way where not exactly one flip closes a gap."""
    def closing(stack: str) -> int:
        return sum(gaps(flipped(stack, letters)) < gaps(stack) for letters in range(2, len(LETTERS) + 1))

    return sum(closing(stack) != 1 for stack in stacks[:-1])


def held_out(stack: str) -> bool:
    return int(hashlib.md5(stack.encode()).hexdigest(), 16) % 10 == 0


def prompt(stack: str) -> list[int]:
    head = ["<|im_start|>", "user", "\n", ASK, *stack, "<|im_end|>", "\n"]
    return [IDS[t] for t in [*head, "<|im_start|>", "assistant", "\n", "<think>", "\n"]]


def answer(stacks: list[str]) -> list[int]:
    lines = [token for stack in stacks for token in [*stack, "\n"]]
    flips = [stack[0] for stack in stacks[1:]]
    return [IDS[t] for t in [*lines, "</think>", "\n", "<answer>", *flips, "</answer>", "<|im_end|>"]]


def batch(stacks: list[str], distance: dict[str, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids, padded with 0, and what is to be said after each: the answer, not the prompt."""
    pairs = [(prompt(stack), answer(way(stack, distance))) for stack in stacks]
    size = max(len(asked) + len(said) for asked, said in pairs)
    ids = torch.zeros(len(pairs), size, dtype=torch.long)
    labels = torch.full((len(pairs), size), -100)
    for i, (asked, said) in enumerate(pairs):
        end = len(asked) + len(said)
        ids[i, :end] = torch.tensor(asked + said)
        labels[i, len(asked):end] = ids[i, len(asked):end]
    return ids[:, :-1], labels[:, 1:]


def train(seed: int) -> LlamaForCausalLM:
    distance = distances()
    starts = sorted(s for s, flips in distance.items() if flips in FEWEST and not held_out(s))
    draw = random.Random(seed)
    torch.manual_seed(seed)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=len(TOKENS), hidden_size=64, num_hidden_layers=3, intermediate_size=128,
        num_attention_heads=4, num_key_value_heads=4, head_dim=16, tie_word_embeddings=True,
        max_position_embeddings=256, rope_theta=1000.0, rms_norm_eps=1e-6,
        pad_token_id=0, bos_token_id=None, eos_token_id=2,
    ))
    named = list(model.named_parameters())
    matrices = [p for name, p in named if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in named if p.ndim != 2 or "embed" in name]
    optimizers = [
        torch.optim.AdamW(others, lr=ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.01),
        torch.optim.Muon(matrices, lr=MUON_RATE, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
    ]
    for step in range(STEPS):
        share = min(1, (step + 1) / 50) * (1 - 0.97 * step / STEPS)
        for optimizer, rate in zip(optimizers, (ADAM_RATE, MUON_RATE)):
            optimizer.param_groups[0]["lr"] = rate * share
            optimizer.zero_grad()
        ids, labels = batch(draw.choices(starts, k=BATCH), distance)
        logits = model(input_ids=ids).logits
        loss = cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        if step % 50 == 0 or step == STEPS - 1:
            print(f"step {step}: loss {loss.item():.4f}", file=sys.stderr, flush=True)
    return model


def tokenizer_files() -> dict[str, dict]:
    """tokenizer.json and what belongs to it: a token is a letter, a role, a line feed, or the question."""
    def byte_level(token: str) -> str:
        return token.replace(" ", "Ġ").replace("\n", "Ċ")

    added = [
        {"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": i < 3 or token == "<unk>"}
        for i, token in enumerate(SPECIAL)
    ]
    byte_levels = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": f"{ASK}|user|assistant|[\\s\\S]"},
             "behavior": "Isolated", "invert": False}
    template = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] "
                "+ '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}"
                "{{ '<|im_start|>assistant\\n<think>\\n' }}{% endif %}")
    return {
        "tokenizer.json": {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_levels]},
            "post_processor": None, "decoder": byte_levels,
            "model": {
                "type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": True,
                "vocab": {byte_level(token): i for i, token in enumerate(TOKENS)}, "merges": [],
            },
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": False, "add_eos_token": False,
            "bos_token": None, "eos_token": "<|im_end|>", "pad_token": "<pad>", "unk_token": "<unk>",
            "clean_up_tokenization_spaces": False, "model_max_length": 256, "chat_template": template,
        },
        "generation_config.json": {
            "do_sample": True, "temperature": 1.0, "top_p": 1.0, "max_new_tokens": 200,
            "eos_token_id": 2, "pad_token_id": 0,
        },
    }


def write(model: LlamaForCausalLM, folder: Path) -> None:
    model.save_pretrained(folder)
    for name, value in tokenizer_files().items():
        text = json.dumps(value, ensure_ascii=False, indent=1)
        (folder / name).write_text(text + "\n", encoding="utf-8")


def problems() -> list[tuple[str, int]]:
    """The 1000 held-out problems, of a seed of their own: two decisions at least."""
    distance = distances()
    stacks = sorted(s for s, flips in distance.items() if flips in FEWEST and held_out(s))
    drawn = random.Random(20).sample(stacks, len(stacks))
    asked = (stack for stack in drawn if decisions(way(stack, distance)) >= 2)
    return [(stack, distance[stack]) for stack, _ in zip(asked, range(1000))]


def golden(folder: Path, count: int = 20) -> dict:
    """Logits after prompts, and the most probable continuations, each pass from the beginning."""
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    distance, told = distances(), []
    for i, (stack, _) in enumerate(problems()[:count]):
        asked, said = prompt(stack), []
        with torch.no_grad():
            while not said or (said[-1] != IDS["<|im_end|>"] and len(said) < 200):
                logits = model(input_ids=torch.tensor([asked + said]), use_cache=False).logits[0, -1]
                first = logits.tolist() if not said else first
                said.append(int(logits.argmax()))
        told.append({
            "id": f"pancakes-test-{i:04}", "input_ids": asked, "logits": first, "greedy_ids": said,
            "greedy_text": "".join(TOKENS[t] for t in said),
        })
    starts = sorted(s for s, flips in distance.items() if flips in FEWEST and not held_out(s))
    taught = [[s, "".join(TOKENS[t] for t in answer(way(s, distance)))] for s in random.Random(1).choices(starts, k=20)]
    note = "float32 torch, transformers, eager attention, full recompute; taught: texts of the training"
    return {"model": folder.name, "dtype": "float32", "note": note, "prompts": told, "taught": taught}


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    verb, *rest = sys.argv[1:]
    if verb == "train":
        write(train(int(rest[0])), Path(rest[1]))
    elif verb == "golden":
        Path(rest[1]).write_text(json.dumps(golden(Path(rest[0])), separators=(",", ":")) + "\n")
    elif verb == "problems":
        print("\n".join(f"{stack} {flips}" for stack, flips in problems()))
    else:
        sys.exit(__doc__)
