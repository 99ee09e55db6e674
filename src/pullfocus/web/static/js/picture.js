/** Picture: keeps the refocused preview up to date, on the GPU or, without WebGL 2, by the server. */

import { call, isCancel } from './api.js';
import { focusOf } from './optics.js';

const SLOW_MS = 40;
const MEASURED_FRAMES = 3;

export class Picture {
  /** @param {(image: CanvasImageSource) => void} show @param {(error: any) => void} fail */
  constructor(show, fail) {
    this.show = show;
    this.fail = fail;
    /** @type {any} */
    this.renderer = null;
    this.photo = null;
    this.planeShown = null;
    this.waiting = false;
    this.busy = null;
    this.again = false;
    this.frameMs = 0;
    this.measured = 0;
  }

  /** Try to render here; the server does it otherwise. */
  async prepare() {
    if (new URLSearchParams(location.search).has('server')) return false;
    try {
      const { Renderer } = await import('./gl/renderer.js');
      this.renderer = await Renderer.create();
      this.renderer.canvas.addEventListener('webglcontextlost', () => {
        this.renderer = null; // the program renders from now on
        this.ask(this.photo);
      });
    } catch (problem) {
      console.info('rendering on the server:', problem);
    }
    return this.renderer !== null;
  }

  /** Whether the page itself renders what is chosen now. */
  get here() {
    return this.renderer !== null && this.photo?.edit.now.style !== 'graded';
  }

  /** Ask for a new preview at the next frame. @param {{plane?: number, draft?: boolean}} [how] */
  ask(photo, how = {}) {
    this.photo = photo;
    this.how = how;
    if (!photo?.depth || !photo.image || photo.closed) return;
    if (!this.here) return this.askServer();
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.renderHere();
    });
  }

  renderHere() {
    const { photo, how } = this;
    if (!photo?.depth || photo.closed || !this.here) return;
    const began = performance.now();
    const focus = focusOf(photo.edit.now, photo.depth);
    if (how.plane !== undefined) focus.plane = how.plane;
    const small = how.draft && this.slow ? photo.smaller(this.frameMs > 4 * SLOW_MS ? 4 : 2) : null;
    const { image, depth } = small ?? photo;
    this.renderer.setSource(small ? `${photo.id}@${depth.width}` : photo.id, image, depth, photo.version);
    this.renderer.render(photo.edit.now, focus, { draft: how.draft ?? false });
    this.planeShown = focus.plane;
    this.show(this.renderer.canvas);
    this.measure(began, small !== null);
    document.body.dataset.rendered = String(Number(document.body.dataset.rendered ?? 0) + 1);
  }

  /** Learn from the first frames how long one takes, to move smoothly on slow GPUs too. */
  measure(began, small) {
    if (small || this.measured >= MEASURED_FRAMES) return;
    this.measured += 1;
    this.renderer.finish();
    this.frameMs = performance.now() - began;
  }

  get slow() { return this.frameMs > SLOW_MS; }

  /** One request at a time; the newest wish is asked for when the last is answered. */
  async askServer() {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = new AbortController();
    const { photo } = this;
    try {
      const body = JSON.stringify({ settings: photo.edit.now });
      const headers = { 'content-type': 'application/json' };
      const { signal } = this.busy;
      const response = await call(`/api/photos/${photo.id}/preview`, { method: 'POST', body, headers, signal });
      const image = await createImageBitmap(await response.blob(), { colorSpaceConversion: 'none' });
      if (photo === this.photo) this.show(image);
      document.body.dataset.rendered = String(Number(document.body.dataset.rendered ?? 0) + 1);
    } catch (error) {
      if (!isCancel(error)) this.fail(error);
    }
    this.busy = null;
    if (this.again) {
      this.again = false;
      this.ask(this.photo, this.how);
    }
  }
}
