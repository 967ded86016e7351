"""Write costlab/predict/calibration/shapes.json: the kernels that networks of torchvision and timm
have for one image, with how often they have them. `costlab calibrate` measures these shapes first.

Needs the bench extra. The networks of `held_out.py` are left out.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
import costlab  # noqa: E402 costlab need not be installed
from costlab.predict.calibration.shapes import FILE  # noqa: E402
from costlab.predict.device_rows import fields_of, sizes_row  # noqa: E402
from costlab.predict.kernels import Kernel, kernels_of  # noqa: E402

_OF_TORCHVISION = """
resnet50 resnet152 resnext101_32x8d wide_resnet101_2 densenet169 densenet201 mobilenet_v3_large
efficientnet_b1 efficientnet_b3 efficientnet_b5 efficientnet_v2_m regnet_x_400mf regnet_x_3_2gf
regnet_y_1_6gf regnet_y_8gf shufflenet_v2_x0_5 shufflenet_v2_x2_0 squeezenet1_1 mnasnet0_5
mnasnet1_3 convnext_small convnext_base vit_b_32 vit_l_16 swin_s swin_b swin_v2_t vgg13 vgg16_bn
vgg19 googlenet inception_v3
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
NETWORKS = [
    *(f"torchvision:{name}" for name in _OF_TORCHVISION.split()),
    *(f"timm:{name}" for name in _OF_TIMM.split()),
]


def kernels(name: str) -> Counter[Kernel]:
    """What a network runs; nothing, with a word on it, where it cannot be traced."""
    try:
        trace = costlab.trace(name)
    except (ValueError, costlab.TraceError) as e:
        print(f"{name} is left out: {e}", file=sys.stderr)
        return Counter()
    return Counter(k.kernel for k in kernels_of(trace) if k.kernel and k.known)


def main() -> None:
    """Trace all networks and write the file: by family, rows of sizes with a count."""
    found: Counter[Kernel] = Counter()
    for name in NETWORKS:
        found += kernels(name)
    families: dict[str, dict[str, object]] = {}
    for family in sorted({k.family for k in found}):
        rows = sorted([*sizes_row(k), n] for k, n in found.items() if k.family == family)
        families[family] = {"fields": fields_of(family), "rows": rows}
    text = ",\n".join(f"{json.dumps(name)}:{_table(table)}" for name, table in families.items())
    FILE.write_text(f"{{\n{text}\n}}\n")
    print(f"{FILE}: {len(found)} kernels of {len(NETWORKS)} networks")


def _table(table: dict[str, object]) -> str:
    """A table of one family, ten rows a line."""
    return json.dumps(table, separators=(",", ":"))


if __name__ == "__main__":
    main()
