/** OpenPhoto: one photo on the page: its picture, its depth, its edit, what the brush did. */

import { call, follow, post } from './api.js';
import { Edit } from './edit.js';
import { depthHistogram, disparityAt } from './optics.js';
import { paintDepth } from './magma.js';

export class OpenPhoto {
  /** @param {any} view what the server says of it @param {Record<string, any>} defaults */
  constructor(view, defaults) {
    this.view = view;
    this.edit = new Edit(defaults);
    /** @type {ImageBitmap | null} */
    this.image = null;
    /** @type {import('./optics.js').Depth | null} */
    this.depth = null;
    /** Depth as the model gave it, to know what the brush added. @type {Float32Array | null} */
    this.base = null;
    /** Which depth that is, as a query. @type {string} */
    this.depthQuery = '';
    this.histogram = { low: 0, high: 1, counts: new Float32Array(64) };
    this.depthCanvas = document.createElement('canvas');
    this.depthInfo = null;
    this.version = 0;
    this.start = {};
    this.closed = false;
    /** Whose frame it is. @type {import('./film.js').Film | null} */
    this.film = null;
  }

  get id() { return this.view.id; }
  get name() { return this.view.name; }
  get size() { return { width: this.view.width, height: this.view.height }; }

  /** Which depth the settings ask for, in one word. */
  get wantedDepth() { return `${this.edit.now.model}/${this.edit.now.refine}`; }

  /** Fetch the picture at preview size. */
  async fetchImage() {
    const blob = await (await call(`/api/photos/${this.id}/colour.png`)).blob();
    this.image = await createImageBitmap(blob, { colorSpaceConversion: 'none' });
  }

  /**
   * Have depth worked out and fetch it.
   * @param {(progress: number, message: string) => void} tell @param {AbortSignal} signal
   */
  async fetchDepth(tell, signal) {
    const { model, refine } = this.edit.now;
    const job = await post(`/api/photos/${this.id}/depth`, { model, refine }, signal);
    const info = await follow(job, tell, signal);
    const query = String(new URLSearchParams({ refine, ...(model ? { model } : {}) }));
    const fetched = (more) => call(`/api/photos/${this.id}/disparity.f32?${query}${more}`, { signal });
    const response = await fetched('');
    const data = new Float32Array(await response.arrayBuffer());
    const base = info.edited ? new Float32Array(await (await fetched('&edited=false')).arrayBuffer()) : data.slice();
    [this.depthInfo, this.depthQuery, this.base] = [info, query, base];
    this.depth = {
      width: Number(response.headers.get('x-width')),
      height: Number(response.headers.get('x-height')),
      kind: this.depthInfo.kind,
      focal_length_mm: this.depthInfo.focal_length_mm,
      sensor_width_mm: this.depthInfo.sensor_width_mm,
      data,
    };
    this.hasEdits = this.depthInfo.edited;
    this.depthChanged();
  }

  /** Depth was painted on (or came anew): repaint it and count it again. */
  depthChanged(box) {
    if (!this.depth) return;
    this.version += 1;
    if (!box) this.histogram = depthHistogram(this.depth);
    paintDepth(this.depthCanvas, this.depth, this.histogram, box);
  }

  /** The photo and its depth made smaller, for frames while something moves. */
  smaller(factor) {
    if (!this.image || !this.depth) return null;
    if (this.small?.factor === factor && this.small.version === this.version) return this.small;
    const { width: w, height: h, data } = this.depth;
    const [sw, sh] = [Math.max(1, Math.round(w / factor)), Math.max(1, Math.round(h / factor))];
    let { image } = this.small?.factor === factor ? this.small : { image: null };
    if (!image) {
      const canvas = new OffscreenCanvas(sw, sh);
      const context = canvas.getContext('2d');
      context.imageSmoothingQuality = 'high';
      context.drawImage(this.image, 0, 0, sw, sh);
      image = canvas.transferToImageBitmap();
    }
    const less = new Float32Array(sw * sh);
    for (let y = 0; y < sh; y++) {
      const from = Math.min(h - 1, Math.floor(((y + 0.5) * h) / sh)) * w;
      for (let x = 0; x < sw; x++) less[y * sw + x] = data[from + Math.min(w - 1, Math.floor(((x + 0.5) * w) / sw))];
    }
    this.small = { factor, version: this.version, image, depth: { ...this.depth, width: sw, height: sh, data: less } };
    return this.small;
  }

  /** Where a new photo is focused: the subject the server found. */
  get firstFocus() {
    const subject = this.depthInfo?.subject;
    if (!subject) return {};
    const at = subject.x === null ? null : [subject.x, subject.y];
    return { at, focus_disparity: subject.disparity };
  }

  /** Disparity round a point; 0 before there is depth. */
  disparityAt(x, y) {
    return this.depth ? disparityAt(this.depth, x, y) : 0;
  }

  /** Send what the brush added to the server, for full resolution. */
  async sendEdit() {
    if (!this.depth || !this.base) return;
    const added = new Float32Array(this.depth.data.length);
    let any = false;
    for (let i = 0; i < added.length; i++) {
      added[i] = this.depth.data[i] - this.base[i];
      any ||= added[i] !== 0;
    }
    const body = any ? added.buffer : new ArrayBuffer(0);
    await call(`/api/photos/${this.id}/depth-edit?${this.depthQuery}`, { method: 'PUT', body });
    this.hasEdits = any;
  }
}
