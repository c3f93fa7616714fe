"""What is fed back in place of a token: mixtures of token embeddings, in plain torch.

    logits ──temperature, min-p, top-k, top-p──▶ p, y ──recipe──▶ w ──table──▶ h = Σ_i w_i · e_i

Every mixture here is w = scale · p + own · onehot(y), for all rows of a batch at once:

    moi            scale = H / (β + 1), own = (β + 1 − H) / (β + 1), H = −Σ p ln p / ln N
    directMixture  scale = 1, own = 0
    linearMixture  scale = λ, own = 1 − λ
    standard       scale = 0, own = 1

Source of moi: Zhuang et al., "Mixture of Inputs" (arXiv 2505.14827), Eq. 5, and the released code
mixinputs 0.1.1, which departs from it; `lib/decode/methods/moi.ts` says how, and is what this file is
compared with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Recipe = dict[str, Any]
"""How a row is mixed, as `fields.recipe_of` makes it: `method` and its knobs, all filled in."""

GREEDY = 1e-5
"""Temperatures below this take the most probable token, as in vLLM."""


@dataclass(frozen=True)
class Mixed:
    """Mixtures of n rows over V tokens: `scale · prior + own · onehot(token)`."""

    prior: Tensor  # [n, V], sums to 1
    scale: Tensor  # [n]
    own: Tensor  # [n]
    entropy: Tensor  # [n] of the distribution sampled from, divided by ln V
    off_sample: Tensor  # [n] weight on other tokens than the sampled one


def truncated(logits: Tensor, top_k: Tensor | None, top_p: Tensor | None) -> Tensor:
    """Logits `[n, V]` with −∞ for what top-k, then top-p of what is left, cut off.

    `top_k` from V on and `top_p` 1 keep all. As in vLLM, tokens that equal the last one of top-k stay.
    """
    size = logits.shape[-1]
    if top_k is not None and bool((top_k < size).any()):
        places = top_k.long().clamp(1, size)
        most = int(places[places < size].max())
        least = logits.topk(most, dim=-1).values.gather(1, (places.clamp(max=most) - 1)[:, None])
        logits = logits.masked_fill((logits < least) & (places < size)[:, None], float("-inf"))
    if top_p is not None and bool((top_p < 1).any()):
        ascending, order = logits.sort(dim=-1)
        below = ascending.softmax(-1).cumsum(-1) <= 1 - top_p[:, None]
        below[:, -1] = False
        below &= (top_p < 1)[:, None]
        logits = logits.masked_fill(
            torch.zeros_like(below).scatter_(1, order, below), float("-inf")
        )
    return logits


def sampled_from(
    logits: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor, min_p: Tensor
) -> Tensor:
    """The distribution `[n, V]` that vLLM samples from: temperature, min-p, top-k, top-p, in this order.

    At temperature 0 it is all on the most probable token. `min_p` 0, `top_k` V and `top_p` 1 cut nothing.
    """
    greedy = temperature < GREEDY
    heated = logits.float() / torch.where(greedy, 1.0, temperature)[:, None]
    p = heated.softmax(-1)
    unlikely = p < min_p[:, None] * p.amax(-1, keepdim=True)
    p = truncated(heated.masked_fill(unlikely, float("-inf")), top_k, top_p).softmax(-1)
    return torch.where(greedy[:, None], onehot(logits.argmax(-1), p), p)


def onehot(tokens: Tensor, like: Tensor) -> Tensor:
    """All weight on one token a row, in the shape of another tensor `[n, V]`."""
    return torch.zeros_like(like).scatter_(1, tokens[:, None], 1.0)


def entropy_of(p: Tensor) -> Tensor:
    """Entropy in nats of distributions `[n, V]`."""
    return torch.special.entr(p).sum(-1).clamp(min=0)


def most_probable(p: Tensor, k: Tensor) -> Tensor:
    """The k most probable tokens of each row, renormalised; k 0 keeps all, the lower id is first among equals."""
    size = p.shape[-1]
    cuts = (k > 0) & (k < size)
    if not bool(cuts.any()):
        return p
    places = torch.where(cuts, k, 1)
    least = p.topk(int(places.max()), dim=-1).values.gather(1, (places - 1)[:, None])
    above, equal = p > least, p == least
    left = places[:, None] - above.sum(-1, keepdim=True)
    kept = above | (equal & (equal.cumsum(-1) <= left))
    cut = torch.where(kept, p, 0.0)
    return torch.where(cuts[:, None], cut / cut.sum(-1, keepdim=True), p)


def mixed(logits: Tensor, sampled: Tensor, tokens: Tensor, recipes: Sequence[Recipe]) -> Mixed:
    """The mixtures of n rows.

    `logits` are the model's own `[n, V]`, `sampled` the distribution that was sampled from `[n, V]`,
    `tokens` what was sampled `[n]`, `recipes` one a row.
    """
    size, device = sampled.shape[-1], sampled.device

    def column(name: str, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.tensor([recipe[name] for recipe in recipes], dtype=dtype, device=device)

    def rows(name: str, value: str) -> Tensor:
        return torch.tensor([recipe[name] == value for recipe in recipes], device=device)

    top_k, beta, weight = column("top_k", torch.long), column("beta"), column("weight")
    prior = sampled
    if any(recipe["prior"] == "model" for recipe in recipes):
        prior = torch.where(rows("prior", "model")[:, None], logits.float().softmax(-1), prior)
    prior = most_probable(prior, top_k)
    drawn = prior.gather(1, tokens[:, None])[:, 0]

    # H is divided by ln N: of the vocabulary, or of what can be mixed
    whole = rows("normalizer", "vocabulary") | (top_k > size)
    support = torch.where(top_k > 0, top_k, (prior > 0).sum(-1))
    count = torch.where(whole, size, support)
    certain = (entropy_of(prior) / count.clamp(min=2).log()).clamp(max=1)
    certain = torch.where(count > 1, certain, 0.0)

    moi, direct = rows("method", "moi"), rows("method", "directMixture")
    linear = rows("method", "linearMixture")
    scale = torch.where(moi, certain / (beta + 1), torch.where(linear, weight, direct.float()))
    # where y is outside of the support, the released code drops β of its weight
    shrunk = moi & column("shrink", torch.bool) & (drawn == 0) & ~beta.isinf()
    own = torch.where(shrunk, 1 - certain, 1 - scale)
    return Mixed(
        prior=prior,
        scale=scale,
        own=own,
        entropy=entropy_of(sampled) / torch.tensor(float(max(size, 2))).log().to(device),
        off_sample=scale * (1 - drawn).clamp(min=0),
    )


def weights(mixtures: Mixed, tokens: Tensor) -> Tensor:
    """Weights of all tokens `[n, V]`."""
    return mixtures.scale[:, None] * mixtures.prior + mixtures.own[:, None] * onehot(
        tokens, mixtures.prior
    )


def embedded(p: Tensor, table: Tensor, first: int = 0) -> Tensor:
    """Σ_i p_i · e_i `[n, d]` over a table's rows, which are those of the tokens from `first` on.

    Weights are rounded to the table's number format; sums are what the device's matrix product makes of it.
    """
    return p[:, first : first + table.shape[0]].to(table.dtype) @ table
