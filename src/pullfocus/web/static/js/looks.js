/** Looks: what the stage shows of a photo: its depth, what is sharp, before and after. */

import { paintPeaking } from './magma.js';
import { focusOf, radiusOf } from './optics.js';

export class Looks {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
    this.depth = false;
    this.peaking = false;
    this.canvas = document.createElement('canvas');
  }

  toggleDepth(on = !this.depth) {
    if (!this.app.photo?.depth) return;
    this.depth = on;
    if (!on && this.app.brushing.on) this.app.brushing.show(false);
    this.show();
    this.app.refresh();
  }

  toggleBrush() {
    if (!this.app.photo?.depth) return;
    const on = !this.app.brushing.on;
    this.app.brushing.show(on);
    this.app.tools.loupe.hidden = true; // the photo may move away under it
    this.toggleDepth(on);
  }

  togglePeaking() {
    this.peaking = !this.peaking;
    this.show();
    this.app.refresh();
  }

  toggleDivider() {
    const { stage } = this.app;
    stage.divider = stage.divider === null ? 0.5 : null;
    stage.ask();
    this.app.refresh();
  }

  /** Escape: back to the plain picture. */
  leave() {
    if (this.app.brushing.on) return this.toggleBrush();
    if (this.depth) this.toggleDepth(false);
    if (this.app.stage.divider !== null) this.toggleDivider();
    if (this.peaking) this.togglePeaking();
  }

  hold(on) {
    const { stage } = this.app;
    if (stage.holdOriginal === on) return;
    stage.holdOriginal = on;
    stage.ask();
  }

  /** Paint depth and peaking of the photo that is shown. */
  show() {
    const { photo, stage, tools } = this.app;
    stage.depth = this.depth && photo?.depth ? photo.depthCanvas : null;
    stage.peaking = null;
    if (!this.depth) tools.loupe.hidden = true;
    if (this.peaking && photo?.depth) {
      paintPeaking(this.canvas, photo.depth, this.radiusOf(photo));
      stage.peaking = this.canvas;
    }
    stage.ask();
  }

  /** Blur radius in preview pixels of a disparity. */
  radiusOf({ edit, depth }) {
    return radiusOf(edit.now, depth, focusOf(edit.now, depth), Math.max(depth.width, depth.height));
  }
}
