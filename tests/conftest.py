"""What all tests share."""

import contextlib
import sys
import types

# PyPI's torchvision is built for another torch than the CPU build here and registers kernels of its
# compiled operators at import; its models need none of them
with contextlib.suppress(ImportError):
    try:
        import torchvision  # noqa: F401 only to see whether it imports
    except RuntimeError:
        for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        stub = "torchvision._meta_registrations"
        sys.modules[stub] = types.ModuleType(stub)
