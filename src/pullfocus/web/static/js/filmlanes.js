/** Film lanes: one lane for each subject of a film, one dot for each decision, and its fields. */

import { h } from './dom.js';
import { t } from './strings.js';

const STEP_S = 0.1;
const APART_S = 0.01;
const CLICK_PX = 3;
export const seconds = (value) => t('atSeconds', { n: value.toFixed(2) });

export class FilmLanes {
  /** @param {import('./film.js').Film} film */
  constructor(film) {
    this.film = film;
    this.lanes = h('div', { class: 'lanes' });
    this.fields = h('div', { class: 'decision', role: 'group', hidden: true });
    this.chosen = null;
  }

  /** Draw what is decided now; the dot that has the keyboard keeps it. */
  show() {
    const { film } = this;
    const held = this.lanes.contains(document.activeElement) ? this.chosen : null;
    if (!film.decisions.includes(this.chosen)) this.chosen = null;
    this.dots = new Map(film.decisions.map((one) => [one, this.dot(one)]));
    this.lanes.replaceChildren(...film.subjects.map((subject, k) => this.lane(subject, k)));
    this.showFields();
    this.dots.get(held)?.focus();
  }

  lane(subject, k) {
    const own = this.film.decisions.filter((one) => one.subject === subject);
    const name = t('lane', { n: k + 1 });
    const again = h('button', { type: 'button', class: 'name', 'aria-label': t('laneAgain', { name }), title: t('laneAgain', { name }), onclick: () => this.film.decideOn(subject) }, name);
    return h('div', { class: 'row', role: 'group', 'aria-label': name }, again, h('div', { class: 'dots' }, ...own.map((one) => this.dots.get(one))));
  }

  dot(one) {
    const label = t('decision', { at: seconds(one.at_s) });
    const dot = h('button', { type: 'button', 'aria-label': label, title: t('decisionKeys', { label }), class: one.strength,
      onfocus: () => this.choose(one), onkeydown: (event) => this.key(one, event), onpointerdown: (event) => this.grab(one, dot, event),
      onclick: (event) => { if (event.detail === 0) this.film.seek(one.at_s); } });
    this.place(dot, one.at_s);
    return dot;
  }

  place(dot, at_s) {
    dot.style.left = `${(at_s / Math.max(this.film.view.duration_s, 1e-3)) * 100}%`;
  }

  choose(one) {
    this.chosen = one;
    this.showFields();
  }

  key(one, event) {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === 'Delete' || event.key === 'Backspace') this.film.drop(one);
    else if (way) this.move(one, one.at_s + way * STEP_S);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Drag a dot along its lane; one that was not moved is gone to instead. */
  grab(one, dot, event) {
    const lane = dot.parentElement.getBoundingClientRect();
    const startX = event.clientX;
    let at_s = one.at_s;
    dot.focus();
    dot.setPointerCapture(event.pointerId);
    dot.onpointermove = ({ clientX }) => {
      if (Math.abs(clientX - startX) < CLICK_PX && at_s === one.at_s) return;
      at_s = this.allowed(one, ((clientX - lane.left) / lane.width) * this.film.view.duration_s);
      this.place(dot, at_s);
    };
    dot.onpointerup = () => {
      dot.onpointermove = dot.onpointerup = null;
      if (at_s === one.at_s) this.film.seek(at_s);
      else this.move(one, at_s);
    };
  }

  /** A subject is known from the moment on at which it was tapped. */
  allowed(one, at_s) {
    return Math.min(Math.max(at_s, one.subject.at_s), this.film.view.duration_s);
  }

  /** Let a decision begin at another time, a little beside any other. */
  move(one, wished_s) {
    let at_s = this.allowed(one, wished_s);
    const taken = (time) => this.film.decisions.some((other) => other !== one && Math.abs(other.at_s - time) < APART_S / 2);
    while (taken(at_s)) at_s += APART_S;
    one.at_s = at_s;
    this.film.changed();
  }

  /** The chosen decision's strength and transition. */
  showFields() {
    const one = this.chosen;
    this.fields.hidden = !one;
    if (!one) return;
    this.fields.setAttribute('aria-label', t('decision', { at: seconds(one.at_s) }));
    const weak = h('input', { type: 'checkbox', checked: one.strength === 'weak', onchange: () => { one.strength = weak.checked ? 'weak' : 'strong'; this.film.changed(); } });
    const pull = h('input', { type: 'number', min: 0, max: 10, step: 0.1, value: one.pull_s, 'aria-label': t('pullSeconds'), oninput: () => { one.pull_s = Math.min(10, Math.max(0, Number(pull.value) || 0)); } });
    const easing = h('select', { 'aria-label': t('easing'), onchange: () => { one.easing = easing.value; } },
      ...['smooth', 'linear', 'ease-in', 'ease-out'].map((name) => h('option', { value: name }, t(`easing_${name}`))));
    easing.value = one.easing;
    this.fields.replaceChildren(h('span', {}, t('decision', { at: seconds(one.at_s) })), h('label', { title: t('weakWords') }, weak, t('weak')), h('label', {}, t('pullSeconds'), pull), easing);
  }
}
