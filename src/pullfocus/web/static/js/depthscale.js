/** DepthScale: a small histogram of depth with handles for the focus and the sharp range. */

import { h } from './dom.js';
import { focusOf } from './optics.js';
import { magma } from './magma.js';
import { t } from './strings.js';

/**
 * @param {(change: {plane?: number, near?: number, far?: number}, transient: boolean) => void} change
 * @param {(d: number) => string} words disparity in words
 */
export function depthScale(change, words) {
  const canvas = h('canvas', { 'aria-hidden': 'true' });
  const box = h('div', { class: 'depth-scale' }, canvas);
  let state = { low: 0, high: 1, plane: 0, near: null, far: null };
  const handles = {
    far: handle('far', t('farHandle')), near: handle('near', t('nearHandle')), plane: handle('plane', t('planeHandle')),
  };
  box.append(handles.far, handles.near, handles.plane);

  function handle(name, label) {
    const button = h('button', { type: 'button', class: `handle ${name}`, role: 'slider', 'aria-label': label, 'aria-orientation': 'horizontal' });
    button.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01, PageDown: -0.1, PageUp: 0.1, Home: -1, End: 1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      move(name, state[name] + step * (state.high - state.low), false);
    });
    let [grip, moved] = [0, false]; // a handle is held where it was taken; one that is only clicked stays
    button.addEventListener('pointerdown', (event) => {
      button.setPointerCapture(event.pointerId);
      event.preventDefault();
      button.focus();
      [grip, moved] = [state[name] - at(event), false];
    });
    button.addEventListener('pointermove', (event) => {
      if (!button.hasPointerCapture(event.pointerId)) return;
      moved = true;
      move(name, at(event) + grip, true);
    });
    button.addEventListener('pointerup', (event) => { if (moved) move(name, at(event) + grip, false); });
    return button;
  }
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    move('plane', at(event), true);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) move('plane', at(event), true);
  });
  canvas.addEventListener('pointerup', (event) => move('plane', at(event), false));

  function at(event) {
    const place = box.getBoundingClientRect();
    return state.low + ((event.clientX - place.left) / place.width) * (state.high - state.low);
  }
  function move(name, value, transient) {
    const inside = Math.min(state.high, Math.max(state.low, value));
    if (name === 'near') change({ near: Math.max(inside, state.far ?? state.low) }, transient);
    else if (name === 'far') change({ far: Math.min(inside, state.near ?? state.high) }, transient);
    else change({ plane: inside }, transient);
  }

  function show(photo) {
    const { low, high, counts } = photo.histogram;
    const { plane, range } = focusOf(photo.edit.now, photo.depth);
    state = { low, high, plane, near: range?.near ?? null, far: range?.far ?? null };
    for (const [name, element] of Object.entries(handles)) {
      const value = state[name];
      element.hidden = value === null;
      if (value === null) continue;
      element.style.left = `${((value - low) / Math.max(high - low, 1e-9)) * 100}%`;
      element.setAttribute('aria-valuemin', low.toFixed(3));
      element.setAttribute('aria-valuemax', high.toFixed(3));
      element.setAttribute('aria-valuenow', value.toFixed(3));
      element.setAttribute('aria-valuetext', words(value));
    }
    paint(counts);
  }
  function paint(counts) {
    const c = canvas.getContext('2d');
    canvas.width = 560;
    canvas.height = 160;
    const top = Math.max(...counts, 1);
    const w = canvas.width / counts.length;
    for (let k = 0; k < counts.length; k++) {
      const d = state.low + ((k + 0.5) / counts.length) * (state.high - state.low);
      const sharp = state.near === null || (d <= state.near && d >= state.far);
      c.globalAlpha = sharp ? 1 : 0.4;
      c.fillStyle = magma(0.12 + 0.83 * ((k + 0.5) / counts.length));
      const tall = Math.sqrt(counts[k] / top) * (canvas.height - 20);
      c.fillRect(k * w + 0.5, canvas.height - tall, w - 1, tall);
    }
  }
  const element = h('div', { class: 'field' }, box, h('div', { class: 'ends' }, h('span', {}, t('far')), h('span', {}, t('near'))));
  return { element, show };
}
