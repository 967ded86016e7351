"""Dense against executed work: causal masks, sliding windows, mixtures of experts."""

import pytest
import torch
from torch import nn

import costlab
from costlab.cost import effort, partial_work

B, H, S, N, D = 2, 3, 16, 20, 8  # sequences, heads, queries, keys, dimensions of a head
HIDDEN = float("-inf")


class Attention(nn.Module):
    """Torch's own attention, with what a mask makes of the arguments."""

    def __init__(self, options):
        super().__init__()
        self.options = options

    def forward(self, q, k, v):
        return nn.functional.scaled_dot_product_attention(q, k, v, **self.options(q, k))


class Eager(nn.Module):
    """Attention written out, with a way to mask the scores."""

    def __init__(self, mask, dropout=0.0):
        super().__init__()
        self.mask, self.dropout = mask, nn.Dropout(dropout)

    def forward(self, q, k, v):
        scores = self.mask(q @ k.transpose(-1, -2) / D**0.5)
        return self.dropout(scores.softmax(-1)) @ v


def positions(scores):
    return torch.arange(scores.shape[-2])[:, None], torch.arange(scores.shape[-1])[None]


def window(width):
    """A query sees its own and the `width` - 1 keys before it."""

    def mask(scores):
        query, key = positions(scores)
        return scores.masked_fill(~((key <= query) & (key > query - width)), HIDDEN)

    return mask


def triangular(scores):
    ones = torch.ones(scores.shape[-2:], dtype=torch.bool)
    return torch.where(ones.tril(), scores, torch.finfo(scores.dtype).min)


def added(scores):
    return scores + torch.triu(torch.full(scores.shape[-2:], HIDDEN), diagonal=1)


def aligned_to_the_end(q, k):
    """The last query sees all keys: S queries after N - S cached keys."""
    ones = torch.ones(S, k.shape[2], dtype=torch.bool)
    return {"attn_mask": ones.tril(k.shape[2] - S)}


SQUARE, LONGER = (S, S), (S, N)
# model, (queries, keys) -> the scores that are left of queries x keys
CASES = {
    # 1 + 2 + ... + S
    "is_causal": (Attention(lambda q, k: {"is_causal": True}), SQUARE, S * (S + 1) // 2),
    # aligned to the first key, as torch does it: no query sees the last N - S keys
    "is_causal, more keys": (Attention(lambda q, k: {"is_causal": True}), LONGER, S * (S + 1) // 2),
    # query i of S sees N - S + i keys, i from 1
    "after a cache": (Attention(aligned_to_the_end), LONGER, S * (N - S) + S * (S + 1) // 2),
    "no mask": (Attention(lambda q, k: {}), SQUARE, S * S),
    "where": (Eager(triangular), SQUARE, S * (S + 1) // 2),
    "added": (Eager(added), SQUARE, S * (S + 1) // 2),
    # the first 4 queries see 1, 2, 3, 4 keys, the other S - 4 see 4
    "a window of 4": (Eager(window(4)), SQUARE, 10 + (S - 4) * 4),
    "a window of 1": (Eager(window(1), dropout=0.1), SQUARE, S),
    # hides nothing but what a causal mask does
    "a window of S": (Eager(window(S)), SQUARE, S * (S + 1) // 2),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_scores(name, device):
    """Each score takes D products with the key and D with the value."""
    model, (queries, keys), left = CASES[name]
    q, k = torch.zeros(B, H, queries, D), torch.zeros(B, H, keys, D)
    trace = costlab.trace(model.eval(), (q, k, k), device=device)
    found = effort(trace)
    assert found.dense == costlab.total(trace).macs == B * H * queries * keys * 2 * D
    assert found.executed == B * H * left * 2 * D


def test_a_mask_of_an_input_is_dense():
    """Padding is another for each batch: nothing is known of it."""

    class Padded(nn.Module):
        def forward(self, q, mask):
            return nn.functional.scaled_dot_product_attention(q, q, q, attn_mask=mask)

    q, mask = torch.zeros(B, H, S, D), torch.ones(S, S, dtype=torch.bool)
    trace = costlab.trace(Padded(), (q, mask), device="meta")
    assert partial_work(trace) == {}


E, K, T, WIDTH = 8, 2, 4, 16  # experts, of a token, tokens


def mixture(**options):
    """One layer; its experts are gated MLPs of 3 matrices of WIDTH x 2 WIDTH."""
    transformers = pytest.importorskip("transformers")
    config = transformers.MixtralConfig(
        vocab_size=32,
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        num_local_experts=E,
        num_experts_per_tok=K,
        **options,
    )
    model = transformers.MixtralForCausalLM(config).eval()
    return costlab.trace(model, (torch.zeros(1, T, dtype=torch.int64),), device="meta")


def test_experts():
    """T tokens by K experts ran; dense is T by E. A causal mask leaves T (T + 1) / 2 of T^2 scores,
    each of 2 WIDTH products in all heads together."""
    trace = mixture()
    expert = 3 * WIDTH * 2 * WIDTH
    scores = T * T * 2 * WIDTH
    ran = costlab.total(trace).macs
    assert effort(trace).dense == ran + T * (E - K) * expert
    assert effort(trace).executed == ran - scores + T * (T + 1) // 2 * 2 * WIDTH


def test_the_note_and_the_columns():
    """Row by row they add up to the totals; the note is there where the two differ."""
    trace = mixture()
    table = costlab.table(trace, columns=["dense-MACs", "executed-MACs"])
    found = effort(trace)
    assert sum(row.cells["dense MACs"] for row in table.rows) == found.dense
    assert sum(row.cells["executed MACs"] for row in table.rows) == found.executed
    assert table.totals["dense MACs"] == found.dense
    note = next(n for n in table.notes if n.startswith("dense "))
    # T (T + 1) / 2 of T^2 is 10 of 16
    assert "masks leave 62.5% of the attention scores; a token takes 2 of 8 experts" in note
    plain = costlab.table(costlab.trace(nn.Linear(2, 3), torch.zeros(1, 2)))
    assert not any(n.startswith("dense ") for n in plain.notes)
