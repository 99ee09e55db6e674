"""How long the page takes from a click to the new picture, as a ratio to a plain 64-tap blur.

    python benchmarks/web_speed.py [--preview-px 320] [--gpu] [--megapixels 12] [--rounds 7]

Both run in the same page, in turns, on the same picture and the same size; medians. Without --gpu,
Chromium draws on the processor (SwiftShader), so that only the ratio says something; with it, the
preview is 1920 px and the GPU's own clock (EXT_disjoint_timer_query_webgl2) times each frame. Then
`/api/refocus` of a server in its own process against the same work in this one, in turns.
"""

from __future__ import annotations

import argparse
import io
import json
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from pullfocus.pipeline import Settings, refocus

SAMPLES = ("scooter", "hibiscus", "street")
TOKEN = secrets.token_urlsafe(24)
MEASURE = """async ([rounds, timed]) => {
  const {Context, loadShaders} = await import('/static/js/gl/context.js');
  const shaders = await loadShaders();
  shaders.plain = `uniform sampler2D picture; uniform vec2 size; out vec4 colour;
    void main() { vec4 sum = vec4(0.0);
      for (int k = 0; k < 64; k++) { float r = 12.0 * sqrt((float(k) + 0.5) / 64.0);
        float a = 2.399963 * float(k);
        sum += texture(picture, (gl_FragCoord.xy + r * vec2(cos(a), sin(a))) / size); }
      colour = sum / 64.0; }`;
  const {photo, picture: shown} = pullfocus, canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [photo.image.width, photo.image.height];
  const size = [canvas.width, canvas.height];
  const plain = new Context(canvas, shaders), ours = shown.renderer.context;
  const picture = plain.texture(...size, 'RGBA16F', {linear: true});
  plain.pass([picture], ['plain'], {picture: plain.texture(1, 1, 'RGBA8'), size: [1, 1]});
  const wait = ({gl}) => { gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)); };
  const wall = (context, draw) => { const began = performance.now(); draw(); wait(context);
    return performance.now() - began; };
  const gpu = async (context, draw) => {
    const {gl} = context, timer = gl.getExtension('EXT_disjoint_timer_query_webgl2');
    if (!timer) return null;
    const query = gl.createQuery();
    gl.beginQuery(timer.TIME_ELAPSED_EXT, query);
    draw();
    gl.endQuery(timer.TIME_ELAPSED_EXT);
    for (let k = 0; k < 400; k++) {
      await new Promise((done) => setTimeout(done, 5));
      if (gl.getQueryParameter(query, gl.QUERY_RESULT_AVAILABLE)) break;
    }
    if (gl.getParameter(timer.GPU_DISJOINT_EXT)) return null;
    return gl.getQueryParameter(query, gl.QUERY_RESULT) / 1e6;
  };
  const blur = () => plain.pass(null, ['plain'], {picture, size});
  const click = (k) => () => { pullfocus.focusing.at(0.2 + 0.6 * (k % 2), 0.5);
    shown.photo = photo; shown.how = {}; shown.renderHere(); };
  const told = {plain: [], ours: [], gpuOurs: [], size,
    renderer: ours.gl.getParameter(ours.gl.getExtension('WEBGL_debug_renderer_info')
      ?.UNMASKED_RENDERER_WEBGL ?? ours.gl.RENDERER)};
  for (let k = 0; k <= rounds; k++) {
    const times = [wall(plain, blur), wall(ours, click(k))];
    if (k) { told.plain.push(times[0]); told.ours.push(times[1]); }
  }
  for (let k = 0; timed && k < rounds; k++) {
    told.gpuOurs.push(await gpu(ours, click(k)));
  }
  return told;
}"""


def main() -> None:
    """Measure and print one line a sample, and one for the API."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preview-px", type=int)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--megapixels", type=float, default=12.0, help="of the API; 0 skips it")
    parser.add_argument("--no-page", action="store_true")
    given = parser.parse_args()
    preview_px = given.preview_px or (1920 if given.gpu else 320)
    with server(preview_px) as address:
        if not given.no_page:
            measure_page(f"{address}/?token={TOKEN}", given)
        if given.megapixels:
            measure_api(address, given)


@contextmanager
def server(preview_px: int) -> Iterator[str]:
    """Run `pullfocus web` in its own process; yields its address."""
    words = ["--no-open", "--port", "0", "--token", TOKEN, "--preview-px", str(preview_px)]
    command = [sys.executable, "-m", "pullfocus", "web", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1].partition("/?")[0]
        while True:
            try:
                httpx.get(f"{address}/api/health", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        try:
            yield address
        finally:
            process.terminate()


def measure_page(url: str, given: argparse.Namespace) -> None:
    """Click to picture, against 64 taps."""
    software = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    arguments = ["--no-sandbox", *(["--enable-gpu"] if given.gpu else software)]
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("body[data-ready]")
        for sample in SAMPLES:
            page.evaluate("(name) => pullfocus.openSample(name)", sample)
            while not page.evaluate("() => !!pullfocus.stage.picture"):
                page.wait_for_timeout(100)
            page.wait_for_timeout(1500)
            print(page_line(sample, page.evaluate(MEASURE, [given.rounds, given.gpu])), flush=True)
        browser.close()


def page_line(sample: str, told: dict[str, Any]) -> str:
    """Put one sample's times into words."""
    ours, plain = (statistics.median(told[name]) for name in ("ours", "plain"))
    pairs = [a / b for a, b in zip(told["ours"], told["plain"], strict=True)]
    width, height = told["size"]
    gpu_ms = [one for one in told["gpuOurs"] if one is not None]
    on_gpu = gpu_ms and "SwiftShader" not in told["renderer"]
    return (
        f"{sample:9} {width}x{height}  click to picture {ours:7.1f} ms   64 taps {plain:7.1f} ms   "
        f"ratio {ours / plain:.2f} ({min(pairs):.2f} to {max(pairs):.2f})   GPU time per frame "
        + (f"{statistics.median(gpu_ms):.2f} ms" if on_gpu else "not measured")
    )


def measure_api(address: str, given: argparse.Namespace) -> None:
    """One request against the same line in this process, both warm, in turns."""
    data, settings = noise_jpeg(given.megapixels), {"at": [0.5, 0.5]}
    shown = {"authorization": f"Bearer {TOKEN}"}

    def there() -> None:
        httpx.post(
            f"{address}/api/refocus", files={"photo": ("a.jpg", data)}, timeout=600,
            data={"settings": json.dumps(settings)}, headers=shown, trust_env=False,
        ).raise_for_status()  # fmt: skip

    def here() -> None:
        with tempfile.TemporaryDirectory() as folder:
            chosen = Settings.parse(settings)
            refocus(io.BytesIO(data), settings=chosen, output=Path(folder) / "a.jpg")

    times: dict[str, list[float]] = {"there": [], "here": []}
    for k in range(given.rounds + 1):
        turn = [("there", there), ("here", here)]
        for name, work in turn if k % 2 else reversed(turn):
            began = time.perf_counter()
            work()
            if k:
                times[name].append(time.perf_counter() - began)
    api, line = (statistics.median(times[name]) for name in ("there", "here"))
    best = min(times["there"]) / min(times["here"])
    print(
        f"/api/refocus {given.megapixels:g} MP {api:.2f} s, in process {line:.2f} s: "
        f"{api / line:.2f} (best against best {best:.2f})"
    )


def noise_jpeg(megapixels: float) -> bytes:
    """Return a JPEG of soft noise, 3:2."""
    height = int((megapixels * 1e6 / 1.5) ** 0.5)
    width = int(height * 1.5)
    noise = np.random.default_rng(1).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((width, height)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
