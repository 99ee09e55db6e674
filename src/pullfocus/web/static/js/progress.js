/** Progress: the card that says in words what is being done, with a bar and a way to cancel. */

import { h, say } from './dom.js';
import { t } from './strings.js';

const WORDS = {
  waiting: 'waiting', 'reading the photo': 'reading', 'working out depth': 'measuring',
  'looking for the subject': 'measuring', 'rendering at full resolution': 'rendering', rendering: 'rendering',
};

/** @typedef {{title: string, controller: AbortController, part: number, message: string}} Work */

/** @param {HTMLElement} parent */
export class Progress {
  constructor(parent) {
    this.title = h('b', {});
    this.words = h('span', { class: 'small soft' });
    this.fill = h('div', { class: 'bar-fill' });
    this.track = h('div', { class: 'bar-track', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-label': t('finished') }, this.fill);
    this.stop = h('button', { type: 'button', class: 'edge', onclick: () => this.works.at(-1)?.controller.abort() }, t('cancel'));
    this.card = h('div', { class: 'progress', hidden: true },
      h('div', { class: 'row' }, h('div', {}, this.title, h('div', {}, this.words)), this.stop), this.track);
    parent.append(this.card);
    /** What is being done: the last that was begun is shown, then again those before it. @type {Work[]} */
    this.works = [];
    this.said = '';
  }

  /**
   * Show the card while something is done; `work` gets `tell` and a signal.
   * @template T
   * @param {string} title
   * @param {(tell: (part: number, message: string) => void, signal: AbortSignal) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async during(title, work) {
    const one = { title, controller: new AbortController(), part: 0, message: 'waiting' };
    const tell = (part, message) => { Object.assign(one, { part, message }); this.show(); };
    this.works.push(one);
    this.show();
    try {
      return await work(tell, one.controller.signal);
    } finally {
      this.works = this.works.filter((other) => other !== one);
      this.show();
    }
  }

  show() {
    const one = this.works.at(-1);
    this.card.hidden = !one;
    if (!one) {
      this.said = '';
      return;
    }
    const { title, part, message } = one;
    const words = message in WORDS ? t(WORDS[message]) : message;
    this.title.textContent = title;
    this.words.textContent = words;
    this.fill.style.width = `${Math.round(part * 100)}%`;
    this.track.setAttribute('aria-valuenow', String(Math.round(part * 100)));
    this.track.setAttribute('aria-label', words);
    this.sayOnce(`${title}: ${words}`);
  }

  /** Tell each step once to people who listen, not every frame of a film. */
  sayOnce(words) {
    const step = words.replace(/\d+/g, '');
    if (step !== this.said) say(words);
    this.said = step;
  }
}
