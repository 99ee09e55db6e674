/** Dialogs: About, Help, Save and the settings as text. */

import { follow, isCancel, post } from './api.js';
import { replay } from './bringing.js';
import { h, iconButton, toast } from './dom.js';
import { choice, slider } from './fields.js';
import { t } from './strings.js';

/** Open a dialog that is removed when it closes. */
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
  const steps = [1, 2, 3, 4, 5, 6].map((n) => h('li', {},
    h('img', { src: `/static/help/step${n}.webp`, alt: '' }),
    h('h3', {}, `${n}. ${t(`step${n}`)}`), h('p', {}, t(`step${n}w`))));
  const keys = KEYS.flatMap(([words, ...caps]) => [h('dt', {}, ...caps.map((cap) => h('kbd', {}, cap))), h('dd', {}, t(words))]);
  openDialog(t('helpTitle'), [h('ol', { class: 'steps' }, ...steps), h('h3', {}, t('keysTitle')), h('dl', { class: 'keys' }, ...keys)], { wide: true });
}

/** Let the browser keep a file. */
export function download(url, name) {
  const link = h('a', { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

/** Have the server make a file, show how far it is, and keep it. */
export function make(app, what, wish, title) {
  return keep(app, title, async (tell, signal) => {
    await app.depths.settle();
    return follow(await post(`/api/photos/${app.photo.id}/${what}`, wish, signal), tell, signal);
  });
}

/** Show how far a file is while it is made, and keep it. */
async function keep(app, title, made) {
  try {
    const told = await app.progress.during(title, made);
    download(told.url, told.name);
    toast(t('saved', { name: told.name }), { action: [t('download'), () => download(told.url, told.name)] });
    return told;
  } catch (error) {
    if (isCancel(error)) toast(t('cancelled'));
    else app.fail(error);
    return null;
  }
}

export function saveDialog(app) {
  const { photo } = app;
  const settings = () => photo.edit.now;
  const format = choice({ label: t('format'), change: () => {}, options: [['', t('sameFormat')], ...app.info.formats.map((f) => [f, f === 'tiff' ? 'TIFF' : f.toUpperCase()])] });
  const quality = slider({ label: t('quality'), min: 40, max: 100, step: 1, words: (v) => String(v), change: () => {} });
  quality.show(94);
  const depthFormat = choice({ label: t('format'), change: () => {}, options: ['png', 'exr', 'npy', 'pfm'].map((f) => [f, f.toUpperCase()]) });
  const pullFormat = choice({ label: t('format'), change: () => {}, options: app.info.animation_formats.map((f) => [f, f.toUpperCase()]) });
  const close = () => dialog.close();
  const go = (what, wish, title) => {
    if (!dialog.open) return null; // a second Enter that was under way when the first one closed it
    close();
    return make(app, what, wish, title);
  };
  const button = (label, onclick, main = false) => h('button', { type: 'button', class: main ? 'main' : 'edge', onclick, 'aria-label': `${t('save')}: ${label}` }, t('save'));
  const part = (title, ...children) => h('section', {}, h('h3', {}, title), ...children);
  const size = h('p', { class: 'small soft' }, t('full', { w: photo.view.width, h: photo.view.height }));
  const savePicture = () => go('picture', {
    settings: settings(), format: format.select.value || null,
    quality: quality.moved ? Number(quality.input.value) : null,
  }, t('savePicture'));
  quality.input.addEventListener('input', () => { quality.moved = true; });
  const { low, high } = photo.histogram;
  const { film } = app;
  const saveFilm = () => { close(); keep(app, t('saveFilm'), (tell, signal) => film.render(tell, signal)); };
  const filmPart = film?.photo === photo ? part(t('saveFilm'), h('p', { class: 'small soft' }, t('filmWords')), button(t('saveFilm'), saveFilm)) : '';
  const dialog = openDialog(t('save'), [h('div', { class: 'saves' }, filmPart,
    part(t('savePicture'), size, format.element, quality.element, button(t('savePicture'), savePicture, true)),
    part(t('saveLiving'), h('p', { class: 'small soft' }, t('livingWords')), button(t('saveLiving'), () => go('living', { settings: settings() }, t('saveLiving')))),
    part(t('savePull'), h('p', { class: 'small soft' }, t('pullWords')), pullFormat.element, button(t('savePull'), () => go('animation', {
      settings: settings(), format: pullFormat.select.value, start_disparity: high, end_disparity: low,
    }, t('savePull')))),
    part(t('saveDepth'), depthFormat.element, button(t('saveDepth'), () => go('depth-map', {
      model: settings().model, refine: settings().refine, format: depthFormat.select.value,
    }, t('saveDepth')))),
    part(t('saveSettings'), h('p', { class: 'small soft' }, t('settingsWords')), button(t('saveSettings'), () => { close(); saveSettings(app); })))]);
}

/** Save the sidecar; where the brush changed the depth, the map goes with it and is named in it. */
async function saveSettings(app) {
  const { photo } = app;
  const stem = photo.name.replace(/\.[^.]+$/, '');
  let text = photo.edit.toText();
  if (photo.hasEdits || photo.unsent || photo.ownDepth) {
    const { model, refine } = photo.edit.now;
    const made = await make(app, 'depth-map', { model, refine, format: 'exr' }, t('saveDepth'));
    if (!made) return;
    const content = JSON.parse(text);
    delete content.settings.model;
    content.settings.depth_file = made.name;
    text = JSON.stringify(content, null, 2);
    await new Promise((done) => { setTimeout(done, 1000); }); // browsers drop a download that another follows at once
  }
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  download(url, `${stem}.pullfocus.json`);
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

export function settingsDialog(app) {
  const { photo } = app;
  const area = h('textarea', { rows: 14, spellcheck: 'false', 'aria-label': t('settings') });
  area.value = photo.edit.toText();
  const wrong = h('p', { class: 'small', role: 'alert' });
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
  const dialog = openDialog(t('settings'), [h('p', { class: 'small soft' }, t('settingsWords')), area, wrong, h('div', { class: 'row' },
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
    h('div', {}, h('h2', { id: 'gone-title' }, t('restarted')), h('p', {}, t('restartedWords')), area));
  document.body.append(notice);
  notice.focus();
}
