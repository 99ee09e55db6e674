/** Film: a video on the page: scrub, tap to follow from that moment on, save with pulled focus. */

import { call, follow, isCancel, post } from './api.js';
import { h, iconButton } from './dom.js';
import { FilmLanes, seconds } from './filmlanes.js';
import { FilmPreview } from './filmpreview.js';
import { t } from './strings.js';

const SCRUB_MS = 250;

export class Film {
  /** @param {any} app @param {any} view what the server says of it */
  constructor(app, view) {
    this.app = app;
    this.view = view;
    /** What was tapped, and when. @type {{at_s: number, point: [number, number]}[]} */
    this.subjects = [];
    /** From at_s on, follow a subject. @type {{at_s: number, subject: any, strength: string, pull_s: number, easing: string}[]} */
    this.decisions = [];
    this.at_s = 0;
    this.photo = null;
    this.slider = h('input', { type: 'range', min: 0, max: view.duration_s, step: 'any', value: 0, 'aria-label': t('scrub'), oninput: () => this.scrub() });
    this.lanes = new FilmLanes(this);
    this.preview = new FilmPreview(this);
    this.clock = h('output', {}, seconds(0));
    this.root = h('div', { class: 'chip film', role: 'group', 'aria-label': t('timeline'), onkeydown: (event) => { if (event.key.startsWith('Arrow')) event.stopPropagation(); } },
      h('div', { class: 'time' }, this.clock, this.slider, this.preview.button, iconButton('close', t('copyOf', { name: view.name }), () => this.close())), this.lanes.lanes, this.lanes.fields);
    app.stageRoot.append(this.root);
  }

  /** Fetch the frame of the moment where the slider stands, once it stands still; a preview has it. */
  scrub() {
    const at_s = Number(this.slider.value);
    this.tell(at_s);
    if (this.preview.show(at_s)) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.seek(at_s), SCRUB_MS);
  }

  tell(at_s) {
    this.clock.textContent = seconds(at_s);
    this.slider.setAttribute('aria-valuetext', seconds(at_s));
    this.slider.style.setProperty('--part', `${(at_s / Math.max(this.view.duration_s, 1e-3)) * 100}%`);
  }

  /** Show the frame of a moment; what was decided there is shown again. */
  async seek(at_s) {
    this.preview.remove();
    const before = this.photo;
    const photo = await this.app.openStill(this, at_s);
    if (!photo) return;
    this.photo = photo;
    if (before) this.app.closePhoto(before);
    this.at_s = photo.view.at_s;
    this.slider.value = String(this.at_s);
    this.tell(this.at_s);
    photo.edit.addEventListener('change', (event) => {
      if (event.detail.transient) return;
      this.preview.end(); // another lens, too, is not the one that is shown
      this.decide(photo);
    });
    this.lanes.show();
    this.app.refresh();
  }

  /** What was tapped on the frame of this moment, if anything. */
  decidedAt(at_s) {
    return this.subjects.find((one) => Math.abs(one.at_s - at_s) < 1e-3);
  }

  /** The focus was put somewhere on this frame: follow that from here on. */
  decide(photo) {
    const { at } = photo.edit.now;
    const known = this.decidedAt(photo.view.at_s);
    const start = photo.start.at ?? [];
    if (!at || (!known && at[0] === start[0] && at[1] === start[1])) return;
    if (known) known.point = at;
    else {
      this.subjects.push({ at_s: photo.view.at_s, point: at });
      this.decideOn(this.subjects.at(-1), photo.view.at_s);
    }
    this.changed();
  }

  /** From a moment on, focus on a subject that is known; one decision a moment. */
  decideOn(subject, at_s = Math.max(this.at_s, subject.at_s)) {
    this.decisions = this.decisions.filter((one) => Math.abs(one.at_s - at_s) > 1e-3);
    this.decisions.push({ at_s, subject, strength: 'strong', pull_s: 0.6, easing: 'smooth' });
    this.changed();
  }

  drop(decision) {
    this.decisions = this.decisions.filter((one) => one !== decision);
    this.changed();
  }

  /** Keep decisions in order and only the subjects they speak of; draw them. */
  changed() {
    this.decisions.sort((a, b) => a.at_s - b.at_s);
    this.subjects = this.subjects.filter((subject) => this.decisions.some((one) => one.subject === subject));
    this.lanes.show();
    this.preview.end();
  }

  /** The decisions as a focus script; null leaves it to the program to find the subject. */
  get script() {
    if (!this.decisions.length) return null;
    const name = (subject) => `s${this.subjects.indexOf(subject) + 1}`;
    return {
      subjects: Object.fromEntries(this.subjects.map((subject) => [name(subject), subject])),
      decisions: this.decisions.map(({ subject, ...rest }) => ({ ...rest, focus: { subject: name(subject) } })),
    };
  }

  /** Have the film rendered, whole or small; resolves to what the server told of it. */
  async render(tell, signal, preview = false) {
    const wish = { script: this.script, settings: this.photo.edit.now, preview };
    return follow(await post(`/api/films/${this.view.id}/film`, wish, signal), tell, signal);
  }

  close() {
    clearTimeout(this.timer);
    this.preview.remove();
    this.root.remove();
    this.app.film = null;
    call(`/api/films/${this.view.id}`, { method: 'DELETE' }).catch((error) => { if (!isCancel(error)) console.info(error); });
    if (this.photo) this.app.closePhoto(this.photo);
  }
}
