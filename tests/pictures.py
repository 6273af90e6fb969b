"""Take the README's two pictures anew from the played demo: `python -m tests.pictures`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from outreach.demo.environment import FILE
from outreach.demo.server import free_port, serving

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def main() -> None:
    """Render the first stop's certificate and the savings page."""
    if not FILE.exists():
        raise SystemExit("Run `make demo ARGS=--no-serve` first.")
    command = [sys.executable, "manage.py", "demo", "--no-serve"]
    played = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    paper = json.loads(played.stdout.strip().splitlines()[-1])["pdf"]
    render = ["pdftoppm", "-r", "60", "-png", "-singlefile", paper, str(IMAGES / "certificate")]
    subprocess.run(render, cwd=ROOT, check=True)
    port = free_port(8000)
    with serving(port), sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1100, "height": 900}, locale="zh-CN")
        page.goto(f"http://127.0.0.1:{port}/sign-in/")
        page.locator("[name=username]").fill("administrator-1")
        page.locator("[name=password]").fill("administrator-1-2018")
        page.locator("main button[type=submit], main button").first.click()
        page.goto(f"http://127.0.0.1:{port}/savings/")
        page.screenshot(path=str(IMAGES / "savings.png"))
        browser.close()


if __name__ == "__main__":
    main()
