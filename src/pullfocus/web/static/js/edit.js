/** Edit: the one Settings value of a photo, with its history. */

import { readObject } from './jsontext.js';

export class Edit extends EventTarget {
  /** @param {Record<string, any>} defaults */
  constructor(defaults) {
    super();
    this.defaults = defaults;
    this.past = [];
    this.future = [];
    /** @type {Record<string, any>} */
    this.now = { ...defaults };
    this.pending = null;
    /** The last step that is in a file. */
    this.kept = undefined;
  }

  /** Whether there are steps that no file holds. */
  get unsaved() { return this.past.at(-1) !== this.kept; }

  /** What is there now has been saved. */
  keep() { this.kept = this.past.at(-1); }

  /**
   * Change settings. A transient change (while a handle moves) joins the next settled one.
   * @param {Record<string, any>} change @param {{transient?: boolean, tapped?: boolean}} [how] tapped: the focus was
   *     put on something in the picture, which is told even if it was there already
   */
  set(change, { transient = false, tapped = false } = {}) {
    const next = { ...this.now, ...change };
    const same = JSON.stringify(next) === JSON.stringify(this.now);
    if (same && (transient || !(this.pending || tapped))) return;
    this.pending ??= this.now;
    this.now = next;
    const stepped = !transient && this.settle();
    this.dispatchEvent(new CustomEvent('change', { detail: { transient, tapped, stepped, keys: Object.keys(change) } }));
  }

  /** End a run of transient changes: one step of history, if anything is different. */
  settle() {
    const stepped = this.pending !== null && JSON.stringify(this.pending) !== JSON.stringify(this.now);
    if (stepped) {
      this.past.push({ settings: this.pending });
      if (this.past.length > 200) this.past.shift();
      this.future = [];
    }
    this.pending = null;
    return stepped;
  }

  /** Take a run of transient changes back: it was none. */
  revert() {
    if (this.pending === null) return;
    [this.now, this.pending] = [this.pending, null];
    this.dispatchEvent(new CustomEvent('change', { detail: { transient: false } }));
  }

  /**
   * Put a step into the history that is not a setting (a stroke of the brush).
   * @param {() => void} undo @param {() => void} redo
   * @param {{lasts?: boolean}} [how] lasts: is no matter of this one photo, so that others inherit it
   */
  remember(undo, redo, { lasts = false } = {}) {
    this.past.push({ undo, redo, lasts });
    this.future = [];
    this.dispatchEvent(new CustomEvent('change', { detail: { transient: false } }));
  }

  /** Let the last step undo something that lasts, too. */
  join(undo, redo) {
    Object.assign(this.past.at(-1), { undo, redo, lasts: true });
  }

  /** Take over what lasts of another photo's history, less the settings of that photo. */
  inherit(other) {
    const lasting = (steps) => steps.filter((step) => step.lasts).map(({ undo, redo, lasts }) => ({ undo, redo, lasts }));
    const { unsaved } = other;
    [this.past, this.future] = [lasting(other.past), lasting(other.future)];
    if (!unsaved) this.keep();
  }

  undo() { this.travel(this.past, this.future, 'undo'); }
  redo() { this.travel(this.future, this.past, 'redo'); }

  travel(from, to, way) {
    this.settle();
    const step = from.pop();
    if (!step) return;
    to.push(step.settings ? { ...step, settings: this.now } : step);
    if (step.settings) this.now = step.settings;
    step[way]?.();
    this.dispatchEvent(new CustomEvent('change', { detail: { transient: false } }));
  }

  /** Back to what a new photo has, as one undoable step. */
  reset(start) {
    this.set({ ...this.defaults, ...start });
  }

  /** The settings as a sidecar holds them, only what differs from the defaults. */
  toText() {
    const told = {};
    for (const [key, value] of Object.entries(this.now)) {
      if (JSON.stringify(value) !== JSON.stringify(this.defaults[key])) told[key] = value;
    }
    return JSON.stringify({ sidecar_version: 1, settings: told }, null, 2);
  }

  /** Read settings or a sidecar; what makes no sense in them, the program says. */
  static read(text, defaults) {
    const content = readObject(text);
    const settings = content.settings && typeof content.settings === 'object' ? content.settings : content;
    return { ...defaults, ...settings, depth_file: null, max_megapixels: defaults.max_megapixels };
  }
}
