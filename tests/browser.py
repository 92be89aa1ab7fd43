"""A real Chromium without a window, driven by the W3C's WebDriver protocol.

Debian's packages `chromium` and `chromium-driver` have both programs. Without them the tests that
need a browser are skipped.
"""

import base64
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

# Chromium's own services are switched off, so that every request in its log is the page's
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element in the W3C's protocol
INSIDE = ("data:", "blob:", "chrome:", "chrome-untrusted:")
KEYS = {"Tab": "\ue004", "ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014"}
PATIENCE = 120  # seconds; the machine may be busy


def programs() -> tuple[str, str]:
    """Chromium and its driver, or a skipped test."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("no Chromium here: apt-get install chromium chromium-driver")
    return browser, driver


class Browser:
    """One window of a browser."""

    def __init__(self, address: str, browser: str, folder: Path):
        self.address = address
        options = {"binary": browser, "args": [*FLAGS, f"--user-data-dir={folder}"]}
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
        }
        made = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{made['sessionId']}"

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        """Send a command to the driver, and return its answer."""
        data = None if content is None else json.dumps(content).encode()
        request = Request(self.address + path, data, {"Content-Type": "application/json"})
        request.method = method
        with urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]

    def tell(self, path: str, content: Any = None) -> Any:
        """Send a command of this window."""
        return self.ask("POST", self.session + path, content or {})

    def open(self, page: Path, width: int = 1280, height: int = 900) -> None:
        """Open a file in a window of that size."""
        self.tell("/window/rect", {"width": width, "height": height})
        self.tell("/url", {"url": page.resolve().as_uri()})

    def run(self, script: str, *values: Any) -> Any:
        """What a script returns; it knows the values as `arguments`."""
        return self.tell("/execute/sync", {"script": script, "args": list(values)})

    def wait(self, script: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.run(f"return Boolean({script})"):
            assert time.monotonic() < end, f"never true: {script}\n{self.errors()}"
            time.sleep(0.05)

    def text(self, selector: str) -> str:
        """The text of an element."""
        return self.run("return document.querySelector(arguments[0]).innerText", selector)

    def names(self, selector: str) -> list[tuple[str, str]]:
        """Role and name of elements, as the browser tells them to screen readers."""
        found = self.tell("/elements", {"using": "css selector", "value": selector})
        named = []
        for one in found:
            path = f"{self.session}/element/{one[ELEMENT]}"
            role = self.ask("GET", f"{path}/computedrole")
            named.append((role, self.ask("GET", f"{path}/computedlabel")))
        return named

    def press(self, *names: str) -> None:
        """Press keys one after another, as on a keyboard."""
        actions = []
        for name in names:
            key = KEYS.get(name, name)
            actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        keyboard = {"type": "key", "id": "keyboard", "actions": actions}
        self.tell("/actions", {"actions": [keyboard]})

    def point(self, x: float, y: float, click: bool = False) -> None:
        """Move the pointer to a place of the window, and press its button there or not."""
        actions = [{"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)}]
        if click:
            actions += [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self.tell("/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]})

    def log(self, kind: str) -> list[dict[str, Any]]:
        """The entries of a log since it was last read."""
        return self.tell("/se/log", {"type": kind})

    def errors(self) -> list[str]:
        """What scripts have complained of since this was last asked."""
        return [one["message"] for one in self.log("browser") if one["level"] == "SEVERE"]

    def requests(self) -> list[str]:
        """The addresses that pages have asked for since this was last asked.

        Data inside a page is left out, and so is what the browser's own first page asks for.
        """
        found = []
        for entry in self.log("performance"):
            event = json.loads(entry["message"])["message"]
            if event["method"] == "Network.requestWillBeSent":
                found.append(event["params"]["request"]["url"])
        return [address for address in found if not address.startswith(INSIDE)]

    def screenshot(self, path: Path) -> None:
        """Write what the window shows as a PNG."""
        shown = self.ask("GET", f"{self.session}/screenshot")
        path.write_bytes(base64.b64decode(shown))


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """A browser that keeps its files in a folder, and that is closed at the end."""
    browser, driver = programs()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [driver, f"--port={port}", "--silent"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    window = None
    try:
        wait_for(address)
        window = Browser(address, browser, folder)
        yield window
    finally:
        if window is not None:
            window.ask("DELETE", window.session)
        process.terminate()
        process.wait()


def wait_for(address: str) -> None:
    """Wait until the driver answers."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(f"{address}/status", timeout=PATIENCE):
                return
        except OSError:
            assert time.monotonic() < end, "the driver does not answer"
            time.sleep(0.05)
