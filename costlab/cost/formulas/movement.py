"""What moves or makes data: views, copies, lookups, constants."""

from __future__ import annotations

from ...trace.record import Op, Trace
from ..registry import Work, aten, formula

_NAMES = aten(
    "view _unsafe_view reshape t transpose permute expand slice select unsqueeze squeeze cat "
    "stack split split_with_sizes unbind chunk unsafe_split unsafe_split_with_sizes "
    "unsafe_chunk clone contiguous copy copy_ _to_copy to fill fill_ zero_ zeros ones full "
    "empty zeros_like ones_like full_like empty_like new_zeros new_ones new_empty new_full "
    "arange linspace eye embedding index index_select gather scatter scatter_ index_put "
    "index_put_ flip roll repeat pixel_shuffle pixel_unshuffle constant_pad_nd reflection_pad2d "
    "reflection_pad1d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d "
    "max_unpool2d max_unpool3d fractional_max_pool2d fractional_max_pool3d im2col col2im "
    "upsample_nearest2d upsample_nearest1d upsample_nearest3d _upsample_nearest_exact2d "
    "as_strided diagonal unfold detach lift_fresh_copy scalar_tensor rand randn rand_like "
    "randn_like _local_scalar_dense channel_shuffle native_channel_shuffle empty_strided "
    "new_empty_strided is_same_size _assert_async masked_select nonzero _reshape_alias _conj "
    "alias squeeze_ unsqueeze_ t_ transpose_ as_strided_ random_ randint randperm movedim "
    "select_scatter slice_scatter _pack_padded_sequence bincount unique_dim repeat_interleave "
    "view_as_real view_as_complex tril_indices triu_indices index_copy index_copy_ index_fill "
    "index_fill_ set_ unique_dim_consecutive resize_ zero resize_as_ take rot90 diag_embed "
    "block_diag logspace randint_like empty_permuted nonzero_static lu_unpack _chunk_cat "
    "alias_copy as_strided_copy diagonal_copy expand_copy narrow_copy permute_copy "
    "split_with_sizes_copy squeeze_copy t_copy transpose_copy unbind_copy unfold_copy "
    "unsqueeze_copy view_copy diagonal_scatter as_strided_scatter _unsafe_masked_index "
    "_upsample_nearest_exact1d _upsample_nearest_exact3d to_mkldnn _to_sparse _to_dense "
    "_efficientzerotensor _has_same_storage_numel _new_zeros_with_same_feature_meta"
)


@formula("costlab.dropout", "costlab.write", *_NAMES)
def movement(trace: Trace, op: Op) -> Work:
    """No arithmetic; the cost is in the bytes."""
    return Work()


@formula("onnx.data_dependent")
def data_dependent(trace: Trace, op: Op) -> Work:
    """No arithmetic: it says what was counted where data decide, which a note reads. Raises
    ValueError where it does not."""
    kinds: dict[str, type[object]] = {name: type(value) for name, value in op.attrs.items()}
    if kinds != {"operator": str, "steps": int, "followed": bool}:
        raise ValueError("it does not say what was counted")
    return Work()
