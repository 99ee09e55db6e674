/** Start: the home view: drop, choose, paste, or a sample. */

import { h, icon } from './dom.js';
import { t } from './strings.js';

/** @param {HTMLElement} root @param {any} app */
export function makeStart(root, app) {
  const glyph = h('span', { class: 'glyph' });
  glyph.append(icon('photo'));
  const samples = app.info.samples.map((sample) =>
    h('button', { type: 'button', 'data-sample': sample.name, onclick: () => app.openSample(sample.name) },
      h('img', { src: `/samples/${sample.name}.jpg`, alt: '', loading: 'lazy' }),
      h('span', {}, t(`sample_${sample.name}`))));
  const back = h('button', { type: 'button', class: 'edge back', onclick: () => app.show('stage') });
  root.replaceChildren(h('div', { class: 'home' },
    h('div', {}, h('h1', {}, t('tagline')), h('p', { class: 'lead' }, t('lead'))),
    back,
    h('div', { class: 'drop' }, glyph, h('p', {}, t('drop')),
      h('button', { type: 'button', class: 'main', onclick: () => app.choose() }, t('choose'))),
    h('p', { class: 'soft' }, t('samples')),
    h('div', { class: 'samples' }, ...samples),
    h('p', { class: 'private' }, t('private'))));
  return {
    show() {
      back.hidden = !app.photo;
      back.textContent = app.photo ? t('backTo', { name: app.photo.name }) : '';
    },
  };
}

/** Take files that are dropped or pasted anywhere. @param {(files: File[]) => void} take */
export function listenForFiles(take) {
  let depth = 0;
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
  const over = (on) => document.body.classList.toggle('over', on);
  addEventListener('dragenter', (event) => { if (carries(event)) { depth += 1; over(true); } });
  addEventListener('dragleave', () => { depth = Math.max(0, depth - 1); if (!depth) over(false); });
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    depth = 0;
    over(false);
    take([...(event.dataTransfer?.files ?? [])]);
  });
  addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    take(files);
  });
}
