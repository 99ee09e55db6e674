/** Subjects: frames on people, on what stands out and on what is nearest; a tap focuses there. */

import { h, say } from './dom.js';
import { rangeSetting } from './optics.js';
import { t } from './strings.js';

export class Subjects {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
    /** What the person chose; without, frames are shown where there are people. @type {boolean | null} */
    this.wish = null;
    this.shown = null;
    this.root = h('div', { class: 'frames', role: 'group', 'aria-label': t('subjects') });
    app.canvas.after(this.root);
  }

  get found() { return this.app.photo?.depth ? this.app.photo.depthInfo.subjects : []; }
  get people() { return this.found.filter((subject) => subject.kind === 'person'); }
  get on() { return this.wish ?? this.people.length > 0; }

  toggle(on = !this.on) {
    this.wish = on;
    this.app.refresh();
  }

  /** Make a frame for each subject of the photo that is shown. */
  show() {
    this.root.hidden = !this.on || this.app.brushing.on;
    if (this.shown === this.found) return;
    this.shown = this.found;
    this.root.replaceChildren(...this.found.map((subject) => this.frame(subject)));
    this.place();
  }

  frame(subject) {
    const n = subject.id.slice(1);
    const label = t('focusOn', { what: t(`subject_${subject.kind}`, { n }) });
    const tag = h('button', { type: 'button', 'aria-label': label, title: label, onclick: () => this.choose(subject) });
    return h('div', { class: subject.face ? 'frame face' : 'frame', 'data-subject': subject.id }, tag);
  }

  /** Put the frames where the photo is. */
  place() {
    const { view } = this.app.stage;
    this.found.forEach(({ box: [left, top, right, bottom] }, k) => {
      const [a, b] = [view.toScreen(left, top), view.toScreen(right, bottom)];
      const frame = this.root.children[k];
      if (!frame) return;
      Object.assign(frame.style, { left: `${a.x}px`, top: `${a.y}px`, width: `${b.x - a.x}px`, height: `${b.y - a.y}px` });
    });
  }

  /** Focus on a subject and keep all of it sharp, as `--subject` does; a film follows it instead. */
  choose(subject) {
    const { photo, focusing } = this.app;
    const { x, y, disparity, near, far } = subject;
    const range = photo.film ? null : rangeSetting(near, far, photo.depth.kind); // it would be that of the whole film
    photo.edit.set({ at: [x, y], focus_m: null, focus_disparity: disparity, range }, { tapped: true });
    say(t('focusedAt', { where: focusing.words(disparity) }));
  }

  /** Set the sharp range so that every person is inside, as `--all-people-sharp` does. */
  keepEveryoneSharp() {
    const { photo } = this.app;
    const near = Math.max(...this.people.map((person) => person.near));
    const far = Math.min(...this.people.map((person) => person.far));
    const plane = Math.min(near, Math.max(far, photo.edit.now.focus_disparity ?? near));
    photo.edit.set({ range: rangeSetting(near, far, photo.depth.kind), focus_disparity: plane, at: null, focus_m: null });
  }
}
