"""Finds a Chromium for the browser tests: one of the system, or Playwright's own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """Returns the path of a Chromium.

    Raises:
        FileNotFoundError: If there is none.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    if not Path(own).is_file():
        raise FileNotFoundError("no Chromium is installed; run scripts/browser.sh")
    return own


if __name__ == "__main__":
    sys.stdout.write(chromium() + "\n")
