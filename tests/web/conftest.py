"""One running server and one browser for all tests of the web room."""

from __future__ import annotations

import io
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a model that is not here is missed at once

from pullfocus.web.app import create_app
from pullfocus.web.config import ServerConfig
from pullfocus.web.serve import bind, server_settings

ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "web"
AXE = Path(__file__).parent / "vendor" / "axe.min.js"


@dataclass
class Running:
    """A server in a thread; `client` shows the token, `bare` does not."""

    config: ServerConfig
    port: int
    server: uvicorn.Server
    thread: threading.Thread
    app: Any
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def door(self) -> str:
        return f"{self.url}/?token={self.config.token}"

    def client(self, **headers: str) -> httpx.Client:
        shown = {"authorization": f"Bearer {self.config.token}", **headers}
        client = httpx.Client(base_url=self.url, headers=shown, timeout=60, trust_env=False)
        self.clients.append(client)
        return client

    def bare(self, **headers: str) -> httpx.Client:
        client = httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)
        self.clients.append(client)
        return client

    def stop(self) -> None:
        for client in self.clients:
            client.close()
        self.server.should_exit = True
        self.thread.join(timeout=20)


def start(config: ServerConfig) -> Running:
    listener = bind(config)
    app = create_app(config)
    server = uvicorn.Server(server_settings(app, config))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = listener.getsockname()[1]
    return Running(config, port, server, thread, app)


@pytest.fixture(scope="session")
def run_server() -> Iterator[Callable[..., Running]]:
    """Start servers with their own limits; all are stopped at the end."""
    running: list[Running] = []

    def run(**limits: Any) -> Running:
        running.append(start(ServerConfig(**{"preview_px": 320, **limits})))
        return running[-1]

    yield run
    for one in running:
        one.stop()


@pytest.fixture(scope="session")
def server(run_server: Callable[..., Running]) -> Running:
    return run_server()


@pytest.fixture(scope="session")
def client(server: Running) -> httpx.Client:
    return server.client()


@pytest.fixture(scope="session")
def finish() -> Callable[[httpx.Client, dict[str, Any]], dict[str, Any]]:
    """Wait for a job to end."""

    def wait(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
        until = time.monotonic() + 240
        while job["state"] in ("waiting", "running"):
            assert time.monotonic() < until, job
            time.sleep(0.03)
            job = client.get(f"/api/jobs/{job['id']}").json()
        return job

    return wait


def scene(width: int = 240, height: int = 160) -> np.ndarray:
    """A small picture with a textured near square before a striped wall."""
    y, x = np.mgrid[:height, :width]
    wall = np.stack([120 + 60 * np.sin(x / 5), 140 + 40 * np.cos(y / 7), 160 + 0 * x], -1)
    noise = np.random.default_rng(7).normal(0, 18, (height, width, 3))
    near = (abs(x - width * 0.35) < width * 0.17) & (abs(y - height * 0.55) < height * 0.3)
    colour = np.where(near[..., None], np.array([210, 90, 60]) + noise, wall)
    return np.clip(colour, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def photo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "still life.png"
    Image.fromarray(scene()).save(path)
    return path


@pytest.fixture(scope="session")
def photo_bytes(photo_file: Path) -> bytes:
    return photo_file.read_bytes()


@pytest.fixture(scope="session")
def depth_npy() -> bytes:
    y, x = np.mgrid[:160, :240]
    near = (abs(x - 84) < 41) & (abs(y - 88) < 48)
    buffer = io.BytesIO()
    np.save(buffer, np.where(near, 0.9, 0.15 + 0.1 * y / 160).astype(np.float32))
    return buffer.getvalue()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium with WebGL 2 on the processor."""
    api = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    arguments = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


class Page:
    """One tab, with the words the tests use."""

    def __init__(self, page: Any, door: str) -> None:
        self.page, self.door = page, door
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.set_default_timeout(30_000)

    def enter(self) -> None:
        self.page.goto(self.door)
        self.page.wait_for_selector("body[data-ready]")

    def js(self, expression: str, argument: Any = None) -> Any:
        return self.page.evaluate(expression, argument)

    def until(self, expression: str, what: str = "", seconds: float = 60) -> None:
        """Poll: the page's policy forbids the evaluation that wait_for_function needs."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, what or expression
            self.page.wait_for_timeout(40)

    def idle(self) -> None:
        """Wait until the photo has its depth and its picture."""
        self.until(
            "() => !!(pullfocus.photo?.depth && pullfocus.progress.card.hidden"
            " && pullfocus.stage.picture && pullfocus.view === 'stage')",
            "the photo never got its picture",
            seconds=180,
        )

    def drop(self, path: Path, media_type: str = "image/png") -> None:
        """Drop a file on the window, as a file manager does."""
        self.page.evaluate(
            """async ([data, name, type]) => {
              const bytes = Uint8Array.from(data);
              const transfer = new DataTransfer();
              transfer.items.add(new File([bytes], name, {type}));
              for (const kind of ['dragenter', 'dragover', 'drop'])
                document.body.dispatchEvent(new DragEvent(kind, {dataTransfer: transfer,
                  bubbles: true, cancelable: true}));
            }""",
            [list(path.read_bytes()), path.name, media_type],
        )

    def spot(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the photo lies in the window."""
        box = self.page.locator("canvas.view").bounding_box()
        at = self.js("([x, y]) => pullfocus.stage.view.toScreen(x, y)", [x, y])
        return box["x"] + at["x"], box["y"] + at["y"]

    @property
    def settings(self) -> dict[str, Any]:
        return self.js("() => pullfocus.photo.edit.now")

    def serious(self) -> list[str]:
        """What axe finds on the page that is serious or worse."""
        if self.js("() => !window.axe"):
            self.js(AXE.read_text(encoding="utf-8"))
        found = self.js("() => axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {one['help']} {[node['html'][:120] for node in one['nodes'][:3]]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]

    def keep(self, name: str) -> None:
        """Keep a screenshot as an artefact."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(ARTEFACTS / f"{name}.png"))


@pytest.fixture
def new_page(chromium: Any, server: Running) -> Iterator[Callable[..., Page]]:
    """Open tabs; they are closed after the test, and must have had no script error."""
    contexts: list[Any] = []
    pages: list[Page] = []

    def make(running: Running | None = None, door: str | None = None, **options: Any) -> Page:
        given = {"viewport": {"width": 1000, "height": 680}, "color_scheme": "dark", **options}
        context = chromium.new_context(accept_downloads=True, **given)
        contexts.append(context)
        page = Page(context.new_page(), door or (running or server).door)
        pages.append(page)
        return page

    yield make
    for context in contexts:
        context.close()
    for page in pages:
        assert not page.errors


@pytest.fixture
def page(new_page: Callable[..., Page], photo_file: Path) -> Page:
    """A tab in which the small photo is open."""
    tab = new_page()
    tab.enter()
    tab.drop(photo_file)
    tab.idle()
    return tab
