"""Pages as a browser sees them, from ``file://`` and without a network: headless Chromium, where it is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")


def asked(page: Path, script: str, folder: Path) -> Any:
    """What a function body returns that runs in a page when all of it is loaded; any error of the page's own fails the test."""
    listen = "<script>const errors = []; addEventListener('error', (e) => errors.push(String(e.message)));</script>"
    answer = (
        "<script>addEventListener('load', () => {"
        f"const found = (() => {{ {script} }})();"
        "const answer = document.createElement('pre'); answer.id = 'answer';"
        "answer.textContent = JSON.stringify({found, errors}); document.body.append(answer); });</script>"
    )
    text = page.read_text(encoding="utf-8")
    copy = page.with_name(f"asked-{page.name}")  # links and pictures are relative to its folder
    copy.write_text(listen.join(re.split(r"(?<=<head>)", text, maxsplit=1)) + answer, encoding="utf-8")
    try:
        dom = _run(folder, "--dump-dom", copy.as_uri()).decode()
    finally:
        copy.unlink()
    said = re.search(r'<pre id="answer">(.*?)</pre>', dom, re.DOTALL)
    assert said is not None, f"the page did not load: {dom[-500:]}"
    answered = json.loads(unescape(said[1]))
    assert answered["errors"] == []
    return answered["found"]


def screenshot(
    page: Path, folder: Path, size: tuple[int, int] = (1280, 900), *, dark: bool = False, webgl: bool = False
) -> Image.Image:
    """The page as it looks: (width, height) pixels from its top left corner; WebGL is drawn in software."""
    picture = folder / "screenshot.png"
    scheme = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if dark else []
    graphics = (
        ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--virtual-time-budget=3000"] if webgl else ["--disable-gpu"]
    )
    _run(folder, *scheme, *graphics, f"--window-size={size[0]},{size[1]}", f"--screenshot={picture}", page.as_uri())
    with Image.open(picture) as image:
        return image.convert("RGB")


def _run(folder: Path, *options: str) -> bytes:
    assert CHROMIUM is not None
    always = ["--headless=new", "--no-sandbox", "--no-first-run", f"--user-data-dir={folder / 'profile'}", "--hide-scrollbars"]
    always += ["--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=10000"]
    return subprocess.run([CHROMIUM, *always, *options], capture_output=True, timeout=300, check=True).stdout
