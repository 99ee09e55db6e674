/** App: the photos that are open, which of them is shown, and the parts that work on it. */

import { call, isCancel } from './api.js';
import { makeBar } from './bar.js';
import { openFiles, openSample, openStill } from './bringing.js';
import { Brushing } from './brushing.js';
import { Depths } from './depths.js';
import { Detail } from './detail.js';
import { aboutDialog, helpDialog, settingsDialog } from './dialogs.js';
import { h, say, toast } from './dom.js';
import { Focusing } from './focusing.js';
import { listenToDivider, listenToStage } from './hands.js';
import { listenForKeys } from './keys.js';
import { Looks } from './looks.js';
import { fWords, makePanel } from './panel.js';
import { Picture } from './picture.js';
import { Progress } from './progress.js';
import { saveDialog } from './saving.js';
import { Stage } from './stage.js';
import { listenForFiles, makeStart } from './start.js';
import { showStrip } from './strip.js';
import { t } from './strings.js';
import { Subjects } from './subjects.js';
import { Tools } from './tools.js';

const STOPS = [0.95, 1, 1.2, 1.4, 1.8, 2, 2.4, 2.8, 3.5, 4, 5.6, 8, 11, 16, 22];
const SETTLED_MS = 160;

export class App {
  /** @param {any} info what the server can do */
  constructor(info) {
    this.info = info;
    /** @type {import('./photo.js').OpenPhoto[]} */
    this.photos = [];
    /** @type {import('./photo.js').OpenPhoto | null} */
    this.photo = null;
    /** @type {import('./film.js').Film | null} */
    this.film = null;
    this.view = 'home';
    const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
    [this.main, this.stageRoot, this.startRoot, this.panelRoot, this.stripRoot] = ['main', 'stage', 'start', 'panel', 'strip'].map(at);
    this.canvas = h('canvas', { class: 'view', tabindex: 0, role: 'application', 'aria-label': t('stage') });
    this.stageRoot.append(this.canvas);
    this.stage = new Stage(this.canvas);
    this.progress = new Progress(this.stageRoot);
    this.brushing = new Brushing(this.stageRoot, this);
    this.detail = new Detail(this);
    this.picture = new Picture((image) => { this.stage.picture = image; this.stage.ask(); }, (error) => this.fail(error));
    this.depths = new Depths(this);
    this.focusing = new Focusing(this);
    this.looks = new Looks(this);
    this.subjects = new Subjects(this);
    this.tools = new Tools(this);
    this.bar = makeBar(at('bar'), this);
    this.panel = makePanel(this.panelRoot, this);
    this.files = h('input', { type: 'file', accept: 'image/*,video/*,.heic,.heif,.tif,.tiff,.mkv', multiple: true, hidden: true, 'aria-label': t('choose'),
      onchange: () => { this.openFiles([...this.files.files]); this.files.value = ''; } });
    document.body.append(this.files);
  }

  async begin() {
    this.start = makeStart(this.startRoot, this);
    listenForFiles((files) => this.openFiles(files));
    listenForKeys(this);
    addEventListener('popstate', (event) => this.show(event.state?.view ?? 'home'));
    addEventListener('beforeunload', (event) => { if (this.photos.some(({ edit }) => edit.unsaved)) event.preventDefault(); });
    addEventListener('pagehide', (event) => { if (!event.persisted) this.leave(); });
    listenToStage(this);
    listenToDivider(this);
    const gpu = await this.picture.prepare();
    if (!gpu) console.info(t('noGpu'));
    document.body.dataset.renderer = gpu ? 'gpu' : 'server';
    this.show('home');
    document.body.dataset.ready = 'yes';
  }

  // ---- views

  /** Show the start or the photo; the browser's Back goes from the one to the other. */
  show(view) {
    this.view = view === 'stage' && this.photo ? 'stage' : 'home';
    const on = this.view === 'stage';
    if (on && history.state?.view !== 'stage') history.pushState({ view: 'stage' }, '');
    document.body.dataset.view = this.view;
    this.stageRoot.hidden = !on;
    this.panelRoot.hidden = !on || !this.photo?.depth;
    this.startRoot.hidden = on;
    this.start?.show();
    this.refresh();
    if (on) this.stage.resize();
  }

  refresh() {
    this.bar.show();
    this.panel.show();
    this.subjects.show();
    if (this.film) this.film.root.hidden = this.photo?.film !== this.film;
    showStrip(this.stripRoot, this);
    this.stageRoot.classList.toggle('brushing', this.brushing.on);
    document.body.classList.toggle('brush-on', this.brushing.on);
  }

  fail(error) {
    if (isCancel(error) || error.kind === 'token') return;
    toast(error.kind === 'offline' ? t('offline') : error.message, { bad: true });
  }

  choose() { this.files.click(); }
  showHelp() { helpDialog(); }
  showAbout() { aboutDialog(this); }
  showSave() { if (this.photo?.depth) saveDialog(this); }
  showSettings() { if (this.photo) settingsDialog(this); }

  // ---- photos

  openFiles(files) { return openFiles(this, files); }
  openSample(name) { return openSample(this, name); }
  openStill(film, at_s) { return openStill(this, film, at_s); }

  /** @param {import('./photo.js').OpenPhoto} photo */
  select(photo) {
    if (this.photo !== photo) {
      this.stage.picture = null;
      this.stage.patch = null;
      if (!photo.film || photo.film !== this.photo?.film) this.stage.view.show(photo.size);
    }
    this.photo = photo;
    this.stage.original = photo.image;
    this.show('stage');
    this.focusing.show();
    this.looks.show();
    this.picture.ask(photo);
    this.detail.ask();
  }

  selectBeside(way) {
    const at = this.photos.indexOf(this.photo);
    if (this.photos[at + way]) this.select(this.photos[at + way]);
  }

  /** The tab closes: let the server forget what it opened. */
  leave() {
    const open = this.photos.map((photo) => `photos/${photo.id}`);
    if (this.film) open.push(`films/${this.film.view.id}`);
    for (const one of open) call(`/api/${one}`, { method: 'DELETE', keepalive: true }).catch(() => {});
  }

  closePhoto(photo) {
    if (this.film?.photo === photo) return this.film.close();
    photo.closed = true;
    const at = this.photos.indexOf(photo);
    if (at >= 0) this.photos.splice(at, 1);
    call(`/api/photos/${photo.id}`, { method: 'DELETE' }).catch(() => {});
    photo.image?.close();
    if (this.photo !== photo) return this.refresh();
    this.photo = null;
    const next = this.photos[Math.min(at, this.photos.length - 1)];
    if (next) this.select(next);
    else {
      this.stage.clear();
      this.show('home');
    }
  }

  // ---- edits

  /** Settings changed (keys: those that a hand set); show them, and fetch other depth if they ask for it. */
  edited(photo, { transient, keys }) {
    if (photo !== this.photo) return;
    if (photo.depth && photo.depthOf !== photo.wantedDepth) this.depths.change(photo, keys);
    this.focusing.show();
    this.picture.ask(photo, { draft: transient });
    clearTimeout(this.settled);
    if (transient) this.settled = setTimeout(() => this.picture.ask(photo), SETTLED_MS);
    this.detail.ask();
    if (this.looks.peaking) this.looks.show();
    this.bar.show();
    this.panel.show();
  }

  resetEdit() {
    const { photo } = this;
    if (photo) photo.edit.reset({ ...photo.start, model: photo.edit.now.model, refine: photo.edit.now.refine });
  }

  aperture(way) {
    if (!this.photo) return;
    const now = this.photo.edit.now.f_number;
    const next = way > 0 ? STOPS.find((f) => f > now + 0.01) : STOPS.findLast((f) => f < now - 0.01);
    if (!next) return;
    this.photo.edit.set({ f_number: next });
    say(fWords(next));
    this.tools.showHint(fWords(next), 1200);
  }
}
