"""`costlab aux`: auxiliary classifiers: their cost, and where to put them."""

import itertools

import costlab

from ._common import UserError, add_output, draw, errors, progress_line, show


def add(sub):
    """Register the command."""
    p = sub.add_parser(
        "aux",
        help="auxiliary classifiers: cost in training and at inference, and a probe of where to "
        "put them",
    )
    p.add_argument(
        "model", nargs="*", metavar="MODEL", help="googlenet, inception_v3, cnds8 (default: all)"
    )
    p.add_argument(
        "--probe",
        action="store_true",
        help="run real training iterations on handwritten digits and compare gradients with and "
        "without heads",
    )
    p.add_argument(
        "--iterations",
        type=int,
        default=20,
        help="training iterations of the probe (default: 20; the rule asks for 10 to 50)",
    )
    p.add_argument("--batch", type=int, default=8, help="images a batch (default: 8)")
    p.add_argument(
        "--threshold",
        type=float,
        default=1e-7,
        help="mean gradient under which a head is placed (default: 1e-7)",
    )
    p.add_argument(
        "--seed", type=int, default=0, help="seed of the weights and of the batches (default: 0)"
    )
    p.add_argument(
        "--device",
        choices=("auto", "cuda", "cpu"),
        default="auto",
        help="where to train (default: auto)",
    )
    p.add_argument(
        "--diagram",
        metavar="FILE",
        help="the network with its heads, as it trains, as .svg, .pdf, .png or .dot",
    )
    add_output(p)
    p.set_defaults(run=run)


def run(args):
    """Cost table, or the probe of one network."""
    if args.diagram and (args.probe or len(args.model) != 1):
        raise UserError("--diagram draws one network: costlab aux googlenet --diagram FILE")
    if args.probe:
        show(args, _probed(args).sheet)
        return
    with errors():
        costs = costlab.aux(args.model)
    if args.diagram:
        draw(args.diagram, costs.diagram())
    show(args, costs.sheet)


def _probed(args):
    if len(args.model) != 1:
        raise UserError("the probe takes one network: costlab aux cnds8 --probe")
    done = itertools.count(1)

    def progress(_):
        progress_line(f"{next(done)} of {2 * args.iterations} iterations")

    with errors("probe", "the probe"):
        return costlab.probe(
            args.model[0],
            iterations=args.iterations,
            batch=args.batch,
            threshold=args.threshold,
            seed=args.seed,
            device=args.device,
            progress=progress,
        )
