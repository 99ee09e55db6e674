/** Focusing: where the focus is put: by a point, a pull, or the cross that keys move. */

import { calm, say } from './dom.js';
import { eased, focusOf } from './optics.js';
import { shifted } from './range.js';
import { t } from './strings.js';

const PULL_MS = 900;
const LARGEST_STEP = 0.2; // a slow GPU turns slower rather than jumps
const inside = (v) => Math.min(1, Math.max(0, v));
const round = (v) => Math.round(v * 1e5) / 1e5;

export class Focusing {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
    /** Where keys have moved the cross, before Enter. @type {{x: number, y: number} | null} */
    this.cross = null;
    this.pulling = 0;
  }

  /** A disparity of the photo that is shown, for people. */
  words(disparity) {
    if (this.app.photo?.depth?.kind !== 'metric') return t('relativeValue', { n: Math.round(disparity * 100) });
    return disparity < 1e-3 ? t('infinity') : t('metricValue', { n: (1 / disparity).toFixed(disparity > 0.5 ? 2 : 1) });
  }

  /** Focus on a point (fractions). @param {boolean} transient while a finger moves */
  at(x, y, transient = false) {
    const { photo } = this.app;
    if (!photo?.depth || x < 0 || y < 0 || x > 1 || y > 1) return;
    const plane = photo.disparityAt(x, y);
    const change = { at: [round(x), round(y)], subject: null, focus_m: null, focus_disparity: plane };
    const focus = focusOf(photo.edit.now, photo.depth);
    if (focus.range) change.range = shifted(focus.range, plane - focus.plane, photo);
    photo.edit.set(change, { transient, tapped: true });
    if (!transient) say(t('focusedAt', { where: this.words(plane) }));
  }

  /** End a pull that is on its way: a hand has taken over. */
  stopPull() {
    this.pulling += 1;
  }

  /** Turn the focus slowly to a point, as a focus puller does. */
  pullTo(x, y, from = this.app.picture.planeShown) {
    const { photo, picture, stage } = this.app;
    if (!photo?.depth) return;
    const start = from ?? focusOf(photo.edit.now, photo.depth).plane;
    this.at(x, y);
    const end = focusOf(photo.edit.now, photo.depth).plane;
    if (calm() || !picture.here || photo.edit.now.range) return;
    let [part, last] = [0, performance.now()];
    const run = (this.pulling += 1);
    const frame = () => {
      if (run !== this.pulling || this.app.photo !== photo) return;
      const now = performance.now();
      part = Math.min(1, part + Math.min(LARGEST_STEP, (now - last) / PULL_MS));
      last = now;
      stage.ring = 1 - part;
      picture.ask(photo, part < 1 ? { plane: start + (end - start) * eased(part), draft: true } : {});
      if (part < 1) requestAnimationFrame(frame);
    };
    frame();
  }

  /** Draw the cross where the settings have the focus. */
  show() {
    const { photo, stage } = this.app;
    const at = photo?.edit.now.at;
    stage.ring = 0;
    stage.cross = photo?.depth && at ? { x: at[0], y: at[1], certain: true } : null;
    this.cross = null;
    stage.ask();
  }

  moveCross(dx, dy) {
    const { photo, stage, brushing } = this.app;
    const from = this.cross ?? stage.cross ?? { x: 0.5, y: 0.5 };
    this.cross = { x: inside(from.x + dx), y: inside(from.y + dy) };
    stage.cross = { ...this.cross, certain: false };
    if (brushing.on) brushing.hover(this.cross);
    const where = photo?.depth ? this.words(photo.disparityAt(this.cross.x, this.cross.y)) : '';
    say(t('crossAt', { x: Math.round(this.cross.x * 100), y: Math.round(this.cross.y * 100), where }));
    stage.ask();
  }

  /** Enter: focus at the cross, or dab there with the brush. */
  atCross() {
    const { brushing, stage } = this.app;
    const at = this.cross ?? stage.cross;
    if (at && brushing.on) for (const phase of ['start', 'end']) brushing.touch(at, phase);
    else if (at) this.at(at.x, at.y);
  }

  pullToCross() {
    const at = this.cross ?? this.app.stage.cross;
    if (at) this.pullTo(at.x, at.y);
  }
}
