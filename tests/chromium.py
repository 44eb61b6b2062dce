"""A real browser without a window, driven over its own pipe: pages of ours are opened, walked, printed, looked at."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

KEYS = {"Enter": 13, "Escape": 27, " ": 32, "Tab": 9, "End": 35, "Home": 36}
KEYS |= {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}


def program() -> str:
    """Return the browser; without one, skips, or fails where the tools of `make test` are required."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        message = "pages are opened in Chromium: install chromium (`make test` does)"
        if os.environ.get("LAMBDAPACK_REQUIRE_ENGINE") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return found


@dataclass
class Tab:
    """One page; every answer is the browser's own."""

    to: IO[bytes]
    of: IO[bytes]
    session: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    number: int = 0

    def ask(self, method: str, **parameters: Any) -> Any:
        """Send a command of the DevTools protocol and return its result."""
        self.number += 1
        message: dict[str, Any] = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.to.write(json.dumps(message).encode() + b"\0")
        self.to.flush()
        while (said := self._next()).get("id") != self.number:
            self.events.append(said)
        assert "error" not in said, said
        return said["result"]

    def wait(self, method: str) -> dict[str, Any]:
        """Return the next event of a kind."""
        while True:
            for each in self.events:
                if each.get("method") == method:
                    self.events.remove(each)
                    return each
            self.events.append(self._next())

    def _next(self) -> dict[str, Any]:
        data = bytearray()
        while (sign := self.of.read(1)) != b"\0":
            assert sign, "the browser has gone"
            data += sign
        said: dict[str, Any] = json.loads(data)
        return said

    def open(self, page: Path, *, width: int = 1280, dark: bool = False) -> None:
        """Show a file and wait until it is loaded."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.ask("Page.navigate", url=page.resolve().as_uri())
        self.wait("Page.loadEventFired")

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page."""
        done = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key."""
        text = {"Enter": "\r", " ": " "}.get(key)
        common = {"key": key, "windowsVirtualKeyCode": KEYS[key]}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        self.ask("Input.dispatchKeyEvent", type="keyUp", **common)

    def tree(self) -> list[dict[str, Any]]:
        """Return what a screen reader gets: role, name and properties of every node."""
        nodes = self.ask("Accessibility.getFullAXTree")["nodes"]
        return [
            {
                "role": each.get("role", {}).get("value"),
                "name": each.get("name", {}).get("value", ""),
                **{one["name"]: one["value"].get("value") for one in each.get("properties", ())},
            }
            for each in nodes
            if not each.get("ignored")
        ]

    def printed(self) -> bytes:
        """Return the page as a PDF."""
        return base64.b64decode(self.ask("Page.printToPDF", printBackground=False)["data"])

    def picture(self) -> bytes:
        """Return the whole page as PNG."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        return base64.b64decode(self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"])

    @property
    def troubles(self) -> list[str]:
        """What the page complained about, and what it tried to fetch, since it was opened."""
        found = []
        for each in self.events:
            said = each.get("params", {})
            match each.get("method"):
                case "Runtime.exceptionThrown" | "Log.entryAdded" | "Runtime.consoleAPICalled":
                    found.append(json.dumps(said))
                case "Network.requestWillBeSent" if not said["request"]["url"].startswith(("file:", "data:")):
                    found.append(said["request"]["url"])
                case _:
                    pass
        return found


@contextmanager
def tab(scratch: Path) -> Iterator[Tab]:
    """Start a browser with a profile of its own, and end it."""
    ours, theirs = os.pipe(), os.pipe()
    command = [program(), "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run"]
    command += ["--disable-dev-shm-usage", "--disable-background-networking", f"--user-data-dir={scratch}"]
    # The browser reads its descriptor 3 and writes its 4: bash puts them there.
    shell = ["bash", "-c", f'exec "$@" 3<&{ours[0]} 4>&{theirs[1]}', "chromium", *command, "about:blank"]
    process = subprocess.Popen(shell, pass_fds=(ours[0], theirs[1]), stderr=subprocess.DEVNULL)
    os.close(ours[0])
    os.close(theirs[1])
    with os.fdopen(ours[1], "wb") as to, os.fdopen(theirs[0], "rb") as of:
        try:
            made = Tab(to, of)
            target = made.ask("Target.createTarget", url="about:blank")["targetId"]
            made.session = made.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for each in ("Page", "Runtime", "Log", "Network", "Accessibility"):
                made.ask(f"{each}.enable")
            yield made
        finally:
            process.terminate()
            process.wait()
