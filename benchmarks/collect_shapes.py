"""Write costlab/predict/calibration/shapes.json: the kernels that networks of torchvision, timm,
transformers, diffusers and of papers have for one image or sequence, with how often they have them.
`costlab calibrate` measures these shapes first.

    python benchmarks/collect_shapes.py

Needs the bench and diffusers extras, and takes some minutes. The networks of `held_out.py` are left
out. Run it again when a family of kernels is new, or has other fields.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from published import NETWORKS as PUBLISHED

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
import costlab  # noqa: E402 costlab need not be installed
from costlab.predict.calibration.shapes import FILE, of_traces  # noqa: E402
from costlab.predict.device_rows import fields_of, sizes_row  # noqa: E402
from costlab.predict.kernels import FAMILIES, Kernel  # noqa: E402
from costlab.trace import Trace  # noqa: E402

_OF_TORCHVISION = """
resnet50 resnet152 resnext101_32x8d wide_resnet101_2 densenet169 densenet201 mobilenet_v3_large
efficientnet_b1 efficientnet_b3 efficientnet_b5 efficientnet_v2_m regnet_x_400mf regnet_x_3_2gf
regnet_y_1_6gf regnet_y_8gf shufflenet_v2_x0_5 shufflenet_v2_x2_0 squeezenet1_1 mnasnet0_5
mnasnet1_3 convnext_small convnext_base vit_b_32 vit_l_16 swin_s swin_b swin_v2_t vgg13 vgg16_bn
vgg19 googlenet inception_v3
deeplabv3_resnet101 fcn_resnet101 lraspp_mobilenet_v3_large
r2plus1d_18 mc3_18 s3d mvit_v2_s swin3d_s
"""
_OF_TIMM = """
resnet50d resnet101d resnetv2_101 seresnext50_32x4d ecaresnet50d resnest50d res2net101_26w_4s
res2next50 dla60 dla102 hrnet_w18 hrnet_w32 ghostnet_130 tf_efficientnet_lite2
tf_efficientnet_b2 mobilenetv2_140 mobilenetv4_conv_medium fbnetv3_b spnasnet_100 repvgg_b0
rexnet_100 convnextv2_nano convnextv2_tiny vit_small_patch16_224 vit_base_patch32_224
deit3_small_patch16_224 mixer_b16_224 gmlp_s16_224 resmlp_12_224 levit_192 levit_256
poolformer_s24 edgenext_base nfnet_f0 dpn92 regnetz_b16 cspresnet50 cspdarknet53 xception41
inception_v4 inception_resnet_v2 mobilevit_s crossvit_small_240 pit_s_224 coat_lite_mini
xcit_tiny_12_p16_224 efficientformerv2_s1 fastvit_t8 tinynet_a mobileone_s1 lcnet_100
twins_svt_small beit_base_patch16_224 cait_xxs24_224 volo_d1_224 visformer_small
"""
_OF_TRANSFORMERS = """
BertConfig DistilBertConfig GPT2Config T5Config OPTConfig LlamaConfig Wav2Vec2Config WhisperConfig
EncodecConfig SegformerConfig DPTConfig VideoMAEConfig CLIPConfig
"""
_OF_DIFFUSERS = "UNet2DConditionModel AutoencoderKL"
NETWORKS = [
    f"{source}:{name}"
    for source, names in (
        ("torchvision", _OF_TORCHVISION),
        ("timm", _OF_TIMM),
        ("transformers", _OF_TRANSFORMERS),
        ("diffusers", _OF_DIFFUSERS),
    )
    for name in names.split()
]
_WIDTH = 100  # characters of a line


def traces() -> Iterator[Trace]:
    """All networks; a word on those that cannot be traced, which are left out."""
    for name in NETWORKS:
        try:
            yield costlab.trace(name)
        except (ValueError, costlab.TraceError) as e:
            print(f"{name} is left out: {e}", file=sys.stderr)
    for build in PUBLISHED:
        with torch.device("meta"):
            model, inputs = build()
        yield costlab.trace(model.eval(), inputs, device="meta")


def main() -> None:
    """Trace all networks and write the file: by family the names of its sizes, and rows of sizes
    with a count."""
    found = of_traces(traces())
    tables = ",\n".join(_table(family, found) for family in sorted(FAMILIES))
    FILE.write_text(f"{{\n{tables}\n}}\n")
    print(f"{FILE}: {len(found)} kernels of {len(NETWORKS) + len(PUBLISHED)} networks")


def _table(family: str, found: Counter[Kernel]) -> str:
    """The kernels of one family in order."""
    rows = sorted([*sizes_row(k), n] for k, n in found.items() if k.family == family)
    texts = (json.dumps(row, separators=(",", ":")) for row in rows)
    fields = json.dumps(fields_of(family), separators=(",", ":"))
    return f'"{family}":{{"fields":{fields},"rows":[\n{_lines(texts)}]}}'


def _lines(texts: Iterable[str]) -> str:
    """As many on a line as fit, so that a change of the file can be read."""
    lines = [""]
    for text in texts:
        if lines[-1] and len(lines[-1]) + len(text) >= _WIDTH:
            lines.append("")
        lines[-1] += f"{text},"
    return "\n".join(lines).rstrip(",")


if __name__ == "__main__":
    main()
