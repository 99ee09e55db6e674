/** Decision fields: the strength and the transition of the decision that is chosen, and its end. */

import { h, iconButton } from './dom.js';
import { t } from './strings.js';

const LONGEST_PULL_S = 10;
export const seconds = (value) => t('atSeconds', { n: value.toFixed(2) });

export class DecisionFields {
  /** @param {import('./film.js').Film} film */
  constructor(film) {
    const change = (name, read) => () => film.change(() => { this.one[name] = read(); });
    const pull_s = () => Math.min(LONGEST_PULL_S, Math.max(0, Number(this.pull.value) || 0));
    this.one = null;
    this.words = h('span', {});
    this.weak = h('input', { type: 'checkbox', onchange: change('strength', () => (this.weak.checked ? 'weak' : 'strong')) });
    this.pull = h('input', { type: 'number', min: 0, max: LONGEST_PULL_S, step: 0.1, 'aria-label': t('pullSeconds'), onchange: change('pull_s', pull_s) });
    this.easing = h('select', { 'aria-label': t('easing'), onchange: change('easing', () => this.easing.value) },
      ...['smooth', 'linear', 'ease-in', 'ease-out'].map((name) => h('option', { value: name }, t(`easing_${name}`))));
    const drop = iconButton('bin', t('decisionDrop'), () => film.change((script) => script.drop(this.one)));
    this.root = h('div', { class: 'decision', role: 'group', hidden: true }, this.words,
      h('label', { title: t('weakWords') }, this.weak, t('weak')), h('label', {}, t('pullSeconds'), this.pull), this.easing, drop);
  }

  /** @param {import('./filmscript.js').Decision | null} one */
  show(one) {
    this.one = one;
    this.root.hidden = !one;
    if (!one) return;
    this.words.textContent = t('decision', { at: seconds(one.at_s) });
    this.root.setAttribute('aria-label', this.words.textContent);
    this.weak.checked = one.strength === 'weak';
    this.pull.value = one.pull_s;
    this.easing.value = one.easing;
  }
}
