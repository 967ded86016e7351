"""`costlab aux`: auxiliary classifiers: their cost, and where to put them."""

from ._common import UserError, add_output, missing, progress_line, show


def add(sub):
    """Register the command."""
    p = sub.add_parser(
        "aux",
        help="auxiliary classifiers: cost in training and at inference, and a probe of where to put them",
    )
    p.add_argument(
        "model", nargs="*", metavar="MODEL", help="googlenet, inception_v3, cnds8 (default: all)"
    )
    p.add_argument(
        "--probe",
        action="store_true",
        help="run real training iterations on handwritten digits and compare gradients with and without heads",
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
    from .. import zoo
    from ..analysis import aux

    try:
        if args.diagram and (args.probe or len(args.model) != 1):
            raise ValueError("--diagram draws one network: costlab aux googlenet --diagram FILE")
        if not args.probe:
            costs = aux.aux_costs(args.model or aux.WITH_HEADS)
            if args.diagram:
                from ..analysis.diagram import diagram
                from ..render.diagram import dot
                from .diagram import draw

                d = diagram(costs.costs[0].trace)
                draw(args.diagram, dot(d), d.alt)
            show(args, costs.sheet)
            return
        if len(args.model) != 1:
            raise ValueError("the probe takes one network: costlab aux cnds8 --probe")
        name = args.model[0]
        if name not in aux.WITH_HEADS:
            raise ValueError(
                f"{name} has no auxiliary classifiers in the zoo; choose {', '.join(aux.WITH_HEADS)}"
            )
        shape = zoo.input_shape(name)[1:]
        done = [0]

        def progress(_):
            done[0] += 1
            progress_line(f"{done[0]} of {2 * args.iterations} iterations")

        result = aux.probe(
            lambda: zoo.build(name),
            lambda: aux.digits(shape, 1000, args.batch, args.seed),
            with_heads=lambda: zoo.build(name, aux=True),
            name=name,
            iterations=args.iterations,
            threshold=args.threshold,
            seed=args.seed,
            device=args.device,
            data="scikit-learn's handwritten digits, scaled up",
            progress=progress,
        )
        progress_line("")
    except ModuleNotFoundError as e:
        raise missing(e, f"the probe needs {e.name}; pip install 'costlab[probe]'") from None
    except (ValueError, RuntimeError) as e:
        raise UserError(str(e).splitlines()[0]) from None
    show(args, result.sheet)
