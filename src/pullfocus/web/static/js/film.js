/** Film: a video on the page: scrub, tap to follow from that moment on, save with pulled focus. */

import { call, follow, isCancel, post } from './api.js';
import { h, iconButton } from './dom.js';
import { t } from './strings.js';

const SCRUB_MS = 250;
const seconds = (value) => t('atSeconds', { n: value.toFixed(2) });

export class Film {
  /** @param {any} app @param {any} view what the server says of it */
  constructor(app, view) {
    this.app = app;
    this.view = view;
    /** From at_s on, follow what is at this point. @type {{at_s: number, point: [number, number]}[]} */
    this.decisions = [];
    this.at_s = 0;
    this.photo = null;
    this.slider = h('input', { type: 'range', min: 0, max: view.duration_s, step: 'any', value: 0, 'aria-label': t('scrub'), oninput: () => this.scrub() });
    this.dots = h('div', { class: 'dots' });
    this.clock = h('output', {}, seconds(0));
    this.root = h('div', { class: 'chip film', role: 'group', 'aria-label': t('timeline') },
      this.clock, h('div', { class: 'lane' }, this.dots, this.slider), iconButton('close', t('copyOf', { name: view.name }), () => this.close()));
    app.stageRoot.append(this.root);
  }

  /** Fetch the frame of the moment where the slider stands, once it stands still. */
  scrub() {
    const at_s = Number(this.slider.value);
    this.tell(at_s);
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
    const before = this.photo;
    const photo = await this.app.openStill(this, at_s);
    if (!photo) return;
    this.photo = photo;
    if (before) this.app.closePhoto(before);
    this.at_s = photo.view.at_s;
    this.slider.value = String(this.at_s);
    this.tell(this.at_s);
    photo.edit.addEventListener('change', (event) => { if (!event.detail.transient) this.decide(photo); });
    this.show();
    this.app.refresh();
  }

  decidedAt(at_s) {
    return this.decisions.find((one) => Math.abs(one.at_s - at_s) < 1e-3);
  }

  /** The focus was put somewhere on this frame: follow that from here on. */
  decide(photo) {
    const { at } = photo.edit.now;
    const known = this.decidedAt(photo.view.at_s);
    const start = photo.start.at ?? [];
    if (!at || (!known && at[0] === start[0] && at[1] === start[1])) return;
    if (known) known.point = at;
    else this.decisions.push({ at_s: photo.view.at_s, point: at });
    this.decisions.sort((a, b) => a.at_s - b.at_s);
    this.show();
  }

  drop(decision) {
    this.decisions = this.decisions.filter((one) => one !== decision);
    this.show();
  }

  /** One dot for each decision: a click goes there, Delete takes it back. */
  show() {
    this.dots.replaceChildren(...this.decisions.map((one) => {
      const dot = h('button', { type: 'button', 'aria-label': t('decision', { at: seconds(one.at_s) }), title: t('decision', { at: seconds(one.at_s) }),
        onclick: () => this.seek(one.at_s), onkeydown: (event) => { if (event.key === 'Delete' || event.key === 'Backspace') this.drop(one); } });
      dot.style.left = `${(one.at_s / Math.max(this.view.duration_s, 1e-3)) * 100}%`;
      return dot;
    }));
  }

  /** The decisions as a focus script; null leaves it to the program to find the subject. */
  get script() {
    if (!this.decisions.length) return null;
    const names = this.decisions.map((_, k) => `s${k + 1}`);
    return {
      subjects: Object.fromEntries(this.decisions.map((one, k) => [names[k], one])),
      decisions: this.decisions.map(({ at_s }, k) => ({ at_s, focus: { subject: names[k] } })),
    };
  }

  /** Have the film rendered; resolves to what the server told of it. */
  async render(tell, signal) {
    const wish = { script: this.script, settings: this.photo.edit.now };
    return follow(await post(`/api/films/${this.view.id}/film`, wish, signal), tell, signal);
  }

  close() {
    clearTimeout(this.timer);
    this.root.remove();
    this.app.film = null;
    call(`/api/films/${this.view.id}`, { method: 'DELETE' }).catch((error) => { if (!isCancel(error)) console.info(error); });
    if (this.photo) this.app.closePhoto(this.photo);
  }
}
