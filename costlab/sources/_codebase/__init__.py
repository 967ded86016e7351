"""A user's modules, imported beside their own siblings and apart from those of any other folder.

Two versions of a model often have files of the same name: `A/net.py` and `B/net.py`, each with its
own `blocks.py`. Python knows one `blocks` a process. So the modules of a codebase are in
`sys.modules` only while it is active: while its code is imported, built or traced. An import
statement that runs at any other time finds them too, because every module of a codebase has an
`__import__` of its own.
"""

from .codebase import Codebase
from .modules import module_of_file, module_of_name

__all__ = ["Codebase", "module_of_file", "module_of_name"]
