/** Bringing: photos come in: sent, read, shown, and their depth worked out. */

import { follow, isCancel, post, upload } from './api.js';
import { say, toast } from './dom.js';
import { Edit } from './edit.js';
import { OpenPhoto } from './photo.js';
import { t } from './strings.js';

/** Take files one after the other; a sidecar is applied to the photo that is shown. */
export async function openFiles(app, files) {
  const cap = app.info.max_upload_mb;
  for (const file of files) {
    const name = file.name || 'pasted.png';
    if (file.size > cap * 1e6) toast(t('tooLarge', { name, n: cap }), { bad: true });
    else if (name.endsWith('.json') && app.photo) await applySidecar(app, file);
    else await bring(app, name, (tell, signal) => send(name, file, tell, signal));
  }
}

/** A bundled photo, focused where it looks best. @param {any} app @param {string} name */
export function openSample(app, name) {
  const { x, y } = app.info.samples.find((sample) => sample.name === name);
  return bring(app, name, (_, signal) => post(`/api/photos/samples/${name}`, {}, signal), [x, y]);
}

function send(name, file, tell, signal) {
  const told = (part) => tell(part * 0.9, t('uploading', { name }));
  return upload(`/api/photos?name=${encodeURIComponent(name)}`, file, told, signal);
}

async function applySidecar(app, file) {
  try {
    await replay(app, await file.text());
  } catch (error) {
    app.fail(error);
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

/** @param {[number, number] | null} at where to focus first; the subject without */
async function bring(app, name, sent, at = null) {
  app.stageRoot.hidden = false;
  app.startRoot.hidden = true;
  let photo = null;
  try {
    await app.progress.during(name, async (tell, signal) => {
      const view = await follow(await sent(tell, signal), tell, signal);
      photo = new OpenPhoto(view, app.info.defaults);
      const opened = photo;
      photo.edit.addEventListener('change', (event) => app.edited(opened, event.detail.transient));
      await photo.fetchImage();
      app.photos.push(photo);
      app.select(photo);
      await photo.fetchDepth(tell, signal);
    });
    if (photo.closed) return;
    photo.start = at ? { at, focus_disparity: photo.disparityAt(...at) } : photo.firstFocus;
    photo.edit.now = { ...photo.edit.now, ...photo.start };
    photo.depthOf = photo.wantedDepth;
    app.select(photo);
    tellFirst(app, photo, at === null);
  } catch (error) {
    if (photo?.closed) return;
    if (photo) app.closePhoto(photo);
    app.show(app.photo ? 'stage' : 'home');
    if (isCancel(error)) toast(t('cancelled'));
    else app.fail(error);
  }
}

/** One sentence: what to do at the first photo ever, what was chosen at the others. */
function tellFirst(app, photo, chosen) {
  const subject = chosen ? t('subject', { what: photo.depthInfo?.subject?.chosen ?? '' }) : t('firstRun');
  const first = !localStorage.getItem('pullfocus-seen');
  localStorage.setItem('pullfocus-seen', 'yes');
  app.tools.showHint(first ? t('firstRun') : subject, first ? 9000 : 4500);
  say(subject);
  for (const note of photo.view.notes) toast(note);
}
