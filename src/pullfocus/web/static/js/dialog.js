/** Dialog: one that stands over the page and is removed when it closes. */

import { h, iconButton } from './dom.js';
import { t } from './strings.js';

/** Open a dialog; its main button, if it has one, has the focus. */
export function openDialog(title, body, { wide = false } = {}) {
  const heading = h('h2', { id: 'dialog-title' }, title);
  const dialog = h('dialog', { class: wide ? 'wide' : null, 'aria-labelledby': 'dialog-title' },
    h('header', {}, heading, iconButton('close', t('close'), () => dialog.close())), h('div', { class: 'body' }, ...body));
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector('.body button.main')?.focus();
  return dialog;
}
