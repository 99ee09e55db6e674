/** Panel: every control of the lens, the focus, the style and the depth. */

import { h } from './dom.js';
import { depthScale } from './depthscale.js';
import { apertureGlyph, choice, segments, slider, tick } from './fields.js';
import { focusOf, rangeSetting } from './optics.js';
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
 * @param {HTMLElement} root
 * @param {any} app
 */
export function makePanel(root, app) {
  const set = (change, transient = false) => app.photo?.edit.set(change, { transient });
  const number = (key, label, min, max, step, words) => {
    const field = slider({ label, min, max, step, words, change: (v, transient) => set({ [key]: v }, transient) });
    return { key, ...field };
  };
  const aperture = slider({
    label: t('aperture'), min: 0, max: 1, step: 0.005, big: true, words: (v) => fWords(tidyF(fromLog(v))),
    change: (v, transient) => set({ f_number: tidyF(fromLog(v)) }, transient),
  });
  const stops = h('div', { class: 'stops', 'aria-hidden': 'true' }, ...['1', '1.4', '2', '2.8', '4', '5.6', '8', '11', '16', '22'].map((f) => h('span', {}, f)));
  const scale = depthScale((change, transient) => moveFocus(app.photo, change, transient), (d) => app.focusing.words(d));
  const ranged = tick({ label: t('rangeOn'), change: (on) => toggleRange(app.photo, on) });
  const peaking = tick({ label: t('peakingOn'), change: () => app.looks.togglePeaking() });
  const frames = tick({ label: t('framesOn'), change: (on) => app.subjects.toggle(on) });
  const everyone = h('button', { type: 'button', class: 'edge', hidden: true, onclick: () => app.subjects.keepEveryoneSharp() }, t('everyone'));
  const shape = segments({
    label: t('shape'), change: (blades) => set({ blades }),
    options: [0, 5, 6, 7, 8, 9].map((n) => ({ value: n, label: n ? t('blades', { n }) : t('round'), glyph: apertureGlyph(n) })),
  });
  const numbers = [
    number('highlights', t('highlights'), 0, 1, 0.01, percent),
    number('cats_eye', t('catsEye'), 0, 1, 0.01, percent),
    number('edge_softness', t('edge'), -1, 1, 0.02, (v) => (v ? v.toFixed(2) : '0')),
    number('roundness', t('roundness'), 0, 1, 0.01, percent),
    number('rotation_deg', t('rotation'), -180, 180, 1, (v) => `${v}°`),
    number('squeeze', t('squeeze'), 0.5, 2, 0.01, (v) => `${v.toFixed(2)} ×`),
    number('ring', t('ring'), 0, 0.9, 0.01, percent),
  ];
  const style = segments({
    label: t('style'), change: (value) => set({ style: value }),
    options: [{ value: 'lens', label: t('lens') }, { value: 'graded', label: t('graded') }],
  });
  const method = choice({
    label: t('method'), change: (value) => set({ method: value }),
    options: ['gaussian', 'average', 'median', 'bilateral', 'disc', 'mixed'].map((m) => [m, t(m)]),
  });
  const strength = number('strength', t('strength'), 0, 5, 0.05, (v) => v.toFixed(2));
  const model = choice({
    label: t('model'), change: (value) => set({ model: value || null }),
    options: app.info.models.map((m, k) => [k ? m.id : '', `${m.id} (${m.licence})`]),
  });
  const refine = tick({ label: t('refine'), change: (value) => set({ refine: value }) });
  const source = h('p', { class: 'small soft' });
  const own = h('input', { type: 'file', hidden: true, accept: '.png,.npy,.exr,.pfm,.tif,.tiff', 'aria-label': t('ownDepth'),
    onchange: () => { if (own.files?.[0]) app.depths.useFile(own.files[0]); own.value = ''; } });
  const dropOwn = h('button', { type: 'button', class: 'edge', hidden: true, onclick: () => app.depths.useFile(new File([], 'none.png')) }, t('dropDepth'));
  const lensOnly = h('div', {}, aperture.element, stops);
  const gradedOnly = h('div', {}, method.element, strength.element);
  const more = h('details', {}, h('summary', {}, t('more')), h('div', {}, ...numbers.slice(2).map((n) => n.element)));
  const bokeh = h('section', {}, shape.element, numbers[0].element, numbers[1].element);
  root.setAttribute('aria-label', t('controls'));
  root.replaceChildren(
    h('section', {}, lensOnly, gradedOnly),
    h('section', {}, h('h2', {}, t('focus')), scale.element, ranged.element, everyone, frames.element, peaking.element),
    bokeh, more,
    h('section', {}, style.element),
    h('details', {}, h('summary', {}, t('depthSource')), h('div', {}, source, model.element, refine.element,
      h('button', { type: 'button', class: 'edge', onclick: () => own.click() }, t('ownDepth')), dropOwn, own,
      h('button', { type: 'button', class: 'edge', onclick: () => app.looks.toggleBrush() }, t('brush')))),
    h('div', { class: 'row' }, h('button', { type: 'button', class: 'edge', onclick: () => app.resetEdit() }, t('reset')),
      h('button', { type: 'button', class: 'edge', onclick: () => app.showSettings() }, t('settings'))),
  );

  return {
    show() {
      const { photo } = app;
      if (!photo) return;
      const s = photo.edit.now;
      aperture.show(Math.min(1, Math.max(0, toLog(s.f_number))));
      aperture.input.setAttribute('aria-valuetext', fWords(s.f_number));
      aperture.element.querySelector('output').textContent = fWords(s.f_number);
      for (const n of [...numbers, strength]) n.show(s[n.key]);
      shape.show(s.blades);
      style.show(s.style);
      method.show(s.method);
      model.show(s.model ?? '');
      refine.show(s.refine);
      ranged.show(s.range !== null);
      frames.show(app.subjects.on);
      everyone.hidden = app.subjects.people.length < 2;
      peaking.show(app.looks.peaking);
      const graded = s.style === 'graded';
      lensOnly.hidden = graded;
      gradedOnly.hidden = !graded;
      bokeh.hidden = graded;
      more.hidden = graded;
      dropOwn.hidden = !photo.ownDepth;
      if (photo.depth) scale.show(photo);
      if (photo.depthInfo) source.textContent = `${photo.depthInfo.source} · ${t(`depthKind_${photo.depthInfo.kind}`)}`;
    },
  };
}

function moveFocus(photo, change, transient) {
  if (!photo?.depth) return;
  const { plane, range } = focusOf(photo.edit.now, photo.depth);
  if (change.plane !== undefined) {
    const settings = { at: null, focus_m: null, focus_disparity: change.plane };
    if (range) Object.assign(settings, { range: shifted(range, change.plane - plane, photo) });
    photo.edit.set(settings, { transient });
    return;
  }
  const near = change.near ?? range.near;
  const far = change.far ?? range.far;
  const kept = Math.min(near, Math.max(far, photo.edit.now.focus_disparity ?? plane));
  photo.edit.set({ range: rangeSetting(near, far, photo.depth.kind), focus_disparity: kept }, { transient });
}

/** The range moved along with its plane, kept inside the picture's depth. */
export function shifted(range, by, photo) {
  const { low, high } = photo.histogram;
  const clamp = (d) => Math.min(high, Math.max(low, d));
  return rangeSetting(clamp(range.near + by), clamp(range.far + by), photo.depth.kind);
}

function toggleRange(photo, on) {
  if (!photo?.depth) return;
  const { plane } = focusOf(photo.edit.now, photo.depth);
  const { low, high } = photo.histogram;
  const half = (high - low) * 0.06;
  const range = on ? rangeSetting(Math.min(high, plane + half), Math.max(low, plane - half), photo.depth.kind) : null;
  photo.edit.set({ range, focus_disparity: plane });
}
