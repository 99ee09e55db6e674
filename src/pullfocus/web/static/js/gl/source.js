/** Source: one picture and its depth on the GPU, with both surfaces of every pixel. */

import { edgeReach, lightGain } from './lights.js';

export class Source {
  /** @param {import('./context.js').Context} context @param {ImageBitmap} image */
  constructor(context, image) {
    this.context = context;
    this.width = image.width;
    this.height = image.height;
    this.colour = context.texture(this.width, this.height, 'SRGB8_ALPHA8');
    context.fill(this.colour, 'RGBA', 'UNSIGNED_BYTE', image);
    this.disparity = context.texture(this.width, this.height, 'R32F');
    this.pixels = pixelsOf(image);
    this.version = -1;
    this.builtFor = '';
    this.light = null;
    this.kept = [];
  }

  /** Take a depth map, again whenever its version changes. */
  setDepth(depth, version) {
    if (version === this.version) return;
    this.version = version;
    this.depth = depth;
    this.context.fill(this.disparity, 'RED', 'FLOAT', depth.data);
    [this.low, this.high] = [Infinity, -Infinity];
    for (const d of depth.data) {
      if (d < this.low) this.low = d;
      if (d > this.high) this.high = d;
    }
    this.builtFor = '';
  }

  /**
   * Find both surfaces, if the last ones are not right any more.
   * @param {number} step disparity that counts as an edge @param {number} reachPx @param {number} highlights
   * @param {boolean} draft let surfaces for nearly the same step do
   */
  build(step, reachPx, highlights, draft) {
    const levels = Math.min(8, Math.max(2, Math.ceil(Math.log2(Math.max(reachPx, 2))) + 1) - 1);
    const key = `${highlights}`;
    const close = this.builtFor === key && Math.abs(Math.log(step / this.step)) < 0.25 && draft;
    if (this.builtFor === key && step === this.step && levels === this.levels) return;
    if (close) return;
    Object.assign(this, { builtFor: key, step, levels });
    this.setLight(highlights);
    this.findHidden(step, reachPx, levels);
    const { context: c, width: w, height: h } = this;
    this.front ??= c.texture(w, h, 'RGBA16F');
    this.back ??= c.texture(w, h, 'RGBA16F');
    this.depths ??= c.texture(w, h, 'RG32F');
    this.ends ??= c.texture(w, h, 'RG32F');
    c.pass([this.ends], ['ends'], { disparity: this.disparity });
    c.pass([this.front, this.back, this.depths], ['surfaces'], {
      colour: this.colour, disparity: this.disparity, hidden: this.hidden, ends: this.ends, light: this.light, step_: step,
    });
  }

  setLight(highlights) {
    if (this.light && this.lightOf === highlights) return;
    this.lightOf = highlights;
    const { context: c, width: w, height: h } = this;
    const [columns, rows] = [Math.ceil(w / 8), Math.ceil(h / 8)];
    this.light ??= c.texture(columns, rows, 'R32F');
    const found = lightGain(this.pixels, w, h, highlights);
    c.fill(this.light, 'RED', 'FLOAT', found ? found.gain : new Float32Array(columns * rows).fill(1));
  }

  findHidden(step, reachPx, levels) {
    const { context: c, width: w, height: h } = this;
    let [lw, lh] = [(w + 1) >> 1, (h + 1) >> 1];
    this.hidden ??= c.texture(lw, lh, 'RGBA32F');
    const far = c.texture(lw, lh, 'RGBA32F');
    const nearest = c.texture(lw, lh, 'R32F');
    c.pass([far, nearest], ['halve'], { colour: this.colour, disparity: this.disparity, step_: step });
    const { cells, columns, rows } = edgeReach(this.depth, step, reachPx);
    const reach = c.texture(columns, rows, 'R8');
    c.fill(reach, 'RED', 'UNSIGNED_BYTE', cells);
    const pyramid = [];
    let level = far;
    for (let k = 1; k <= levels && Math.min(lw, lh) >= 2; k++) {
      [lw, lh] = [(lw + 1) >> 1, (lh + 1) >> 1];
      const next = c.texture(lw, lh, 'RGBA32F');
      c.pass([next], ['shrink'], { level, step_: step });
      pyramid.push(next);
      level = next;
    }
    const named = Object.fromEntries(Array.from({ length: 8 }, (_, k) => [`level${k + 1}`, pyramid[Math.min(k, pyramid.length - 1)] ?? far]));
    c.pass([this.hidden], ['hidden'], { nearest, reach, levels: pyramid.length, step_: step, ...named });
    c.drop(far, nearest, reach, pyramid);
  }

  drop() {
    this.context.drop(this.colour, this.disparity, this.front, this.back, this.depths, this.ends, this.hidden, this.light);
  }
}

function pixelsOf(image) {
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, image.width, image.height).data;
}
