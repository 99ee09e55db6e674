/** Film lanes: one lane for each subject of a film, one dot for each decision. */

import { h } from './dom.js';
import { DecisionFields, seconds } from './filmfields.js';
import { t } from './strings.js';

const STEP_S = 0.1;
const CLICK_PX = 3;

export class FilmLanes {
  /** @param {import('./film.js').Film} film */
  constructor(film) {
    this.film = film;
    this.lanes = h('div', { class: 'lanes' });
    this.fields = new DecisionFields(film);
    /** @type {import('./filmscript.js').Decision | null} */
    this.chosen = null;
  }

  /** Draw what is decided now; what has the keyboard keeps it. */
  show() {
    const { script, at_s } = this.film;
    const { subjects, decisions } = script;
    const held = this.lanes.contains(document.activeElement) ? document.activeElement : null;
    const chosen = decisions.find((one) => one === this.chosen || one.at_s === this.chosen?.at_s);
    this.dots = new Map(decisions.map((one) => [one, this.dot(one)]));
    const lanes = subjects.map((subject) => this.lane(this.again(subject), subject.name, subject));
    if (decisions.some((one) => !one.subject)) lanes.push(this.lane(h('span', { class: 'name' }, t('planes')), t('planes'), null));
    this.lanes.replaceChildren(...lanes);
    this.choose(chosen ?? script.inForce(at_s));
    if (held) this.hold(held);
  }

  /** The keyboard goes to what stands for an element that was drawn anew, to the slider without. */
  hold({ className, textContent }) {
    const names = [...this.lanes.querySelectorAll('button.name')];
    const same = className === 'name' ? names.find((name) => name.textContent === textContent) : this.dots.get(this.chosen);
    (same ?? this.film.slider).focus();
  }

  lane(head, name, subject) {
    const own = this.film.script.decisions.filter((one) => one.subject === subject);
    return h('div', { class: 'row', role: 'group', 'aria-label': name }, head, h('div', { class: 'dots' }, ...own.map((one) => this.dots.get(one))));
  }

  /** A lane's name: puts the focus back on its subject; Delete takes the lane out. */
  again(subject) {
    const { film } = this;
    const label = t('laneAgain', { name: subject.name });
    return h('button', { type: 'button', class: 'name', 'aria-label': label, title: t('laneKeys', { label }),
      onclick: () => { this.letGo(); film.change((script) => script.decideOn(subject, film.at_s)); },
      onkeydown: (event) => { if (isDelete(event)) film.change((script) => script.remove(subject)); } }, subject.name);
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
    dot.style.left = `${this.film.part(at_s) * 100}%`;
  }

  /** From now on the chosen decision is that of the moment on screen. */
  letGo() {
    this.chosen = null;
  }

  choose(one) {
    this.dots.get(this.chosen)?.removeAttribute('aria-current');
    this.dots.get(one)?.setAttribute('aria-current', 'true');
    this.chosen = one;
    this.fields.show(one);
  }

  key(one, event) {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (isDelete(event)) this.film.change((script) => script.drop(one));
    else if (way) this.move(one, one.at_s + way * STEP_S);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  move(one, at_s) {
    this.film.change((script) => script.move(one, at_s, this.film.end_s));
  }

  /** Drag a dot along its lane; one that was not moved is gone to instead. */
  grab(one, dot, event) {
    const { film } = this;
    const lane = dot.parentElement.getBoundingClientRect();
    const startX = event.clientX;
    let at_s = one.at_s;
    dot.focus();
    dot.setPointerCapture(event.pointerId);
    dot.onpointermove = ({ clientX }) => {
      if (Math.abs(clientX - startX) < CLICK_PX && at_s === one.at_s) return;
      const { start_s, duration_s } = film.view;
      at_s = film.script.allowed(one, start_s + ((clientX - lane.left) / lane.width) * duration_s, film.end_s);
      this.place(dot, at_s);
    };
    dot.onpointerup = () => {
      dot.onpointermove = dot.onpointerup = null;
      if (at_s === one.at_s) film.seek(at_s);
      else this.move(one, at_s);
    };
  }
}

const isDelete = (event) => event.key === 'Delete' || event.key === 'Backspace';
