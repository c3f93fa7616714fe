"""Writes streams.json: residual streams of transformers for the models of architectures.json, and a real one.

    pip install torch==2.13.0 transformers==4.57.6 accelerate gguf && python streams.py DIR

DIR holds smollm2-135m-instruct.Q4_1.gguf (see scripts/real_model.sh), whose weights transformers dequantises.
The stream before the first layer is what the embedding gives (scaled, where the architecture scales it), that after
each layer what `hidden_states` tells of it; of the last one transformers tells the normed stream, so it is taken from
the layer itself. Stored are POSITIONS of each layer, of the real model the first NUMBERS of them. See README.md.
"""

import base64
import json
import os
import sys

import torch
import transformers
from architectures import CASES, HERE, case_of

POSITIONS, NUMBERS = [11, 39], 16


def streams_of(model, ids):
    """Streams [L + 1, positions, D]: what the first layer gets, and what each layer makes of it."""
    layers, found = model.model.layers, {}
    hooks = []
    for i, layer in enumerate(layers):
        if i == 0:
            hooks.append(layer.register_forward_pre_hook(lambda _, args: found.update({0: args[0]})))
        hooks.append(layer.register_forward_hook(
            lambda _, args, out, i=i: found.update({i + 1: out[0] if isinstance(out, tuple) else out})
        ))
    with torch.no_grad():
        if hasattr(model, "blocks"):  # its layers are run in parts
            model(input_ids=torch.tensor([ids]), use_cache=False)
            found = {0: model.model.embed_tokens(torch.tensor([ids]))} | {i + 1: l.stream for i, l in enumerate(layers)}
        else:
            told = model(input_ids=torch.tensor([ids]), use_cache=False, output_hidden_states=True).hidden_states
            assert len(told) == len(layers) + 1
            for i in range(len(layers)):
                assert torch.equal(told[i], found[i]), "hidden_states are what the layers make"
    for hook in hooks:
        hook.remove()
    return torch.stack([found[i][0] for i in range(len(layers) + 1)]).float()


def stored(streams, numbers=None):
    return base64.b64encode(streams[:, POSITIONS, :numbers].contiguous().numpy().astype("<f4").tobytes()).decode()


def main(folder):
    cases = {}
    for index, (name, _, _) in enumerate(CASES):
        model, _, _, _, ids = case_of(index)
        cases[name] = stored(streams_of(model, ids))
    torch.set_num_threads(2)
    real = transformers.AutoModelForCausalLM.from_pretrained(
        folder, gguf_file="smollm2-135m-instruct.Q4_1.gguf", dtype=torch.float32, attn_implementation="eager"
    ).eval()
    ids = [(37 * i + 11) % 40000 for i in range(max(POSITIONS) + 1)]
    streams = streams_of(real, ids)
    with open(os.path.join(HERE, "streams.json"), "w") as file:
        head = dict(
            versions=dict(transformers=transformers.__version__, torch=torch.__version__),
            positions=POSITIONS,
            numbers=NUMBERS,
            smollm2=dict(input_ids=ids, streams=stored(streams, NUMBERS)),
        )
        lines = ",\n".join(f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(own)}" for name, own in cases.items())
        file.write(f'{json.dumps(head)[:-1]}, "cases": {{\n{lines}\n}}}}\n')
    print(f"{len(cases)} cases; the real model's streams reach {streams.abs().max():.0f}")


main(sys.argv[1])
