/** Bringing: photos come in: sent, read, shown, and their depth worked out. */

import { follow, isCancel, post, upload } from './api.js';
import { say, toast } from './dom.js';
import { Edit } from './edit.js';
import { Film } from './film.js';
import { isNonsense, readObject } from './jsontext.js';
import { OpenPhoto } from './photo.js';
import { t } from './strings.js';

/** Take files one after the other. */
export async function openFiles(app, files) {
  const cap = app.info.max_upload_mb;
  for (const file of files) {
    const name = file.name || 'pasted.png';
    if (file.size > cap * 1e6) toast(t('tooLarge', { name, n: cap }), { bad: true });
    else if (isFilm(file)) await bringFilm(app, name, file);
    else if (/\.json$/i.test(name)) await takeJson(app, name, file);
    else await bring(app, name, (tell, signal) => send('photos', name, file, tell, signal));
  }
}

const isFilm = (file) => file.type.startsWith('video/') || /\.(mp4|mov|mkv|webm|avi|m4v)$/i.test(file.name);

/** A video takes the place of the last one; its first frame is shown. */
async function bringFilm(app, name, file) {
  try {
    const view = await app.progress.during(name, async (tell, signal) => {
      app.stageRoot.hidden = false;
      return follow(await send('films', name, file, tell, signal), tell, signal);
    });
    app.film?.close();
    app.film = new Film(app, view);
    await app.film.seek(0);
  } catch (error) {
    app.show(app.photo ? 'stage' : 'home');
    app.fail(error);
  }
}

/** The frame of a moment as a photo, with the lens of the frame before; null if that failed. */
export async function openStill(app, film, at_s) {
  const asked = (_, signal) => post(`/api/films/${film.view.id}/stills`, { at_s }, signal);
  return bring(app, film.view.name, asked, { at: film.script.aimAt(at_s), settings: film.photo?.edit.now, film });
}

/** A bundled photo, focused where it looks best. @param {any} app @param {string} name */
export async function openSample(app, name) {
  const { x, y } = app.info.samples.find((sample) => sample.name === name);
  await bring(app, name, (_, signal) => post(`/api/photos/samples/${name}`, {}, signal), { at: [x, y] });
}

/** @param {'photos' | 'films'} what */
function send(what, name, file, tell, signal) {
  const told = (part) => tell(part * 0.9, t('uploading', { name }));
  return upload(`/api/${what}?name=${encodeURIComponent(name)}`, file, told, signal);
}

/** A focus script goes to the film, a sidecar to the photo that is shown. */
async function takeJson(app, name, file) {
  try {
    const text = await file.text();
    if ('decisions' in readObject(text)) {
      if (app.film) await app.film.paper.open(file);
      else toast(t('scriptAlone', { name }), { bad: true });
    } else if (app.photo) await replay(app, text);
    else toast(t('settingsAlone', { name }), { bad: true });
  } catch (error) {
    if (isNonsense(error)) toast(t('noSettings', { name, why: error.message }), { bad: true });
    else app.fail(error);
  }
}

/** Take over settings or a sidecar as text; the program works out which plane they mean here. */
export async function replay(app, text) {
  const { photo } = app;
  const wanted = Edit.read(text, app.info.defaults);
  const job = await post(`/api/photos/${photo.id}/settings`, { settings: wanted });
  const { settings } = await follow(job, () => {}, new AbortController().signal);
  photo.edit.set(settings);
}

/**
 * @param {{at?: [number, number] | null, settings?: any, film?: any}} [how] at: where to focus first, the subject
 *     without; settings: to begin with; film: whose frame it is, which takes the place of the last one
 * @returns {Promise<OpenPhoto | null>} null if it was cancelled, closed or broken
 */
async function bring(app, name, sent, { at = null, settings = app.info.defaults, film = null } = {}) {
  app.stageRoot.hidden = false;
  app.startRoot.hidden = true;
  let photo = null;
  try {
    await app.progress.during(name, async (tell, signal) => {
      const view = await follow(await sent(tell, signal), tell, signal);
      photo = new OpenPhoto(view, app.info.defaults);
      photo.edit.now = { ...settings, range: null };
      const opened = photo;
      photo.edit.addEventListener('change', (event) => app.edited(opened, event.detail));
      await photo.fetchImage();
      photo.film = film;
      app.photos.splice(film?.photo ? app.photos.indexOf(film.photo) + 1 : app.photos.length, 0, photo);
      app.select(photo);
      await photo.fetchDepth(tell, signal);
    });
    if (photo.closed) return null;
    photo.start = at ? { at, focus_disparity: photo.disparityAt(...at) } : photo.firstFocus;
    photo.edit.now = { ...photo.edit.now, ...photo.start };
    photo.depthOf = photo.wantedDepth;
    app.select(photo);
    tellFirst(app, photo, at === null);
    return photo;
  } catch (error) {
    if (photo?.closed) return null;
    if (photo) app.closePhoto(photo);
    app.show(app.photo ? 'stage' : 'home');
    if (isCancel(error)) toast(t('cancelled'));
    else app.fail(error);
    return null;
  }
}

/** One sentence: what to do at the first photo ever, what the program chose at the others, and in films. */
function tellFirst(app, photo, chosen) {
  const what = photo.depthInfo?.subject?.chosen ?? '';
  const subject = chosen ? t(photo.film ? 'filmSubject' : 'subject', { what }) : t('firstRun');
  const first = !photo.film && !localStorage.getItem('pullfocus-seen');
  if (first) localStorage.setItem('pullfocus-seen', 'yes');
  if (first || chosen) app.tools.showHint(first ? t('firstRun') : subject, first ? 9000 : 4500);
  say(subject);
  for (const note of photo.view.notes) toast(note);
}
