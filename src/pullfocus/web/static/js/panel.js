/** Panel: every control of the lens, the focus, the style and the depth, in groups. */

import { h } from './dom.js';
import { depthScale } from './depthscale.js';
import { apertureGlyph, choice, segments, slider, tick } from './fields.js';
import { moveFocus, toggleRange } from './range.js';
import { t } from './strings.js';

const F_LOW = 0.95;
const F_HIGH = 22;
const toLog = (f) => Math.log2(f / F_LOW) / Math.log2(F_HIGH / F_LOW);
const fromLog = (v) => F_LOW * (F_HIGH / F_LOW) ** v;
const tidyF = (f) => Number(f.toFixed(f < 1 ? 2 : f < 10 ? 1 : 0));
/** @param {number} f */
export const fWords = (f) => `f/${Number(f.toFixed(2))}`;
const percent = (v) => `${Math.round(v * 100)} %`;

/**
 * A group is {element, show}: show(settings, photo) brings its controls up to date.
 * @param {HTMLElement} root @param {any} app
 */
export function makePanel(root, app) {
  const set = (change, transient = false) => app.photo?.edit.set(change, { transient });
  const groups = [strengthGroup(set), focusGroup(app), bokehGroup(set), moreGroup(set), styleGroup(set), depthGroup(app, set)];
  root.setAttribute('aria-label', t('controls'));
  root.replaceChildren(...groups.map((group) => group.element), h('div', { class: 'row' },
    plainButton(t('reset'), () => app.resetEdit()), plainButton(t('settings'), () => app.showSettings())));
  return {
    show() {
      const { photo } = app;
      if (photo) for (const group of groups) group.show(photo.edit.now, photo);
    },
  };
}

const plainButton = (label, onclick) => h('button', { type: 'button', class: 'edge', onclick }, label);

/** A slider of one setting. */
function number(set, key, label, min, max, step, words) {
  const field = slider({ label, min, max, step, words, change: (v, transient) => set({ [key]: v }, transient) });
  return { element: field.element, show: (s) => field.show(s[key]) };
}

/** How much is blurred: the aperture, or method and strength of the classic styles. */
function strengthGroup(set) {
  const aperture = slider({
    label: t('aperture'), min: 0, max: 1, step: 0.005, big: true, words: (v) => fWords(tidyF(fromLog(v))),
    change: (v, transient) => set({ f_number: tidyF(fromLog(v)) }, transient),
  });
  const stops = h('div', { class: 'stops', 'aria-hidden': 'true' }, ...['1', '1.4', '2', '2.8', '4', '5.6', '8', '11', '16', '22'].map((f) => h('span', {}, f)));
  const method = choice({
    label: t('method'), change: (value) => set({ method: value }),
    options: ['gaussian', 'average', 'median', 'bilateral', 'disc', 'mixed'].map((m) => [m, t(m)]),
  });
  const strength = number(set, 'strength', t('strength'), 0, 5, 0.05, (v) => v.toFixed(2));
  const lens = h('div', {}, aperture.element, stops);
  const graded = h('div', { class: 'stack' }, method.element, strength.element);
  return {
    element: h('section', {}, lens, graded),
    show(s) {
      lens.hidden = s.style === 'graded';
      graded.hidden = !lens.hidden;
      aperture.show(Math.min(1, Math.max(0, toLog(s.f_number))));
      aperture.input.setAttribute('aria-valuetext', fWords(s.f_number)); // exact, where the slider is tidy
      aperture.element.querySelector('output').textContent = fWords(s.f_number);
      method.show(s.method);
      strength.show(s);
    },
  };
}

function focusGroup(app) {
  const scale = depthScale((change, transient) => moveFocus(app.photo, change, transient), (d) => app.focusing.words(d));
  const ranged = tick({ label: t('rangeOn'), change: (on) => toggleRange(app.photo, on) });
  const frames = tick({ label: t('framesOn'), change: (on) => app.subjects.toggle(on) });
  const peaking = tick({ label: t('peakingOn'), change: () => app.looks.togglePeaking() });
  const everyone = plainButton(t('everyone'), () => app.subjects.keepEveryoneSharp());
  return {
    element: h('section', {}, h('h2', {}, t('focus')), scale.element, ranged.element, everyone, frames.element, peaking.element),
    show(s, photo) {
      if (photo.depth) scale.show(photo);
      ranged.show(s.range !== null);
      frames.show(app.subjects.on);
      peaking.show(app.looks.peaking);
      everyone.hidden = app.subjects.people.length < 2;
    },
  };
}

function bokehGroup(set) {
  const shape = segments({
    label: t('shape'), change: (blades) => set({ blades }),
    options: [0, 5, 6, 7, 8, 9].map((n) => ({ value: n, label: n ? t('blades', { n }) : t('round'), glyph: apertureGlyph(n) })),
  });
  const numbers = [number(set, 'highlights', t('highlights'), 0, 1, 0.01, percent), number(set, 'cats_eye', t('catsEye'), 0, 1, 0.01, percent)];
  const element = h('section', {}, shape.element, ...numbers.map((n) => n.element));
  return {
    element,
    show(s) {
      element.hidden = s.style === 'graded';
      shape.show(s.blades);
      for (const n of numbers) n.show(s);
    },
  };
}

function moreGroup(set) {
  const numbers = [
    number(set, 'edge_softness', t('edge'), -1, 1, 0.02, (v) => (v ? v.toFixed(2) : '0')),
    number(set, 'roundness', t('roundness'), 0, 1, 0.01, percent),
    number(set, 'rotation_deg', t('rotation'), -180, 180, 1, (v) => `${v}°`),
    number(set, 'squeeze', t('squeeze'), 0.5, 2, 0.01, (v) => `${v.toFixed(2)} ×`),
    number(set, 'ring', t('ring'), 0, 0.9, 0.01, percent),
  ];
  const element = h('details', {}, h('summary', {}, t('more')), h('div', {}, ...numbers.map((n) => n.element)));
  return {
    element,
    show(s) {
      element.hidden = s.style === 'graded';
      for (const n of numbers) n.show(s);
    },
  };
}

function styleGroup(set) {
  const style = segments({
    label: t('style'), change: (value) => set({ style: value }),
    options: [{ value: 'lens', label: t('lens') }, { value: 'graded', label: t('graded') }],
  });
  return { element: h('section', {}, style.element), show: (s) => style.show(s.style) };
}

function depthGroup(app, set) {
  const source = h('p', { class: 'small soft' });
  const model = choice({
    label: t('model'), change: (value) => set({ model: value || null }),
    options: app.info.models.map((m, k) => [k ? m.id : '', `${m.id} (${m.licence})`]),
  });
  const refine = tick({ label: t('refine'), change: (value) => set({ refine: value }) });
  const own = h('input', { type: 'file', hidden: true, accept: '.png,.npy,.exr,.pfm,.tif,.tiff', 'aria-label': t('ownDepth'),
    onchange: () => { if (own.files?.[0]) app.depths.useFile(own.files[0]); own.value = ''; } });
  const dropOwn = plainButton(t('dropDepth'), () => app.depths.useFile(new File([], 'none.png')));
  return {
    element: h('details', {}, h('summary', {}, t('depthSource')), h('div', {}, source, model.element, refine.element,
      plainButton(t('ownDepth'), () => own.click()), dropOwn, own, plainButton(t('brush'), () => app.looks.toggleBrush()))),
    show(s, photo) {
      model.show(s.model ?? '');
      refine.show(s.refine);
      dropOwn.hidden = !photo.ownDepth;
      if (photo.depthInfo) source.textContent = `${photo.depthInfo.source} · ${t(`depthKind_${photo.depthInfo.kind}`)}`;
    },
  };
}
