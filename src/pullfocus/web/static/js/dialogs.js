/** Dialogs: About, Help, the settings as text, and the notice of a lost server; saving.js has the one to save. */

import { replay } from './bringing.js';
import { openDialog } from './dialog.js';
import { h, toast } from './dom.js';
import { saveSettings } from './saving.js';
import { t } from './strings.js';

export function aboutDialog(app) {
  openDialog(t('aboutTitle'), [
    h('p', {}, t('about1')), h('p', {}, t('about2')),
    h('p', { class: 'soft small' }, t('about3', { version: app.info.version })),
  ]);
}

const KEYS = [
  ['k_focus', '← ↑ ↓ →', 'Enter'], ['k_pull', 'Shift+Enter'], ['k_aperture', '[', ']'], ['k_depth', 'D'], ['k_peak', 'P'], ['k_frames', 'F'], ['k_brush', 'B'],
  ['k_hold', 'Space'], ['k_compare', 'C'], ['k_zoom', '+', '−', '0', '1'], ['k_pan', 'Shift+arrows'],
  ['k_undo', 'Ctrl+Z', 'Ctrl+Shift+Z'], ['k_save', 'S'], ['k_photos', 'Page Up', 'Page Down'], ['k_help', '?'],
];

export function helpDialog() {
  const steps = [1, 2, 3, 4, 5, 6, 7].map((n) => h('li', {},
    h('img', { src: `/static/help/step${n}.webp`, alt: '' }),
    h('h3', {}, `${n}. ${t(`step${n}`)}`), h('p', {}, t(`step${n}w`))));
  const keys = KEYS.flatMap(([words, ...caps]) => [h('dt', {}, ...caps.map((cap) => h('kbd', {}, cap))), h('dd', {}, t(words))]);
  openDialog(t('helpTitle'), [h('ol', { class: 'steps' }, ...steps), h('h3', {}, t('keysTitle')), h('dl', { class: 'keys' }, ...keys)], { wide: true });
}

export function settingsDialog(app) {
  const { photo } = app;
  const area = h('textarea', { rows: 14, spellcheck: 'false', 'aria-label': t('settings') });
  area.value = photo.edit.toText();
  const wrong = h('p', { class: 'small wrong', role: 'alert' });
  const file = h('input', { type: 'file', accept: '.json', hidden: true, 'aria-label': t('load'), onchange: async () => {
    if (file.files?.[0]) area.value = await file.files[0].text();
  } });
  const apply = async () => {
    try {
      await replay(app, area.value);
      dialog.close();
    } catch (error) {
      wrong.textContent = String(error.message ?? error);
    }
  };
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(area.value);
    } catch {
      area.select();
      document.execCommand('copy');
    }
    toast(t('copied'));
  };
  const button = (label, onclick, main = false) => h('button', { type: 'button', class: main ? 'main' : 'edge', onclick }, label);
  const dialog = openDialog(t('settings'), [h('p', { class: 'small soft' }, t('settingsWords'), ' ', h('code', {}, 'pullfocus PHOTO --settings FILE')), area, wrong, h('div', { class: 'row' },
    button(t('apply'), apply, true), button(t('copy'), copy), button(t('load'), () => file.click()), file,
    button(t('saveFile'), () => saveSettings(app)))]);
}

/** The server is another run, or gone: say so and keep the settings. */
export function lostNotice(app) {
  if (document.querySelector('.gone')) return;
  const area = h('textarea', { rows: 8, readonly: true, 'aria-label': t('settings') });
  area.value = app.photo ? app.photo.edit.toText() : '';
  area.hidden = !app.photo;
  const notice = h('div', { class: 'gone', tabindex: -1, role: 'alertdialog', 'aria-modal': 'true', 'aria-labelledby': 'gone-title' },
    h('div', {}, h('h2', { id: 'gone-title' }, t(app.photo ? 'restarted' : 'noToken')),
      h('p', {}, t(app.photo ? 'restartedWords' : 'noTokenWords')), area));
  document.body.append(notice);
  notice.focus();
}
