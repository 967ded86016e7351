"""Revisions of a git repository as sources: one factory, as it was in each of them.

Each revision is checked out into a temporary worktree and traced there in a process of its own, so
that versions of one module never meet. Nothing in the user's tree changes.

`git` finds and checks out revisions, `run` traces them, `child` is what runs in the process.
"""

from .git import Repository, Revision, RevisionError
from .run import WORKING_TREE, trace_revisions

__all__ = ["WORKING_TREE", "Repository", "Revision", "RevisionError", "trace_revisions"]
