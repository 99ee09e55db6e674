/** Depths: which depth map a photo has: the model's, a file of one's own, mended by the brush. */

import { call, isCancel } from './api.js';
import { toast } from './dom.js';
import { t } from './strings.js';

export class Depths {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
  }

  /**
   * Other depth was asked for: fetch it and focus on the same point; else go back. Settings that were undone, redone or
   * brought bring the focus that they had with that depth.
   */
  async change(photo, keys) {
    const before = photo.depthOf;
    photo.depthOf = photo.wantedDepth;
    try {
      await this.app.progress.during(t('measuring'), async (tell, signal) => {
        await this.settle(photo);
        await photo.fetchDepth(tell, signal);
      });
      if (keys?.every((key) => key === 'model' || key === 'refine')) this.focusAgain(photo);
      else this.edited(photo);
    } catch (error) {
      photo.depthOf = before;
      photo.edit.undo();
      if (!isCancel(error)) this.app.fail(error);
    }
  }

  /** After another depth map: the same point, or the subject, and no range of the old map. */
  focusAgain(photo) {
    const { at } = photo.edit.now;
    const focus = at ? { focus_disparity: photo.disparityAt(...at) } : photo.firstFocus;
    photo.edit.now = { ...photo.edit.now, ...focus, range: null };
    this.edited(photo);
  }

  /** Use a file of one's own; an empty one goes back to the model. */
  async useFile(file) {
    const { photo } = this.app;
    if (!photo) return;
    try {
      await this.app.progress.during(file.name, async (tell, signal) => {
        await this.settle(photo);
        await call(`/api/photos/${photo.id}/depth-file?name=${encodeURIComponent(file.name)}`, { method: 'PUT', body: file, signal });
        await photo.fetchDepth(tell, signal);
      });
      photo.ownDepth = file.size > 0;
      if (photo.ownDepth) for (const note of photo.depthInfo.notes) toast(note);
      this.focusAgain(photo);
    } catch (error) {
      this.app.fail(error);
    }
  }

  /** The map itself changed (brush, other model). */
  edited(photo) {
    const { app } = this;
    if (photo !== app.photo) return;
    app.looks.show();
    app.focusing.show();
    if (app.picture.here) app.picture.ask(photo);
    else this.settle().then(() => app.picture.ask(photo), (error) => app.fail(error));
    app.detail.ask();
    app.refresh();
  }

  /** Let the server know what the brush did, before it renders anything. */
  async settle(photo = this.app.photo) {
    if (!photo?.unsent) return;
    photo.unsent = false;
    try {
      await photo.sendEdit();
    } catch (error) {
      photo.unsent = true;
      throw error;
    }
  }
}
