/** Film: a video on the page: scrub, tap to follow from that moment on, save with pulled focus. */

import { call, follow, isCancel, post } from './api.js';
import { h, iconButton } from './dom.js';
import { seconds } from './filmfields.js';
import { FilmLanes } from './filmlanes.js';
import { FilmPaper } from './filmpaper.js';
import { FilmPreview } from './filmpreview.js';
import { FilmScript } from './filmscript.js';
import { t } from './strings.js';

const SCRUB_MS = 250;

export class Film {
  /** @param {any} app @param {any} view what the server says of it */
  constructor(app, view) {
    this.app = app;
    this.view = view;
    this.script = new FilmScript();
    this.at_s = 0;
    /** The moment to show next, while a frame is fetched. @type {number | null} */
    this.wanted_s = null;
    this.seeking = false;
    this.photo = null;
    this.slider = h('input', { type: 'range', min: view.start_s, max: this.end_s, step: 'any', value: view.start_s, 'aria-label': t('scrub'), oninput: () => this.scrub() });
    this.lanes = new FilmLanes(this);
    this.paper = new FilmPaper(this);
    this.preview = new FilmPreview(this);
    this.clock = h('output', {}, seconds(view.start_s));
    this.root = h('div', { class: 'chip film', role: 'group', 'aria-label': t('timeline'), onkeydown: (event) => { if (event.key.startsWith('Arrow')) event.stopPropagation(); } },
      h('div', { class: 'time' }, this.clock, this.slider, this.preview.button, iconButton('close', t('copyOf', { name: view.name }), () => this.close())),
      this.lanes.lanes, this.lanes.fields.root, this.paper.root);
    app.stageRoot.append(this.root);
    this.sized = new ResizeObserver(() => app.stage.leaveRoom(this.root.hidden ? 0 : app.stageRoot.clientHeight - this.root.offsetTop));
    this.sized.observe(this.root);
  }

  get end_s() { return this.view.start_s + this.view.duration_s; }

  /** How far into the film a moment lies, 0..1. */
  part(at_s) {
    const { start_s, duration_s } = this.view;
    return Math.min(1, Math.max(0, (at_s - start_s) / Math.max(duration_s, 1e-3)));
  }

  get stem() { return this.view.name.replace(/\.[^.]+$/, ''); }

  /** Fetch the frame of the moment where the slider stands, once it stands still; a preview has it. */
  scrub() {
    const at_s = Number(this.slider.value);
    this.tell(at_s);
    this.lanes.letGo();
    if (this.preview.show(at_s)) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.seek(at_s), SCRUB_MS);
  }

  tell(at_s) {
    this.clock.textContent = seconds(at_s);
    this.slider.setAttribute('aria-valuetext', seconds(at_s));
    this.slider.style.setProperty('--part', `${this.part(at_s) * 100}%`);
  }

  /** Show the frame of a moment; of moments that are asked for meanwhile, only the last is fetched. */
  async seek(at_s) {
    this.preview.remove();
    this.wanted_s = at_s;
    if (this.seeking) return;
    this.seeking = true;
    while (this.wanted_s !== null) {
      const next_s = this.wanted_s;
      this.wanted_s = null;
      await this.showFrame(next_s);
    }
    this.seeking = false;
  }

  /** Fetch a frame; what was decided there is shown again. */
  async showFrame(at_s) {
    const photo = await this.app.openStill(this, at_s);
    if (!photo) return;
    if (this.app.film !== this) return this.app.closePhoto(photo); // closed meanwhile
    const before = this.photo;
    this.photo = photo;
    if (before) {
      photo.edit.inherit(before.edit);
      this.app.closePhoto(before);
    }
    this.at_s = photo.view.at_s;
    if (this.wanted_s === null) this.slider.value = String(this.at_s);
    this.tell(Number(this.slider.value));
    photo.edit.addEventListener('change', ({ detail }) => this.edited(photo, detail));
    this.lanes.show();
    this.app.refresh();
  }

  /** The lens or the focus of the frame changed; what was tapped is followed from here on. */
  edited(photo, { transient, tapped, stepped }) {
    if (transient) return;
    this.preview.end(); // another lens, too, is not the one that is shown
    if (!tapped) return;
    const remember = stepped ? (undo, redo) => photo.edit.join(undo, redo) : undefined;
    this.lanes.letGo();
    this.change((script) => script.tap(photo.view.at_s, photo.edit.now.at), remember);
  }

  /**
   * Change the script, as a step that can be undone.
   * @param {(script: FilmScript) => void} work @param {(undo: () => void, redo: () => void) => void} [remember]
   */
  change(work, remember = (undo, redo) => this.photo?.edit.remember(undo, redo, { lasts: true })) {
    const before = this.script.copy();
    work(this.script);
    const after = this.script.copy();
    remember(() => this.restore(before), () => this.restore(after));
    this.changed();
  }

  restore(script) {
    this.script = script.copy();
    this.changed();
  }

  changed() {
    this.lanes.show();
    this.paper.show();
    this.preview.end();
  }

  /** Have the film rendered, whole or small; resolves to what the server told of it. */
  async render(tell, signal, preview = false) {
    const wish = { script: this.script.content, settings: this.photo.edit.now, preview };
    return follow(await post(`/api/films/${this.view.id}/film`, wish, signal), tell, signal);
  }

  close() {
    clearTimeout(this.timer);
    this.preview.making?.abort();
    this.preview.remove();
    this.sized.disconnect();
    this.root.remove();
    this.app.stage.leaveRoom(0);
    this.app.film = null;
    call(`/api/films/${this.view.id}`, { method: 'DELETE' }).catch((error) => { if (!isCancel(error)) console.info(error); });
    if (this.photo) this.app.closePhoto(this.photo);
  }
}
