/** Strip: the filmstrip of open photos; of a film, the frame that is coming stands for the last one. */

import { h } from './dom.js';
import { t } from './strings.js';

/** @param {HTMLElement} root @param {any} app */
export function showStrip(root, app) {
  root.setAttribute('aria-label', t('strip'));
  const shown = app.photos.filter((photo) => !photo.film || app.photos.findLast(({ film }) => film === photo.film) === photo);
  root.hidden = shown.length < 2 || app.view !== 'stage';
  root.replaceChildren(...shown.map((photo) => {
    const canvas = h('canvas', { width: 168, height: 120 });
    if (photo.image) {
      const scale = Math.max(168 / photo.image.width, 120 / photo.image.height);
      const [w, hh] = [photo.image.width * scale, photo.image.height * scale];
      canvas.getContext('2d').drawImage(photo.image, (168 - w) / 2, (120 - hh) / 2, w, hh);
    }
    return h('div', { class: 'shot' },
      h('button', { type: 'button', 'aria-label': photo.name, title: photo.name,
        'aria-current': photo === app.photo ? 'true' : null, onclick: () => app.select(photo) }, canvas),
      h('button', { type: 'button', class: 'close', 'aria-label': t('copyOf', { name: photo.name }), onclick: () => (photo.film ? photo.film.close() : app.closePhoto(photo)) }, '×'));
  }));
}
