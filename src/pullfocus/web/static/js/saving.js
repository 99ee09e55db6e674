/** Saving: the dialog of all that can be saved, how the server makes a file, and how it is kept. */

import { follow, isCancel, post } from './api.js';
import { openDialog } from './dialog.js';
import { h, toast } from './dom.js';
import { choice, slider } from './fields.js';
import { t } from './strings.js';

const NAMES = { webp: 'WebP' };
const DEPTH_FORMATS = ['png', 'exr', 'npy', 'pfm'];

export function saveDialog(app) {
  const once = (work) => () => { // the first click or Enter closes it; one that was under way then does nothing
    if (!dialog.open) return;
    dialog.close();
    work();
  };
  const parts = [filmPart, picturePart, livingPart, pullPart, depthPart, settingsPart];
  const dialog = openDialog(t('save'), [h('div', { class: 'saves' }, ...parts.map((part) => part(app, once)))]);
}

/** One thing that can be saved: what it is, its choices, and the button. */
function part(title, save, { words = '', fields = [], main = false }) {
  return h('section', {}, h('h3', {}, title),
    h('div', {}, words ? h('p', { class: 'small soft' }, words) : null,
      fields.length ? h('div', { class: 'fields' }, ...fields.map((field) => field.element)) : null),
    h('button', { type: 'button', class: main ? 'main' : 'edge', onclick: save, 'aria-label': `${t('save')}: ${title}` }, t('save')));
}

const formatChoice = (formats, first = []) => choice({
  label: t('format'), change: () => {}, options: [...first, ...formats.map((name) => [name, NAMES[name] ?? name.toUpperCase()])],
});

const shownFilm = (app) => app.film !== null && app.photo.film === app.film;

function filmPart(app, once) {
  const { film } = app;
  if (!shownFilm(app)) return null;
  const save = () => keep(app, t('saveFilm'), (tell, signal) => film.render(tell, signal));
  return part(t('saveFilm'), once(save), { words: t('filmWords'), main: true });
}

function picturePart(app, once) {
  const { edit, view } = app.photo;
  const format = formatChoice(app.info.formats, [['', t('sameFormat')]]);
  let chosen = null; // the photo's own quality until the slider is moved
  const quality = slider({ label: t('quality'), min: 40, max: 100, step: 1, words: (v) => String(v), change: (v) => { chosen = v; } });
  quality.show(94);
  const save = () => make(app, 'picture', { settings: edit.now, format: format.select.value || null, quality: chosen }, t('savePicture'));
  return part(t('savePicture'), once(save), { words: t('full', { w: view.width, h: view.height }), fields: [format, quality], main: !shownFilm(app) });
}

function livingPart(app, once) {
  const { edit } = app.photo;
  const save = () => make(app, 'living', { settings: edit.now }, t('saveLiving'));
  return part(t('saveLiving'), once(save), { words: t('livingWords') });
}

function pullPart(app, once) {
  const { edit, histogram: { low, high } } = app.photo;
  const format = formatChoice(app.info.animation_formats);
  const save = () => make(app, 'animation', {
    settings: edit.now, format: format.select.value, start_disparity: high, end_disparity: low,
  }, t('savePull'));
  return part(t('savePull'), once(save), { words: t('pullWords'), fields: [format] });
}

function depthPart(app, once) {
  const format = formatChoice(DEPTH_FORMATS);
  return part(t('saveDepth'), once(() => makeDepth(app, format.select.value)), { fields: [format] });
}

function settingsPart(app, once) {
  return part(t('saveSettings'), once(() => saveSettings(app)), { words: t('sidecarWords') });
}

/** Save the sidecar; where the brush changed the depth, the map goes with it and is named in it. */
export async function saveSettings(app) {
  const { photo } = app;
  const stem = photo.name.replace(/\.[^.]+$/, '');
  let text = photo.edit.toText();
  if (photo.hasEdits || photo.unsent || photo.ownDepth) {
    const made = await makeDepth(app, 'exr');
    if (!made) return;
    const content = JSON.parse(text);
    delete content.settings.model;
    content.settings.depth_file = made.name;
    text = JSON.stringify(content, null, 2);
    await new Promise((done) => { setTimeout(done, 1000); }); // browsers drop a download that another follows at once
  }
  downloadText(text, `${stem}.pullfocus.json`);
  photo.edit.keep();
}

/** Let the browser keep JSON text as a file. */
export function downloadText(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  download(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function makeDepth(app, format) {
  const { model, refine } = app.photo.edit.now;
  return make(app, 'depth-map', { model, refine, format }, t('saveDepth'));
}

/** Have the server make a file of the photo, and keep it. */
function make(app, what, wish, title) {
  const { photo } = app;
  return keep(app, title, async (tell, signal) => {
    await app.depths.settle(photo);
    return follow(await post(`/api/photos/${photo.id}/${what}`, wish, signal), tell, signal);
  });
}

/** Show how far a file is while it is made, and keep it; null if it was cancelled or failed. */
async function keep(app, title, made) {
  const { edit } = app.photo;
  try {
    const told = await app.progress.during(title, made);
    download(told.url, told.name);
    edit.keep();
    if (told.notes?.length) toast(told.notes.join('\n'));
    toast(t('saved', { name: told.name }), { action: [t('download'), () => download(told.url, told.name)] });
    return told;
  } catch (error) {
    if (isCancel(error)) toast(t('cancelled'));
    else app.fail(error);
    return null;
  }
}

/** Let the browser keep a file. */
function download(url, name) {
  const link = h('a', { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}
