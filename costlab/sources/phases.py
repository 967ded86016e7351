"""Causal language models in use: reading the prompt, and one decoding step with a KV cache."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..trace.facts import UseFacts
from ..cost import byte_size, counted, scaled
from ._model import Loaded, SourceError

if TYPE_CHECKING:
    from torch import Tensor, nn

PHASES = ("prefill", "decode")


@dataclass(frozen=True)
class Use:
    """How a language model is used: `phase` is "prefill", which reads `context` tokens a sequence,
    or "decode", which makes one token a sequence after `context` cached ones; `batch` sequences."""

    phase: str
    context: int = 4096
    batch: int = 1


@dataclass(frozen=True)
class ParamCount:
    """Params of a model: all, and those that one token uses (fewer in a mixture of experts)."""

    total: int
    active: int


def in_phase(loaded: Loaded, use: Use) -> Loaded:
    """The model with the inputs of a phase; its notes state the cache and the active params, and
    `use` has them as numbers.

    Raises SourceError for a model that is not a causal language model of transformers, for one
    that cannot run in this phase, and for sizes below 1."""
    model, spec = loaded.model, loaded.provenance["spec"]
    _validate(use)
    if not _is_causal(model):
        raise SourceError(
            f"{spec} ({type(model).__name__}) is not a causal language model, such as "
            "transformers:LlamaConfig, and takes no --phase, --context or --batch; its inputs, "
            "with their batch, are given with --input"
        )
    device = loaded.provenance["device"]
    prefilled = _prefilled(model, use, device)
    params, size = param_count(model), cache_bytes(prefilled)
    cache = _new_cache(model) if use.phase == "prefill" else prefilled
    kwargs = {
        "input_ids": _tokens(use.batch, use.context if use.phase == "prefill" else 1, device),
        cache_argument(model): cache,
        "use_cache": True,
    }
    facts: UseFacts = {
        "phase": use.phase,
        "context": use.context,
        "batch": use.batch,
        "cache_bytes": size,
        "params": params.total,
        "active_params": params.active,
    }

    def rebuild(device: str) -> Loaded:
        return in_phase(loaded.on(device), use)

    return replace(
        loaded,
        inputs=(),
        kwargs=kwargs,
        notes=(*_notes(use, size, params), *_positions_note(use, model), *loaded.notes),
        use=facts,
        guessed=False,
        rebuild=rebuild,
    )


def _validate(use: Use) -> None:
    if use.phase not in PHASES:
        raise SourceError(f"phase is {use.phase!r}; choose prefill or decode")
    if use.context < 1:
        raise SourceError(f"context is {use.context}; give the tokens of a sequence, 1 or more")
    if use.batch < 1:
        raise SourceError(f"batch is {use.batch}; give the number of sequences, 1 or more")


def cache_bytes(cache: Any) -> int:
    """Bytes of the tensors that a cache of transformers keeps from one step to the next."""
    import torch

    layers: list[object] = list(cache.layers)
    tensors = (
        value
        for layer in layers
        for value in vars(layer).values()
        if isinstance(value, torch.Tensor) and value.dim() > 1
    )
    return sum(t.numel() * t.element_size() for t in tensors)


def param_count(model: nn.Module) -> ParamCount:
    """All params, and the active ones: of each stack of E experts k / E, with k the experts that
    the configuration routes a token to (Shazeer et al. 2017, eq. 1)."""
    total = sum(p.numel() for p in model.parameters())
    chosen = getattr(_text_config(model), "num_experts_per_tok", None)
    idle = 0
    for module in model.modules():
        experts = getattr(module, "num_experts", None)
        own = list(module.parameters(recurse=False))
        stacked = [p for p in own if p.dim() == 3 and p.shape[0] == experts]
        if chosen and experts:
            idle += sum(p.numel() // experts * (experts - chosen) for p in stacked)
    return ParamCount(total, total - idle)


def cache_argument(model: nn.Module) -> str:
    """The name of the argument that takes the cache: `cache` since transformers 5.24."""
    accepted = inspect.signature(model.forward).parameters
    return "cache" if "cache" in accepted else "past_key_values"


def _is_causal(model: nn.Module) -> bool:
    config = getattr(model, "config", None)
    named = "CausalLM" in type(model).__name__ or "LMHead" in type(model).__name__
    return config is not None and named and not getattr(config, "is_encoder_decoder", False)


def _text_config(model: nn.Module) -> Any:
    config = getattr(model, "config", None)
    return getattr(config, "text_config", config)


def _new_cache(model: nn.Module) -> Any:
    from transformers import DynamicCache

    return DynamicCache(config=_text_config(model))


def _tokens(batch: int, length: int, device: str):
    import torch

    return torch.zeros(
        (batch, length), dtype=torch.int64, device="cpu" if device == "cpu" else "meta"
    )


def _prefilled(model: nn.Module, use: Use, device: str) -> Any:
    """The cache after the context, filled by the model itself, without values on `meta`."""
    from torch import nn

    from ..trace import TraceError, trace

    filled: list[Any] = []

    class Prefill(nn.Module):
        """Reads the context into a new cache."""

        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids: Tensor) -> Tensor:
            cache = _new_cache(model)
            self.model(input_ids=ids, use_cache=True, **{cache_argument(model): cache})
            filled.append(cache)
            return ids

    try:
        trace(Prefill(), _tokens(use.batch, use.context, device), device=device)
    except TraceError as e:
        raise SourceError(f"{type(model).__name__} does not run with a KV cache: {e}") from None
    return filled[0]


def _notes(use: Use, size: int, params: ParamCount) -> tuple[str, ...]:
    tokens, cache = counted(use.context, "token"), _size(size)
    if use.phase == "prefill":
        what = (
            f"prefill: {counted(use.batch, 'sequence')} of {tokens}; afterwards the KV cache takes"
        )
    elif use.batch == 1:
        what = f"decode: one token of a sequence with {tokens} cached; the KV cache takes"
    else:
        what = (
            f"decode: one token for each of {use.batch:,} sequences with {tokens} cached; the KV "
            "cache takes"
        )
    notes = (f"{what} {cache}",)
    if params.active < params.total:
        notes += (
            f"mixture of experts: {scaled(params.active)} of {scaled(params.total)} params are "
            f"active for a token ({params.active:,} of {params.total:,}); MACs do not depend on "
            "how tokens are routed; bytes read include all experts",
        )
    return notes


def _positions_note(use: Use, model: nn.Module) -> tuple[str, ...]:
    """Of a context that the model was not made for, which has the same cost."""
    most = getattr(_text_config(model), "max_position_embeddings", None)
    if not isinstance(most, int) or use.context <= most:
        return ()
    return (
        f"the configuration is for at most {counted(most, 'token')} (max_position_embeddings), "
        f"fewer than the context of {use.context:,}",
    )


def _size(size: int) -> str:
    return f"{byte_size(size)} ({size:,} bytes)" if size >= 1000 else f"{size} bytes"
