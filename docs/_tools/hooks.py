"""Links of the pages to files outside docs/, such as the reports, for MkDocs.

On GitHub a link such as `../reports/note.pdf` opens the file. Here the file becomes part of the
site, under the same path below it.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\]\((\.\./[^)#\s]+)(#[^)\s]*)?\)")


PAGES = ("CONTRIBUTING.md", "ARCHITECTURE.md")  # pages of the site that are not in docs/


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand at the root of the repository."""
    for name in PAGES:
        files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Bring the files that a page links to, outside docs/, into the site."""
    here = posixpath.dirname(page.file.src_uri)

    def inside(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join("docs", here, link[1]))
        if path.startswith("docs/") or not (ROOT / path).is_file():
            return link[0]  # for MkDocs to check
        if files.get_file_from_path(path) is None:  # a report, a picture
            files.append(File(path, str(ROOT), config.site_dir, use_directory_urls=False))
        return f"]({posixpath.relpath(path, here or '.')}{link[2] or ''})"

    return _LINK.sub(inside, markdown)
