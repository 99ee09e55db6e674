"""How long the page takes from a click to the new picture, as a ratio to a plain 64-tap blur.

    python benchmarks/web_speed.py [--preview-px 320] [--gpu]

Both run in the same page, in turns, on the same picture and the same size; medians. Without --gpu,
Chromium draws on the processor (SwiftShader), so that only the ratio says something. Also prints
`/api/refocus` against the same work without HTTP in this process.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import statistics
import threading
import time

import httpx
import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from pullfocus.pipeline import Settings, refocus
from pullfocus.web.config import ServerConfig
from pullfocus.web.serve import bind, page_url, serve

PLAIN = """async (rounds) => {
  const {Context} = await import('/static/js/gl/context.js');
  const {loadShaders} = await import('/static/js/gl/context.js');
  const shaders = await loadShaders();
  shaders.plain = `uniform sampler2D picture; uniform vec2 size; out vec4 colour;
    void main() { vec4 sum = vec4(0.0);
      for (int k = 0; k < 64; k++) { float r = 12.0 * sqrt((float(k) + 0.5) / 64.0);
        float a = 2.399963 * float(k);
        sum += texture(picture, (gl_FragCoord.xy + r * vec2(cos(a), sin(a))) / size); }
      colour = sum / 64.0; }`;
  const photo = pullfocus.photo, p = pullfocus.picture, canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [photo.image.width, photo.image.height];
  const c = new Context(canvas, shaders);
  const picture = c.texture(canvas.width, canvas.height, 'RGBA16F', {linear: true});
  c.pass([picture], ['plain'], {picture: c.texture(1, 1, 'RGBA8'), size: [1, 1]});
  const wait = (gl) => gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  const plain = [], ours = [];
  for (let k = 0; k < rounds; k++) {
    let began = performance.now();
    c.pass(null, ['plain'], {picture, size: [canvas.width, canvas.height]});
    wait(c.gl);
    plain.push(performance.now() - began);
    began = performance.now();
    pullfocus.focusAt(0.2 + 0.6 * (k % 2), 0.5);
    p.photo = photo; p.how = {};
    p.renderHere();
    p.renderer.finish();
    ours.push(performance.now() - began);
  }
  return {plain, ours, width: canvas.width, height: canvas.height};
}"""


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preview-px", type=int, default=320)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--megapixels", type=float, default=12.0)
    given = parser.parse_args()
    config = ServerConfig(preview_px=given.preview_px)
    listener = bind(config)
    port = listener.getsockname()[1]
    options = {"open_browser": False, "listener": listener}
    threading.Thread(target=serve, args=(config,), kwargs=options, daemon=True).start()
    measure_page(page_url(config, port), given)
    if given.megapixels:
        measure_api(f"http://127.0.0.1:{port}", config.token, given.megapixels)


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
        for sample in ("scooter", "hibiscus", "street"):
            page.evaluate("(name) => pullfocus.openSample(name)", sample)
            while not page.evaluate("() => !!pullfocus.stage.picture"):
                page.wait_for_timeout(100)
            page.wait_for_timeout(1500)
            told = page.evaluate(PLAIN, given.rounds)
            ours, plain = (statistics.median(told[name][1:]) for name in ("ours", "plain"))
            print(
                f"{sample:9} {told['width']}x{told['height']}  click to picture {ours:7.1f} ms   "
                f"64 taps {plain:7.1f} ms   ratio {ours / plain:.2f}"
            )
        browser.close()


def measure_api(url: str, token: str, megapixels: float) -> None:
    """One request against the same line in this process, both warm, in turns."""
    height = int((megapixels * 1e6 / 1.5) ** 0.5)
    noise = np.random.default_rng(1).integers(0, 255, (height // 8, int(height * 1.5) // 8, 3))
    big = Image.fromarray(noise.astype(np.uint8)).resize((int(height * 1.5), height))
    buffer = io.BytesIO()
    big.save(buffer, "JPEG", quality=92)
    data, settings = buffer.getvalue(), {"at": [0.5, 0.5]}
    there, here = [], []
    for _ in range(3):
        began = time.perf_counter()
        answer = httpx.post(
            f"{url}/api/refocus", files={"photo": ("a.jpg", data)}, timeout=300,
            data={"settings": json.dumps(settings)}, headers={"authorization": f"Bearer {token}"},
        )  # fmt: skip
        answer.raise_for_status()
        there.append(time.perf_counter() - began)
        began = time.perf_counter()
        target = "/tmp/pullfocus-web-speed.jpg"
        refocus(io.BytesIO(data), settings=Settings.parse(settings), output=target, overwrite=True)
        here.append(time.perf_counter() - began)
    ratio = min(there) / min(here)
    print(
        f"/api/refocus {megapixels:g} MP {min(there):.2f} s, "
        f"in process {min(here):.2f} s: {ratio:.2f}"
    )


if __name__ == "__main__":
    main()
