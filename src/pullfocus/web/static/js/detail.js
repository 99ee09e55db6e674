/** Detail: when zoomed in, the seen part is fetched at full resolution and refocused too. */

import { call, isCancel } from './api.js';
import { focusOf, lensGain } from './optics.js';

const WAIT_MS = 220;
const LONGEST_PX = 2048;

export class Detail {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
    this.timer = 0;
    this.controller = null;
    this.held = null;
  }

  /** Ask again, once hands are still; the old patch stays only while it is right. */
  ask() {
    clearTimeout(this.timer);
    this.controller?.abort();
    const { stage } = this.app;
    if (stage.patch && this.held?.settings !== JSON.stringify(this.app.photo?.edit.now)) stage.patch = null;
    this.timer = setTimeout(() => this.fetch().catch((error) => { if (!isCancel(error)) console.info(error); }), WAIT_MS);
  }

  get needed() {
    const { photo, stage, picture } = this.app;
    if (!photo?.depth || !picture.here || !photo.image || this.app.looks.depth) return false;
    const shown = stage.view.scale / stage.view.fullScale;
    return photo.view.width > photo.image.width && shown > (1.15 * photo.image.width) / photo.view.width;
  }

  async fetch() {
    const { photo, stage, picture } = this.app;
    if (!this.needed) {
      stage.patch = null;
      stage.ask();
      return;
    }
    const { seen } = stage.view;
    const gain = this.gain(photo);
    const margin = Math.min(0.2, (1.2 * gain * this.reach(photo)) / Math.max(photo.view.width, photo.view.height));
    const { width, height } = photo.view;
    const box = { // whole pixels, so that nothing is resampled at 100 %
      left: Math.floor(Math.max(0, seen.left - margin) * width) / width,
      top: Math.floor(Math.max(0, seen.top - margin) * height) / height,
      right: Math.ceil(Math.min(1, seen.right + margin) * width) / width,
      bottom: Math.ceil(Math.min(1, seen.bottom + margin) * height) / height,
    };
    const full = { w: (box.right - box.left) * photo.view.width, h: (box.bottom - box.top) * photo.view.height };
    const wanted = Math.min(LONGEST_PX, Math.max(full.w, full.h), Math.max(full.w, full.h) * (stage.view.scale / stage.view.fullScale));
    if (!this.same(photo, box)) {
      this.controller = new AbortController();
      const { signal } = this.controller;
      await this.app.depths.settle(photo);
      const query = new URLSearchParams({ ...box, long_side_px: String(Math.max(16, Math.round(wanted))) });
      const [colour, disparity] = await Promise.all([
        call(`/api/photos/${photo.id}/colour.png?${query}`, { signal }),
        call(`/api/photos/${photo.id}/disparity.f32?${photo.depthQuery}&${query}`, { signal }),
      ]);
      const image = await createImageBitmap(await colour.blob(), { colorSpaceConversion: 'none' });
      const data = new Float32Array(await disparity.arrayBuffer());
      if (signal.aborted) return; // another photo, or another part of it, is shown by now
      const depth = { ...photo.depth, data, width: Number(disparity.headers.get('x-width')), height: Number(disparity.headers.get('x-height')) };
      this.held = { id: photo.id, version: photo.version, box, image, depth, scale: image.width / full.w };
    }
    this.render(photo, picture, stage);
  }

  same(photo, box) {
    const held = this.held;
    return held && held.id === photo.id && held.version === photo.version && JSON.stringify(held.box) === JSON.stringify(box);
  }

  render(photo, picture, stage) {
    const { box, image, depth, scale } = this.held;
    const settings = photo.edit.now;
    const longSide = Math.max(photo.view.width, photo.view.height) * scale;
    const focus = focusOf(settings, photo.depth);
    const canvas = document.createElement('canvas');
    canvas.width = image.width;
    canvas.height = image.height;
    picture.renderer.setSource(`${photo.id}/${JSON.stringify(box)}/${image.width}`, image, depth, photo.version);
    picture.renderer.render(settings, focus, { longSide, box });
    canvas.getContext('2d')?.drawImage(picture.renderer.canvas, 0, 0);
    this.held.settings = JSON.stringify(settings);
    stage.patch = { image: canvas, box };
    picture.renderHere();
    stage.ask();
  }

  gain(photo) {
    const settings = photo.edit.now;
    const { plane } = focusOf(settings, photo.depth);
    return lensGain(settings, photo.depth, plane, Math.max(photo.view.width, photo.view.height));
  }

  reach(photo) {
    const { low, high } = photo.histogram;
    const { plane } = focusOf(photo.edit.now, photo.depth);
    return Math.max(high - plane, plane - low);
  }
}
