"""Measure what the reports speak of, on the device in hand: `python reports/measure.py [--device cuda]` fills reports/measurements/.

Networks at batch 1 and 32 in fp32 and bf16, the pairs of the factorization rules, the grid-reduction schemes. Needs torch and costlab alone.
A file that is there is left; delete it to measure again.
"""

import argparse
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from costlab import zoo  # noqa: E402
from costlab.analysis.factorize import RULES, Conv, REWRITES, build, slug  # noqa: E402
from costlab.analysis.grid import schemes  # noqa: E402
from costlab.measure import measure  # noqa: E402

NETWORKS = ("googlenet", "alexnet", "vgg16", "resnet50", "inception_v2", "inception_v3")
WIDTH, GRID, BATCH = 64, 28, 32  # of the factorization pairs


def cases():
    """(file name, factory, input shape, dtype)."""
    for name in NETWORKS:
        _, *rest = zoo.input_shape(name)
        yield name, lambda name=name: zoo.build(name), (1, *rest), "fp32"
        yield f"{name}-b32-bf16", lambda name=name: zoo.build(name), (32, *rest), "bf16"
    for k, rewrite, name in RULES:
        conv = Conv(WIDTH, WIDTH, (k, k), padding=(k // 2, k // 2))
        mid = REWRITES[rewrite].default_mid(conv)
        before, after = slug(name)
        yield before, conv.build, (BATCH, WIDTH, GRID, GRID), "fp32"
        yield (
            after,
            lambda conv=conv, rewrite=rewrite, mid=mid: build(conv, rewrite, mid),
            (BATCH, WIDTH, GRID, GRID),
            "fp32",
        )
    for name, make in schemes(35, 320, 640):
        yield slug(name)[0], make, (BATCH, 320, 35, 35), "fp32"


def main():
    """Measure what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", default=str(Path(__file__).parent / "measurements"))
    parser.add_argument("--only", help="names that contain this")
    args = parser.parse_args()
    out = Path(args.out)
    out.mkdir(exist_ok=True)
    for name, make, shape, dtype in cases():
        file = out / f"{name}.trace"
        if file.exists() or args.only and args.only not in name:
            continue
        begin = time.perf_counter()
        torch.manual_seed(0)
        try:
            trace = measure(
                make(),
                torch.randn(shape),
                device=args.device,
                dtype=dtype,
                spec=name.split("-b32")[0],
            )
        except Exception as e:  # one that fails does not stop the rest
            print(f"{name}: {type(e).__name__}: {e}", flush=True)
            continue
        trace.save(file)
        print(
            f"{name}: {1e3 * trace.measured.total.median:.3f} ms, measured in {time.perf_counter() - begin:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
