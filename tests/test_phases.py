"""Prefill and decoding of language models against closed forms."""

import json

import pytest
from selection import slow_but

import costlab
from costlab.analysis.phases import phases
from costlab.cli import main
from costlab.sources.phases import Use, cache_argument, cache_bytes, in_phase, param_count

pytest.importorskip("transformers")
WIDTH, HEADS, LAYERS, MLP, VOCAB = 32, 4, 2, 64, 100
SHARED = {
    "vocab_size": VOCAB,
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": MLP,
}
MODELS = {
    "Llama": {"num_key_value_heads": 2},
    "Mistral": {"num_key_value_heads": 2, "sliding_window": 8},
    "Mixtral": {"num_key_value_heads": 2, "num_local_experts": 8, "num_experts_per_tok": 2},
    "DeepseekV3": {
        "num_key_value_heads": 4,
        "q_lora_rank": 12,
        "kv_lora_rank": 8,
        "qk_nope_head_dim": 6,
        "qk_rope_head_dim": 4,
        "v_head_dim": 8,
        "first_k_dense_replace": 2,
    },
}
CONTEXT, BATCH = 16, 3


def token(model):
    """MACs of the products with weights for one token of a layer.

    Grouped queries: q and o are width x width, k and v width x (2 heads of 8). MLP with a gate:
    3 width x mlp; Mixtral: twice that, and width x 8 for the router. DeepSeek: q through a rank of
    12 to 4 heads of 6 + 4; the latent of 8 with the rotary key of 4; o from 4 heads of 8."""
    if model == "DeepseekV3":
        q = WIDTH * 12 + 12 * HEADS * (6 + 4)
        return q + WIDTH * (8 + 4) + HEADS * 8 * WIDTH + 3 * WIDTH * MLP
    attention = 2 * WIDTH * WIDTH + 2 * WIDTH * 2 * 8
    experts = 2 * 3 * WIDTH * MLP + WIDTH * 8
    return attention + (experts if model == "Mixtral" else 3 * WIDTH * MLP)


def attended(model, queries, keys):
    """MACs of a layer's attention: queries x keys x heads x (size of k + size of v); DeepSeek first
    expands the latent (8) of every key to 4 heads of 6 + 8."""
    if model == "DeepseekV3":
        return queries * keys * HEADS * (10 + 8) + keys * 8 * HEADS * (6 + 8)
    return queries * keys * HEADS * (8 + 8)


def macs(model, phase):
    """Of all layers and the head, width x vocabulary for each token.

    Prefill multiplies context x context scores, masked ones too, as scaled_dot_product_attention
    with a mask is counted. Decoding has the context's keys and its own, at most the window of 8."""
    queries = CONTEXT if phase == "prefill" else 1
    keys = CONTEXT if phase == "prefill" else CONTEXT + 1
    if phase == "decode" and model == "Mistral":
        keys = 8
    layer = queries * token(model) + attended(model, queries, keys)
    return BATCH * (LAYERS * layer + queries * WIDTH * VOCAB)


def cached(model):
    """Bytes of float32: k and v of 2 heads of 8 a token; of the window of 8 the last 7 are kept;
    DeepSeek keeps the latent of 8 and the rotary key of 4."""
    values = 8 + 4 if model == "DeepseekV3" else 2 * 2 * 8
    tokens = 7 if model == "Mistral" else CONTEXT
    return 4 * BATCH * LAYERS * tokens * values


def loaded(model, phase):
    found = costlab.load(f"transformers:{model}Config", arguments={**SHARED, **MODELS[model]})
    return in_phase(found, Use(phase, CONTEXT, BATCH))


@pytest.mark.parametrize("phase", ["prefill", "decode"])
@pytest.mark.parametrize("model", slow_but(("Llama", "DeepseekV3"), MODELS))
def test_macs_and_cache_are_the_closed_forms(model, phase):
    found = loaded(model, phase)
    trace = costlab.trace(found.model, found.inputs, found.kwargs, device="meta")
    assert costlab.total(trace).macs == macs(model, phase)
    assert f" ({cached(model):,} bytes)" in found.notes[0]
    if phase == "decode":
        assert cache_bytes(found.kwargs[cache_argument(found.model)]) == cached(model)


def test_active_params_of_a_mixture():
    """Of 8 experts of 3 width x mlp weights a layer 2 are used: 6 are not."""
    found = param_count(loaded("Mixtral", "decode").model)
    assert found.total - found.active == LAYERS * 6 * 3 * WIDTH * MLP
    dense = param_count(loaded("Llama", "decode").model)
    assert dense.total == dense.active


@pytest.mark.parametrize(
    "argv, line",
    [
        ("resnet18 --phase decode", "not a causal language model"),
        ("transformers:BertConfig --phase decode", "not a causal language model"),
        ("resnet18 --context 8", "not a causal language model"),
        ("transformers:LlamaConfig --phase both --sort macs", "apply to the table of one phase"),
        ("transformers:LlamaConfig --phase decode --input 1x8:int64", "leave out --input"),
        (
            "transformers:LlamaConfig --phase decode --batch 0",
            "batch is 0; give the number of sequences, 1 or more",
        ),
        (
            "transformers:LlamaConfig --context -3",
            "context is -3; give the tokens of a sequence, 1 or more",
        ),
    ],
)
def test_what_has_no_phase_is_one_line(argv, line, capsys):
    small = [w for k, v in SHARED.items() for w in ("--arg", f"{k}={v}")]
    assert main(["table", *argv.split(), *(small if "transformers" in argv else [])]) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1


def test_the_command_line_states_the_cache(tmp_path):
    out = tmp_path / "t.txt"
    small = [w for k, v in SHARED.items() for w in ("--arg", f"{k}={v}")]
    phase = ["--phase", "decode", "--context", "16", "--batch", "3"]
    assert main(["table", "transformers:LlamaConfig", *small, *phase, "-o", str(out)]) == 0
    assert (
        "decode: one token for each of 3 sequences with 16 tokens cached; the KV cache takes "
        "24.6 KB (24,576 bytes)"
    ) in " ".join(out.read_text().split())


def active(model):
    """Of 8 experts of 3 width x mlp weights a layer, 6 are idle for a token."""
    idle = LAYERS * 6 * 3 * WIDTH * MLP if model == "Mixtral" else 0
    found = costlab.load(f"transformers:{model}Config", arguments={**SHARED, **MODELS[model]})
    total = sum(p.numel() for p in found.model.parameters())
    return total, total - idle


@pytest.mark.parametrize("model", slow_but(("Llama", "Mixtral"), MODELS))
def test_both_phases_side_by_side(model):
    found = costlab.phases(
        f"transformers:{model}Config",
        context=CONTEXT,
        batch=BATCH,
        arguments={**SHARED, **MODELS[model]},
    )
    assert (found.prefill.macs, found.decode.macs) == (
        macs(model, "prefill"),
        macs(model, "decode"),
    )
    assert (found.prefill.tokens, found.decode.tokens) == (BATCH * CONTEXT, BATCH)
    assert found.cache_bytes == cached(model)
    assert (found.params, found.active_params) == active(model)
    weights = 4 * (found.params - VOCAB * WIDTH)  # of the embedding only a row a token is read
    assert found.decode.read > weights + cached(model)
    assert found.decode.intensity < found.prefill.intensity
    one = loaded(model, "decode")
    total = costlab.total(costlab.trace(one.model, one.inputs, one.kwargs, device="meta"))
    assert (found.decode.read, found.decode.written) == (total.read, total.written)


@pytest.mark.parametrize("words", ["--phase both --context 16 --batch 3", "--context 16 --batch 3"])
def test_the_command_line_puts_both_phases_side_by_side(words, tmp_path):
    out = tmp_path / "t.json"
    small = [w for k, v in SHARED.items() for w in ("--arg", f"{k}={v}")]
    assert main(["table", "transformers:LlamaConfig", *small, *words.split(), "-o", str(out)]) == 0
    found = json.loads(out.read_text())
    assert [row["phase"] for row in found["rows"]] == ["prefill", "decode"]
    # 4 bytes x 3 sequences x 2 layers x 16 tokens x keys and values of 4 heads of 8
    assert found["cache_bytes"] == 4 * 3 * 2 * 16 * 2 * 4 * 8
    assert "KV cache takes 24.6 KB (24,576 bytes)" in " ".join(found["notes"])


def test_phases_of_two_uses_are_refused():
    one = costlab.load("transformers:LlamaConfig", arguments=SHARED)
    traces = [
        costlab.trace(m, device="meta")
        for m in (in_phase(one, Use("prefill", 4)), in_phase(one, Use("decode", 5)))
    ]
    with pytest.raises(ValueError, match="of one model with the same context and batch"):
        phases(*traces)


@pytest.mark.parametrize("argv", ["memory", "compare transformers:LlamaConfig"])
def test_both_phases_belong_to_the_table(argv, capsys):
    assert main([*argv.split(), "transformers:LlamaConfig", "--phase", "both"]) == 2
    assert "--phase both is a summary that costlab table prints" in capsys.readouterr().err


def said(model, use, **arguments):
    found = costlab.load(
        f"transformers:{model}Config", arguments={**SHARED, **MODELS[model], **arguments}
    )
    return in_phase(found, use).notes


# 2 layers x keys and values of 2 heads of 8 in float32 for each token
SAID = [
    (
        Use("prefill", 16, 1),
        "prefill: 1 sequence of 16 tokens; afterwards the KV cache takes 4.1 KB (4,096 bytes)",
    ),
    (
        Use("prefill", 1, 2),
        "prefill: 2 sequences of 1 token; afterwards the KV cache takes 512 bytes",
    ),
    (
        Use("decode", 16, 1),
        "decode: one token of a sequence with 16 tokens cached; the KV cache takes 4.1 KB (4,096 "
        "bytes)",
    ),
]


@pytest.mark.parametrize("use, note", SAID)
def test_a_phase_is_said_in_words(use, note):
    assert said("Llama", use)[0] == note


def test_active_params_are_said():
    """Of 8 experts of 3 width x mlp weights in each of 2 layers 2 are active."""
    total, some = active("Mixtral")
    (note,) = (n for n in said("Mixtral", Use("decode", 4)) if n.startswith("mixture"))
    assert f"params are active for a token ({some:,} of {total:,})" in note


def test_a_context_beyond_the_configuration_is_said():
    note = (
        "the configuration is for at most 8 tokens (max_position_embeddings), fewer than the "
        "context of 9"
    )
    assert note in said("Llama", Use("decode", 9), max_position_embeddings=8)
    assert note not in said("Llama", Use("decode", 8), max_position_embeddings=8)
