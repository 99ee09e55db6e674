/** Edit: the one Settings value of a photo, with its history. */

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
  }

  /**
   * Change settings. A transient change (while a handle moves) joins the next settled one.
   * @param {Record<string, any>} change @param {{transient?: boolean}} [how]
   */
  set(change, { transient = false } = {}) {
    const next = { ...this.now, ...change };
    const same = JSON.stringify(next) === JSON.stringify(this.now);
    if (same && (transient || !this.pending)) return;
    this.pending ??= this.now;
    this.now = next;
    if (!transient) this.settle();
    this.dispatchEvent(new CustomEvent('change', { detail: { transient } }));
  }

  /** End a run of transient changes: one step of history. */
  settle() {
    if (this.pending && JSON.stringify(this.pending) !== JSON.stringify(this.now)) {
      this.past.push({ settings: this.pending });
      if (this.past.length > 200) this.past.shift();
      this.future = [];
    }
    this.pending = null;
  }

  /** Put a step into the history that is not a setting (a stroke of the brush). */
  remember(undo, redo) {
    this.past.push({ undo, redo });
    this.future = [];
    this.dispatchEvent(new CustomEvent('change', { detail: { transient: false } }));
  }

  undo() { this.travel(this.past, this.future, 'undo'); }
  redo() { this.travel(this.future, this.past, 'redo'); }

  travel(from, to, way) {
    this.settle();
    const step = from.pop();
    if (!step) return;
    if (step.settings) {
      to.push({ settings: this.now });
      this.now = step.settings;
    } else {
      step[way]();
      to.push(step);
    }
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

  /** Read settings or a sidecar; throws on anything else. */
  static read(text, defaults) {
    const content = JSON.parse(text);
    const settings = content && typeof content.settings === 'object' ? content.settings : content;
    if (!settings || typeof settings !== 'object' || Array.isArray(settings)) throw new SyntaxError('settings');
    for (const key of Object.keys(settings)) if (!(key in defaults)) throw new SyntaxError(key);
    return { ...defaults, ...settings, depth_file: null, max_megapixels: defaults.max_megapixels };
  }
}
