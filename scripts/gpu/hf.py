"""The loop that is compared with: MoI on Hugging Face transformers as one would write it by hand.

`python3 hf.py REQUEST` with JSON { model, shape, until, quick, device }: random weights of the shape in
fp16 (fp32 on a CPU), sdpa, a growing KV cache, a mixture of embeddings as `inputs_embeds` at every step.
Prints what it finds as lines of JSON behind "> ", as found.ts has them.
"""

import json
import math
import statistics
import sys
import time

ROUNDS = 3
PLACES = [(1, 256), (32, 256), (1, 2048), (8, 256), (32, 2048), (8, 2048)]
METHODS = [("standard", 64), ("moi", 64), ("moi", 0)]


def tell(**found):
    print("> " + json.dumps(found), flush=True)


def mixing(torch, table, logits, beta, candidates, method):
    """The next input of every row [B, 1, D]: the drawn token's embedding, or the mixture with p."""
    if candidates > 0:
        top = torch.topk(logits, candidates)
        logits, ids = top.values, top.indices
    p = torch.softmax(logits, -1)
    place = torch.multinomial(p, 1)
    token = place if candidates == 0 else ids.gather(1, place)
    if method == "standard":
        return token, table[token]
    log = torch.where(p > 0, torch.log(p), torch.zeros_like(p))
    H = -(p * log).sum(-1, keepdim=True) / math.log(table.shape[0])
    w = p * (H / (beta + 1))
    w.scatter_add_(1, place, (beta + 1 - H) / (beta + 1))
    w = w.to(table.dtype)
    mixed = w @ table if candidates == 0 else torch.bmm(w.unsqueeze(1), table[ids]).squeeze(1)
    return token, mixed.unsqueeze(1)


def decode(torch, model, batch, context, plan):
    """Milliseconds of each step; the methods of the plan take turns in one batch."""
    table = model.get_input_embeddings().weight
    device, vocabulary = table.device, table.shape[0]
    prompt = torch.randint(8, vocabulary, (1, context), device=device)
    out = model(prompt.expand(batch, -1), use_cache=True, logits_to_keep=1)
    cache, logits, times = out.past_key_values, out.logits[:, -1].float(), []
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    for method, candidates in plan:
        begin = time.perf_counter()
        token, embeds = mixing(torch, table, logits, 1.0, candidates, method)
        token.tolist()  # a loop looks for the end of each text
        out = model(inputs_embeds=embeds, past_key_values=cache, use_cache=True, logits_to_keep=1)
        logits = out.logits[:, -1].float()
        wait()
        times.append((time.perf_counter() - begin) * 1e3)
    return times


def turns(steps):
    """Rounds of so many steps of every method; the first round warms up."""
    rounds = [METHODS if r % 2 == 0 else METHODS[::-1] for r in range(ROUNDS + 1)]
    return [(r, one) for r, methods in enumerate(rounds) for one in methods for _ in range(steps)]


def measure(torch, model, where, batch, context, quick):
    steps = 3 if quick else 9
    plan = turns(steps)
    times = decode(torch, model, batch, context, [one for _, one in plan])
    for one in METHODS:
        own = [
            ms for t, (ms, (r, other)) in enumerate(zip(times, plan))
            if other == one and r > 0 and t % steps > 0
        ]
        low, median, high = statistics.quantiles(own, n=4, method="inclusive")
        tell(kind="figure", what="step", unit="ms", **where, batch=batch, context=context,
             method=one[0], candidates=one[1], median=median, low=low, high=high)


def main():
    request = json.loads(sys.argv[1])
    name, quick, until = request["model"], request["quick"], request["until"] / 1e3
    where = {"device": "torch", "model": name, "dtype": "fp16"}
    try:
        import torch
        import transformers
    except ImportError as error:
        tell(kind="left out", what="the loop in transformers", why=str(error), device="torch")
        return
    on = request.get("device") or ("cuda" if torch.cuda.is_available() else "cpu")
    if on == "cpu" and not quick:
        why = "torch has no GPU here"
        tell(kind="left out", what="the loop in transformers", why=why, device="torch")
        return
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "on": on}
    tell(kind="fact", what="versions of the compared loop", value=versions)
    where["dtype"] = "fp16" if on == "cuda" else "fp32"
    torch.set_grad_enabled(False)
    shape = {key: value for key, value in request["shape"].items() if key != "model_type"}
    config = transformers.Qwen3Config(**shape, attn_implementation="sdpa")
    begin = time.perf_counter()
    torch.set_default_dtype(torch.float16 if on == "cuda" else torch.float32)
    with torch.device(on):
        model = transformers.AutoModelForCausalLM.from_config(config).eval()
    torch.set_default_dtype(torch.float32)
    seconds = time.perf_counter() - begin
    tell(kind="figure", what="load", unit="s", **where, median=seconds, low=seconds, high=seconds)
    for batch, context in [(1, 16), (4, 16)] if quick else PLACES:
        if time.time() > until:
            why = "no time was left"
        else:
            try:
                measure(torch, model, where, batch, context, quick)
                continue
            except Exception as error:  # out of memory, say
                why = str(error)
        tell(kind="left out", what="steps", why=why, **where, batch=batch, context=context)


if __name__ == "__main__":
    main()
