"""The adapter to vLLM's V1 model runner, which CPU and GPU share.

After sampling, a row's mixture is embedded and kept in the **ledger** of its request, by the index of the
generated token. Before the model runs, the positions that are scheduled take their rows from there:
one in the usual step, a span where a preempted request is computed again. Rows that are the token alone are
not in the ledger, and not touched.

With tensor parallelism every rank samples the same tokens from the same logits, multiplies its shard of the
table, and the sums are reduced, so that every rank has the same rows.
"""

import functools
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from vllm.distributed import tensor_model_parallel_all_reduce
from vllm.model_executor.layers.vocab_parallel_embedding import (
    UnquantizedEmbeddingMethod,
    VocabParallelEmbedding,
)
from vllm.v1.worker.gpu_model_runner import GPUModelRunner

from . import phase
from .engine import RECIPE
from .mixing import GREEDY, Mixed, Recipe, embedded, mixed, onehot, truncated

Runner = GPUModelRunner


@dataclass
class Row:
    """A request that mixes."""

    recipe: Recipe
    thinking: phase.Thinking
    ledger: dict[int, Tensor] = field(default_factory=dict)  # rows [d] by index of the token
    count: int = 0  # tokens so far
    entropy: float = 0.0  # sums over them
    off_sample: float = 0.0


@dataclass(frozen=True)
class Table:
    """This rank's shard of the embedding table: the tokens from `first` on, times `factor`."""

    rows: Tensor
    first: int
    factor: float


def table_of(model: Any) -> Table:
    """The table of a model, whose embeddings must be its rows times a number."""
    found = [m for m in model.modules() if type(m) is VocabParallelEmbedding]
    fits = len(found) == 1 and isinstance(found[0].quant_method, UnquantizedEmbeddingMethod)
    if not fits:
        raise RuntimeError(
            "Cannot mix as the model must have one embedding table that is not quantised: current value "
            f"is {[type(m.quant_method).__name__ for m in found]}. Start vLLM without the plugin "
            "(VLLM_PLUGINS=)"
        )
    shard = found[0].shard_indices
    first, count = shard.org_vocab_start_index, shard.num_org_elements
    rows = found[0].weight[:count]
    ids = torch.arange(min(64, found[0].org_vocab_size), device=rows.device)
    some = torch.zeros(len(ids), found[0].org_vocab_size, device=rows.device)
    bare = tensor_model_parallel_all_reduce(embedded(onehot(ids, some), rows, first)).float()
    given = model.embed_input_ids(ids).float()
    factor = float((bare * given).sum() / (bare * bare).sum())
    error = float((given - factor * bare).abs().max() / given.abs().max())
    if not error < 0.01:
        raise RuntimeError(
            "Cannot mix as the model's embeddings must be rows of its table times a number: they are off "
            f"by {error:.3g} of the largest. Start vLLM without the plugin (VLLM_PLUGINS=)"
        )
    return Table(rows=rows, first=first, factor=1.0 if abs(factor - 1) < 1e-6 else factor)


def vectors(model: Any, table: Table, mixtures: Mixed, tokens: Tensor) -> Tensor:
    """Σ_i w_i · e_i `[n, d]`, as the model takes them."""
    alone = model.embed_input_ids(tokens)
    others = (
        tensor_model_parallel_all_reduce(embedded(mixtures.prior, table.rows, table.first)).float()
        * table.factor
    )
    made = mixtures.scale[:, None] * others + mixtures.own[:, None] * alone.float()
    return made.to(alone.dtype)


def _starting(init: Any) -> Any:
    """`__init__`: the model takes embeddings in place of token ids, as it does for prompts of embeddings."""

    @functools.wraps(init)
    def starting(self: Runner, *args: Any, **more: Any) -> None:
        init(self, *args, **more)
        self.enable_prompt_embeds = True

    return starting


def _opening(initialize: Any) -> Any:
    """`initialize_kv_cache`, when the model is there: its table must be one that can be mixed."""

    @functools.wraps(initialize)
    def opening(self: Runner, *args: Any, **more: Any) -> None:
        initialize(self, *args, **more)
        if not self.is_pooling_model and self.parallel_config.pipeline_parallel_size == 1:
            with torch.inference_mode():
                self.moi_table = table_of(self.model)

    return opening


def _rows(runner: Runner) -> dict[str, Row]:
    return runner.__dict__.setdefault("moi_rows", {})


def _row_of(runner: Runner, request_id: str) -> Row | None:
    """The row of a request; None where it does not mix."""
    known = _rows(runner).get(request_id)
    if known is not None:
        return known
    request = runner.requests[request_id]
    params = request.sampling_params
    recipe = ((params and params.extra_args) or {}).get(RECIPE)
    if recipe is None:
        return None
    thinking = phase.Thinking()
    if recipe["phase"] != "all":
        for token in request.prompt_token_ids:
            thinking = phase.after(thinking, token, recipe)
    return _rows(runner).setdefault(request_id, Row(recipe, thinking))


def _mixing(runner: Runner) -> dict[int, Row]:
    """Rows of the batch that get a token in this step, by their place."""
    discarded = runner.discard_request_mask.np
    found = {}
    for place, request_id in enumerate(runner.input_batch.req_ids):
        row = None if discarded[place] else _row_of(runner, request_id)
        if row is not None:
            found[place] = row
    return found


def _advanced(row: Row, token: int) -> bool:
    """Goes one token on; whether the method acts on it. A marker is fed alone."""
    acted = phase.acts(row.thinking, row.recipe)
    if row.recipe["phase"] != "all":
        row.thinking = phase.after(row.thinking, token, row.recipe)
    return acted and phase.acts(row.thinking, row.recipe)


def _note(runner: Runner, rows: list[Row], logits: Tensor, sampled: Tensor, tokens: Tensor) -> None:
    """Writes what rows feed back into their ledgers, and adds up what was mixed."""
    mixtures = mixed(logits, sampled, tokens, [row.recipe for row in rows])
    acts = [_advanced(row, token) for row, token in zip(rows, tokens.tolist())]
    masses, entropies = mixtures.off_sample.tolist(), mixtures.entropy.tolist()
    fed = [i for i, mass in enumerate(masses) if acts[i] and mass > 0]
    made = []
    if fed:
        places = torch.tensor(fed, device=tokens.device)
        some = Mixed(*(getattr(mixtures, name)[places] for name in Mixed.__dataclass_fields__))
        made = list(vectors(runner.model, runner.moi_table, some, tokens[places]).cpu())
    for i, vector in zip(fed, made):
        rows[i].ledger[rows[i].count] = vector.clone()
    for i, row in enumerate(rows):
        row.count += 1
        row.entropy += entropies[i]
        row.off_sample += masses[i] if acts[i] else 0.0


def _sampling(sample: Any) -> Any:
    """`_sample`: looks at what is sampled from, and at what is sampled."""

    @functools.wraps(sample)
    def sampling(self: Runner, logits: Tensor, spec_decode_metadata: Any):
        rows = _mixing(self)
        self.moi_noted = rows
        if not rows:
            return sample(self, logits, spec_decode_metadata)
        places = torch.tensor(list(rows), device=logits.device)
        raw = logits[places].float()  # a copy: what follows changes logits in place
        seen = []

        def look(_module: Any, args: Any, _kwargs: Any) -> None:
            heated, _generators, top_k, top_p = args
            own = [None if one is None else one[places] for one in (heated, top_k, top_p)]
            seen.append(truncated(*own).softmax(-1))

        watch = self.sampler.topk_topp_sampler.register_forward_pre_hook(look, with_kwargs=True)
        try:
            output = sample(self, logits, spec_decode_metadata)
        finally:
            watch.remove()
        tokens = output.sampled_token_ids[places, 0].long()
        sampled = onehot(tokens, raw)
        if seen:
            greedy = self.input_batch.sampling_metadata.temperature[places] < GREEDY
            sampled = torch.where(greedy[:, None], sampled, seen[0])
        _note(self, list(rows.values()), raw, sampled, tokens)
        return output

    return sampling


def _preprocessing(preprocess: Any) -> Any:
    """`_preprocess`: scheduled positions of generated tokens take their rows from the ledger."""

    @functools.wraps(preprocess)
    def preprocessing(self: Runner, scheduler_output: Any, *args: Any, **more: Any):
        made = preprocess(self, scheduler_output, *args, **more)
        batch, places, rows = self.input_batch, [], []
        for index, request_id in enumerate(batch.req_ids):
            row = _rows(self).get(request_id)
            if row is None:
                continue
            begin = int(self.query_start_loc.np[index])
            first = int(batch.num_computed_tokens_cpu[index] - batch.num_prompt_tokens[index])
            count = scheduler_output.num_scheduled_tokens[request_id]
            for token in range(max(first, 0), first + count):
                if token in row.ledger:
                    places.append(begin + token - first)
                    rows.append(row.ledger[token])
        if rows:
            embeds = made[1]
            embeds[torch.tensor(places, device=embeds.device)] = torch.stack(rows).to(embeds.device)
        return made

    return preprocessing


def _answering(sample_tokens: Any) -> Any:
    """`sample_tokens`: the sums of this step's rows go along with its tokens."""

    @functools.wraps(sample_tokens)
    def answering(self: Runner, *args: Any, **more: Any):
        self.moi_noted = {}
        request_ids = list(self.input_batch.req_ids)
        output = sample_tokens(self, *args, **more)
        if self.moi_noted:
            noted = {request_ids[place]: row for place, row in self.moi_noted.items()}
            sums = {k: [row.count, row.entropy, row.off_sample] for k, row in noted.items()}
            setattr(output, RECIPE, sums)
        return output

    return answering


def _forgetting(removed: Any) -> Any:
    """`_on_request_state_removed`: a finished request's ledger is freed."""

    @functools.wraps(removed)
    def forgetting(self: Runner, request_id: str, *args: Any):
        _rows(self).pop(request_id, None)
        return removed(self, request_id, *args)

    return forgetting


def install() -> None:
    """Takes part in the runner, once a process."""
    if hasattr(Runner._sample, "__wrapped__"):
        return
    Runner.__init__ = _starting(Runner.__init__)
    Runner.initialize_kv_cache = _opening(Runner.initialize_kv_cache)
    Runner._sample = _sampling(Runner._sample)
    Runner._preprocess = _preprocessing(Runner._preprocess)
    Runner.sample_tokens = _answering(Runner.sample_tokens)
    Runner._on_request_state_removed = _forgetting(Runner._on_request_state_removed)
