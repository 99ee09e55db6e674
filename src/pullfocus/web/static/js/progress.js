/** Progress: the card that says in words what is being done, with a bar and a way to cancel. */

import { h } from './dom.js';
import { t } from './strings.js';

const WORDS = {
  waiting: 'waiting', 'reading the photo': 'reading', 'working out depth': 'measuring',
  'looking for the subject': 'measuring', 'rendering at full resolution': 'rendering', rendering: 'rendering',
};

/** @param {HTMLElement} parent */
export class Progress {
  constructor(parent) {
    this.title = h('b', {});
    this.words = h('span', { class: 'small soft' });
    this.fill = h('div', { class: 'bar-fill' });
    this.track = h('div', { class: 'bar-track', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-label': t('finished') }, this.fill);
    this.stop = h('button', { type: 'button', class: 'edge', onclick: () => this.controller?.abort() }, t('cancel'));
    this.card = h('div', { class: 'progress', hidden: true, 'aria-live': 'polite' },
      h('div', { class: 'row' }, h('div', {}, this.title, h('div', {}, this.words)), this.stop), this.track);
    parent.append(this.card);
    this.controller = null;
  }

  /**
   * Show the card while something is done; `work` gets `tell` and a signal.
   * @template T
   * @param {string} title
   * @param {(tell: (part: number, message: string) => void, signal: AbortSignal) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async during(title, work) {
    const controller = new AbortController();
    this.controller = controller;
    this.title.textContent = title;
    this.tell(0, 'waiting');
    this.card.hidden = false;
    try {
      return await work((part, message) => this.tell(part, message), controller.signal);
    } finally {
      if (this.controller === controller) this.card.hidden = true;
    }
  }

  tell(part, message) {
    this.words.textContent = message in WORDS ? t(WORDS[message]) : message;
    this.fill.style.width = `${Math.round(part * 100)}%`;
    this.track.setAttribute('aria-valuenow', String(Math.round(part * 100)));
    this.track.setAttribute('aria-label', this.words.textContent ?? '');
  }
}
