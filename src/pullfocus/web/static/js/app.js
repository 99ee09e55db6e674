/** App: the photos that are open, which is shown, and what every button does. */

import { call, isCancel } from './api.js';
import { makeBar } from './bar.js';
import { openFiles, openSample } from './bringing.js';
import { Brushing } from './brushing.js';
import { aboutDialog, helpDialog, saveDialog, settingsDialog } from './dialogs.js';
import { calm, h, iconButton, say, toast } from './dom.js';
import { listenToDivider, listenToStage } from './hands.js';
import { listenForKeys } from './keys.js';
import { Detail } from './detail.js';
import { paintPeaking } from './magma.js';
import { eased, focusOf, radiusOf } from './optics.js';
import { fWords, makePanel, shifted } from './panel.js';
import { Picture } from './picture.js';
import { Progress } from './progress.js';
import { Stage } from './stage.js';
import { listenForFiles, makeStart } from './start.js';
import { showStrip } from './strip.js';
import { t } from './strings.js';

const STOPS = [0.95, 1, 1.2, 1.4, 1.8, 2, 2.4, 2.8, 3.5, 4, 5.6, 8, 11, 16, 22];

export class App {
  /** @param {any} info what the server can do */
  constructor(info) {
    this.info = info;
    /** @type {import('./photo.js').OpenPhoto[]} */
    this.photos = [];
    /** @type {import('./photo.js').OpenPhoto | null} */
    this.photo = null;
    this.view = 'home';
    this.depthOn = false;
    this.peakingOn = false;
    this.pulling = 0;
    const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
    [this.main, this.stageRoot, this.startRoot, this.panelRoot, this.stripRoot] = ['main', 'stage', 'start', 'panel', 'strip'].map(at);
    this.canvas = h('canvas', { class: 'view', tabindex: 0, role: 'application', 'aria-label': t('stage') });
    this.stageRoot.append(this.canvas);
    this.stage = new Stage(this.canvas);
    this.progress = new Progress(this.stageRoot);
    this.brushing = new Brushing(this.stageRoot, this);
    this.detail = new Detail(this);
    this.picture = new Picture((image) => { this.stage.picture = image; this.stage.ask(); }, (error) => this.fail(error));
    this.bar = makeBar(at('bar'), this);
    this.panel = makePanel(this.panelRoot, this);
    this.hint = h('div', { class: 'chip hint', hidden: true });
    this.loupe = h('div', { class: 'chip loupe', hidden: true, 'aria-hidden': 'true' });
    this.divider = h('button', { type: 'button', class: 'divider', hidden: true, role: 'slider', 'aria-label': t('divider'), 'aria-valuemin': 0, 'aria-valuemax': 100 });
    this.zoomLabel = h('button', { type: 'button', title: t('hundred'), onclick: () => this.zoomFull() }, '100 %');
    const hold = iconButton('eye', t('hold'), () => {});
    hold.addEventListener('pointerdown', () => this.holdOriginal(true));
    for (const end of ['pointerup', 'pointerleave', 'pointercancel']) hold.addEventListener(end, () => this.holdOriginal(false));
    hold.addEventListener('keydown', (event) => { if (event.key === 'Enter') this.holdOriginal(!this.stage.holdOriginal); });
    this.stageRoot.append(this.hint, this.loupe, this.divider, h('div', { class: 'chip tools' },
      iconButton('minus', t('zoomOut'), () => this.zoomBy(0.8)), this.zoomLabel, iconButton('plus', t('zoomIn'), () => this.zoomBy(1.25)),
      iconButton('fit', t('fit'), () => this.zoomFit()), hold));
    this.files = h('input', { type: 'file', accept: 'image/*,.heic,.heif,.tif,.tiff', multiple: true, hidden: true, 'aria-label': t('choose'),
      onchange: () => { this.openFiles([...this.files.files]); this.files.value = ''; } });
    document.body.append(this.files);
    this.stage.onpaint = () => this.placeOverlays();
  }

  async begin() {
    makeStart(this.startRoot, this);
    listenForFiles((files) => this.openFiles(files));
    listenForKeys(this);
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

  show(view) {
    this.view = view === 'stage' && this.photo ? 'stage' : 'home';
    const on = this.view === 'stage';
    document.body.dataset.view = this.view;
    this.stageRoot.hidden = !on;
    this.panelRoot.hidden = !on || !this.photo?.depth;
    this.startRoot.hidden = on;
    this.refresh();
    if (on) this.stage.resize();
  }

  refresh() {
    this.bar.show();
    this.panel.show();
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

  showHint(text, time = 3000) {
    this.hint.textContent = text;
    this.hint.hidden = false;
    clearTimeout(this.hintTimer);
    this.hintTimer = setTimeout(() => { this.hint.hidden = true; }, time);
  }

  /** @param {import('./photo.js').OpenPhoto} photo */
  select(photo) {
    const other = this.photo !== photo;
    this.photo = photo;
    this.stage.original = photo.image;
    if (other) {
      this.stage.picture = null;
      this.stage.patch = null;
      this.stage.view.show(photo.size);
    }
    this.show('stage');
    this.showFocus();
    this.showDepth();
    this.picture.ask(photo);
    this.stage.ask();
  }

  selectBeside(way) {
    const at = this.photos.indexOf(this.photo);
    if (this.photos[at + way]) this.select(this.photos[at + way]);
  }

  /** The tab closes: let the server forget its photos. */
  leave() {
    for (const photo of this.photos) call(`/api/photos/${photo.id}`, { method: 'DELETE', keepalive: true }).catch(() => {});
  }

  closePhoto(photo) {
    const at = this.photos.indexOf(photo);
    if (at >= 0) this.photos.splice(at, 1);
    call(`/api/photos/${photo.id}`, { method: 'DELETE' }).catch(() => {});
    photo.image?.close();
    if (this.photo !== photo) return this.refresh();
    this.photo = null;
    const next = this.photos[Math.min(at, this.photos.length - 1)];
    if (next) this.select(next);
    else this.show('home');
  }

  // ---- edits

  /** Settings changed: show them; fetch other depth if they ask for it. */
  edited(photo, transient) {
    if (photo !== this.photo) return;
    if (photo.depth && photo.depthOf !== photo.wantedDepth) this.changeDepth(photo);
    this.showFocus();
    this.picture.ask(photo, { draft: transient });
    clearTimeout(this.finePicture);
    if (transient) this.finePicture = setTimeout(() => this.picture.ask(photo), 160);
    this.detail.ask();
    if (this.peakingOn) this.showDepth();
    this.bar.show();
    this.panel.show();
    this.stage.ask();
  }

  /** Other depth was asked for: fetch it and focus on the same point; else go back. */
  async changeDepth(photo) {
    const before = photo.depthOf;
    photo.depthOf = photo.wantedDepth;
    try {
      await this.progress.during(t('measuring'), (tell, signal) => photo.fetchDepth(tell, signal));
      this.refocusSamePoint(photo);
    } catch (error) {
      photo.depthOf = before;
      photo.edit.undo();
      if (!isCancel(error)) this.fail(error);
    }
  }

  /** After another depth map: the same point, or the subject, and no range of the old map. */
  refocusSamePoint(photo) {
    const { at } = photo.edit.now;
    const focus = at ? { focus_disparity: photo.disparityAt(...at) } : photo.firstFocus;
    photo.edit.now = { ...photo.edit.now, ...focus, range: null };
    this.depthEdited(photo);
  }

  async useDepthFile(file) {
    const { photo } = this;
    if (!photo) return;
    try {
      await this.progress.during(file.name, async (tell, signal) => {
        await call(`/api/photos/${photo.id}/depth-file?name=${encodeURIComponent(file.name)}`, { method: 'PUT', body: file, signal });
        await photo.fetchDepth(tell, signal);
      });
      photo.ownDepth = file.size > 0;
      this.refocusSamePoint(photo);
    } catch (error) {
      this.fail(error);
    }
  }

  /** The depth map itself changed (brush, other model). */
  depthEdited(photo) {
    if (photo !== this.photo) return;
    this.showDepth();
    this.showFocus();
    if (!this.picture.here) this.settleDepth().then(() => this.picture.ask(photo), (error) => this.fail(error));
    else this.picture.ask(photo);
    this.detail.ask();
    this.refresh();
    this.stage.ask();
  }

  /** Let the server know what the brush did, before it renders anything. */
  async settleDepth() {
    const { photo } = this;
    if (!photo?.unsent) return;
    photo.unsent = false;
    try {
      await photo.sendEdit();
      photo.hasEdits = true;
    } catch (error) {
      photo.unsent = true;
      throw error;
    }
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
    this.showHint(fWords(next), 1200);
  }

  // ---- focus

  distanceWords(disparity) {
    if (this.photo?.depth?.kind !== 'metric') return t('relativeValue', { n: Math.round(disparity * 100) });
    return disparity < 1e-3 ? t('infinity') : t('metricValue', { n: (1 / disparity).toFixed(disparity > 0.5 ? 2 : 1) });
  }

  /** Focus on a point (fractions). @param {boolean} transient while a finger moves */
  focusAt(x, y, transient = false) {
    const { photo } = this;
    if (!photo?.depth || x < 0 || y < 0 || x > 1 || y > 1) return;
    const plane = photo.disparityAt(x, y);
    const change = { at: [round(x), round(y)], focus_m: null, focus_disparity: plane };
    const focus = focusOf(photo.edit.now, photo.depth);
    if (focus.range) change.range = shifted(focus.range, plane - focus.plane, photo);
    photo.edit.set(change, { transient });
    if (!transient) say(t('focusedAt', { where: this.distanceWords(plane) }));
  }

  /** Turn the focus slowly to a point, as a focus puller does. */
  pullTo(x, y) {
    const { photo } = this;
    if (!photo?.depth) return;
    const from = this.picture.planeShown ?? focusOf(photo.edit.now, photo.depth).plane;
    const to = photo.disparityAt(x, y);
    this.focusAt(x, y);
    if (calm() || !this.picture.here || photo.edit.now.range) return;
    const began = performance.now();
    const time = 900;
    const run = (this.pulling += 1);
    const frame = () => {
      const part = Math.min(1, (performance.now() - began) / time);
      if (run !== this.pulling || this.photo !== photo) return;
      this.stage.ring = 1 - part;
      this.picture.ask(photo, part < 1 ? { plane: from + (to - from) * eased(part), draft: true } : {});
      if (part < 1) requestAnimationFrame(frame);
    };
    frame();
  }

  showFocus() {
    const { photo } = this;
    const at = photo?.edit.now.at;
    this.stage.ring = 0;
    this.stage.cross = photo?.depth && at ? { x: at[0], y: at[1], certain: true } : null;
    this.cross = null;
    this.stage.ask();
  }

  moveCross(dx, dy) {
    const from = this.cross ?? this.stage.cross ?? { x: 0.5, y: 0.5 };
    const inside = (v) => Math.min(1, Math.max(0, v));
    this.cross = { x: inside(from.x + dx), y: inside(from.y + dy) };
    this.stage.cross = { ...this.cross, certain: false };
    if (this.brushing.on) this.brushing.hover(this.cross);
    const where = this.photo?.depth ? this.distanceWords(this.photo.disparityAt(this.cross.x, this.cross.y)) : '';
    say(t('crossAt', { x: Math.round(this.cross.x * 100), y: Math.round(this.cross.y * 100), where }));
    this.stage.ask();
  }

  /** Enter: focus at the cross, or dab there with the brush. */
  focusAtCross() {
    const at = this.cross ?? this.stage.cross;
    if (at && this.brushing.on) for (const phase of ['start', 'end']) this.brushing.touch(at, phase);
    else if (at) this.focusAt(at.x, at.y);
  }

  pullToCross() {
    const at = this.cross ?? this.stage.cross;
    if (at) this.pullTo(at.x, at.y);
  }

  // ---- looks

  toggleDepth(on = !this.depthOn) {
    if (!this.photo?.depth) return;
    this.depthOn = on;
    if (!on && this.brushing.on) this.brushing.show(false);
    this.showDepth();
    this.refresh();
  }

  toggleBrush() {
    if (!this.photo?.depth) return;
    const on = !this.brushing.on;
    this.brushing.show(on);
    this.toggleDepth(on);
  }

  togglePeaking() {
    this.peakingOn = !this.peakingOn;
    this.showDepth();
    this.refresh();
  }

  toggleDivider() {
    this.stage.divider = this.stage.divider === null ? 0.5 : null;
    this.stage.ask();
    this.refresh();
  }

  leaveModes() {
    if (this.brushing.on) return this.toggleBrush();
    if (this.depthOn) this.toggleDepth(false);
    if (this.stage.divider !== null) this.toggleDivider();
    if (this.peakingOn) this.togglePeaking();
  }

  holdOriginal(on) {
    if (this.stage.holdOriginal === on) return;
    this.stage.holdOriginal = on;
    this.stage.ask();
  }

  showDepth() {
    const { photo } = this;
    this.stage.depth = this.depthOn && photo?.depth ? photo.depthCanvas : null;
    this.stage.peaking = null;
    if (!this.depthOn) this.loupe.hidden = true;
    if (this.peakingOn && photo?.depth) {
      this.peakingCanvas ??= document.createElement('canvas');
      paintPeaking(this.peakingCanvas, photo.depth, this.radiusOf(photo));
      this.stage.peaking = this.peakingCanvas;
    }
    this.stage.ask();
  }

  /** Blur radius in preview pixels of a disparity. */
  radiusOf({ edit, depth }) {
    return radiusOf(edit.now, depth, focusOf(edit.now, depth), Math.max(depth.width, depth.height));
  }

  zoomBy(factor, x, y) { this.stage.view.zoom(factor, x, y); this.viewChanged(); }
  zoomFit() { this.stage.view.fit(); this.viewChanged(); }
  zoomFull() { this.stage.view.zoom(this.stage.view.fullScale / this.stage.view.scale); this.viewChanged(); }
  panBy(dx, dy) { this.stage.view.pan(dx, dy); this.viewChanged(); }

  viewChanged() {
    this.stage.ask();
    this.detail.ask();
  }

  placeOverlays() {
    const { view } = this.stage;
    this.zoomLabel.textContent = `${Math.round((view.scale / view.fullScale) * 100)} %`;
    this.divider.hidden = this.stage.divider === null || this.view !== 'stage';
    if (this.stage.divider === null) return;
    this.divider.style.left = `${view.toScreen(this.stage.divider, 0).x}px`;
    this.divider.setAttribute('aria-valuenow', String(Math.round(this.stage.divider * 100)));
  }
}

const round = (v) => Math.round(v * 1e5) / 1e5;
