/** Fields: sliders, segments and selects of the panel, labelled and told in words. */

import { h, icon } from './dom.js';

let count = 0;

/**
 * A slider with its value in words.
 * @param {{label: string, min: number, max: number, step: number, words: (v: number) => string,
 *   change: (v: number, transient: boolean) => void, big?: boolean}} how
 */
export function slider({ label, min, max, step, words, change, big = false }) {
  const id = `field${(count += 1)}`;
  const output = h('output', { for: id });
  const input = h('input', { type: 'range', id, min, max, step });
  const told = () => {
    const value = Number(input.value);
    output.textContent = words(value);
    input.setAttribute('aria-valuetext', words(value));
    input.style.setProperty('--part', `${((value - min) / (max - min)) * 100}%`);
  };
  input.addEventListener('input', () => { told(); change(Number(input.value), true); });
  input.addEventListener('change', () => { told(); change(Number(input.value), false); });
  const element = h('div', { class: big ? 'field big' : 'field' },
    h('div', { class: 'head' }, h('label', { for: id }, label), output), input);
  return { element, input, show: (value) => { input.value = String(value); told(); } };
}

/**
 * A row of buttons of which one is chosen.
 * @param {{label: string, options: {value: any, label: string, glyph?: string}[], change: (v: any) => void}} how
 */
export function segments({ label, options, change }) {
  const buttons = options.map((option) => {
    const button = h('button', { type: 'button', role: 'radio', 'aria-label': option.label, title: option.label,
      onclick: () => change(option.value) });
    if (option.glyph) button.append(icon(option.glyph));
    else button.append(option.label);
    return button;
  });
  const group = h('div', { class: 'segments', role: 'radiogroup', 'aria-label': label }, ...buttons);
  group.addEventListener('keydown', (event) => {
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const at = buttons.indexOf(/** @type {any} */ (document.activeElement));
    const next = (at + way + buttons.length) % buttons.length;
    buttons[next].focus();
    change(options[next].value);
  });
  const show = (value) => options.forEach((option, k) => {
    const chosen = option.value === value;
    buttons[k].setAttribute('aria-checked', String(chosen));
    buttons[k].tabIndex = chosen || (value === undefined && k === 0) ? 0 : -1;
  });
  return { element: h('div', { class: 'field' }, h('div', { class: 'head' }, h('span', {}, label)), group), show };
}

/** A list to choose from. */
export function choice({ label, options, change }) {
  const id = `field${(count += 1)}`;
  const select = h('select', { id, onchange: () => change(select.value) },
    ...options.map(([value, words]) => h('option', { value }, words)));
  return {
    element: h('div', { class: 'field' }, h('div', { class: 'head' }, h('label', { for: id }, label)), select),
    show: (value) => { select.value = value ?? ''; },
    select,
  };
}

/** A box to tick. */
export function tick({ label, change }) {
  const input = h('input', { type: 'checkbox', onchange: () => change(input.checked) });
  return { element: h('label', { class: 'row small' }, input, label), show: (value) => { input.checked = value; }, input };
}

/** The outline of an aperture with straight blades, as an icon. */
export function apertureGlyph(blades) {
  if (!blades) return '<circle cx="12" cy="12" r="8"/>';
  const points = Array.from({ length: blades }, (_, k) => {
    const angle = (2 * Math.PI * k) / blades - Math.PI / 2;
    return `${(12 + 8.5 * Math.cos(angle)).toFixed(2)},${(12 + 8.5 * Math.sin(angle)).toFixed(2)}`;
  });
  return `<polygon points="${points.join(' ')}"/>`;
}
