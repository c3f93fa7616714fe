"""Runs the mixing core on cases of standard input, and prints what it makes of them, as JSON."""

import json
import sys
from collections import defaultdict

import torch

from moi_vllm.fields import recipe_of
from moi_vllm.mixing import mixed, sampled_from, weights

cases = json.load(sys.stdin)
batches = defaultdict(list)
for index, case in enumerate(cases):
    batches[len(case["logits"])].append(index)

answers = [None] * len(cases)
for size, places in batches.items():
    rows = [cases[place] for place in places]

    def column(name, dtype=torch.float32):
        return torch.tensor([row[name] for row in rows], dtype=dtype)

    logits = torch.tensor([[-torch.inf if l is None else l for l in row["logits"]] for row in rows])
    top_k = torch.tensor([row["top_k"] or size for row in rows])
    sampled = sampled_from(logits, column("temperature"), top_k, column("top_p"), column("min_p"))
    tokens = column("token", torch.long)
    made = mixed(logits, sampled, tokens, [recipe_of(row["fields"]) for row in rows])
    told = zip(
        places, weights(made, tokens).tolist(), made.entropy.tolist(), made.off_sample.tolist()
    )
    for place, *answer in told:
        answers[place] = dict(zip(("weights", "entropy", "mass"), answer))

json.dump([[a["weights"], a["entropy"], a["mass"]] for a in answers], sys.stdout)
