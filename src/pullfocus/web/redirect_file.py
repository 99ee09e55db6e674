"""RedirectFile: how the token reaches the browser, so that no list of processes shows it.

A browser is started with an address on its command line, which every user of a machine can read.
It is given the address of a file instead, which only this user can read, and which sends it on; the
file goes when the browser has come, or after a minute.
"""

from __future__ import annotations

import html
import shutil
import tempfile
import threading
from pathlib import Path

LIFE_S = 60.0
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>pullfocus</title>
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={url}"></head>
<body><p><a href="{url}">Open pullfocus</a></p></body></html>
"""


class RedirectFile:
    """A page in a new folder that only this user can read; `address` is what a browser opens."""

    def __init__(self, url: str, *, life_s: float = LIFE_S) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pullfocus-open-"))  # mode 0700
        self.path = self._folder / "open.html"
        self.path.touch(mode=0o600)
        self.path.write_text(_PAGE.format(url=html.escape(url)), encoding="utf-8")
        self._timer = threading.Timer(life_s, self.remove)
        self._timer.daemon = True
        self._timer.start()

    @property
    def address(self) -> str:
        """The address of the file."""
        return self.path.as_uri()

    def remove(self) -> None:
        """Remove the file, if it is still there."""
        self._timer.cancel()
        shutil.rmtree(self._folder, ignore_errors=True)
