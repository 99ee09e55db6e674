/** Hands: what mouse, pen and fingers do on the stage and on its divider. */

import { h } from './dom.js';
import { listen } from './gestures.js';

const inside = (v) => Math.min(1, Math.max(0, v));

/** @param {any} app */
export function listenToStage(app) {
  const { stage } = app;
  const { view } = stage;
  listen(app.canvas, {
    touch: (px, py, phase) => {
      const at = view.toPhoto(px, py);
      if (app.brushing.on) return app.brushing.touch(at, phase);
      if (phase === 'cancel') return app.photo?.edit.revert();
      if (phase === 'end') {
        if (app.photo?.edit.pending) app.focusing.at(inside(at.x), inside(at.y));
        return;
      }
      app.focusing.stopPull();
      app.focusing.at(at.x, at.y, true);
    },
    double: (px, py) => {
      if (!app.brushing.on && app.photo?.depth) pullFrom(app, view.toPhoto(px, py));
    },
    pan: (dx, dy) => app.tools.panBy(dx, dy),
    zoom: (factor, px, py) => app.tools.zoomBy(factor, px, py),
    hover: (px, py) => hover(app, px, py),
    leave: () => {
      app.tools.loupe.hidden = true;
      stage.brush = null;
      stage.ask();
    },
  });
}

/** A double click: the first click focused already, so pull from where the focus was before. */
function pullFrom(app, at) {
  const before = app.photo.edit.past.at(-1)?.settings?.focus_disparity;
  app.focusing.pullTo(inside(at.x), inside(at.y), before ?? undefined);
}

/** Show the brush, or the loupe that reads the distance under the cursor. */
function hover(app, px, py) {
  const { photo, stage, tools: { loupe } } = app;
  const at = stage.view.toPhoto(px, py);
  if (app.brushing.on) app.brushing.hover(at);
  const within = at.x >= 0 && at.y >= 0 && at.x < 1 && at.y < 1;
  loupe.hidden = !(app.looks.depth && within && photo?.depth);
  if (loupe.hidden) return;
  const { depth } = photo;
  const d = depth.data[Math.floor(at.y * depth.height) * depth.width + Math.floor(at.x * depth.width)];
  const radius = Math.abs(app.looks.radiusOf(photo)(d));
  const blur = `${radius < 0.5 ? '●' : '○'} ${radius.toFixed(1)} px`;
  loupe.replaceChildren(h('b', {}, app.focusing.words(d)), h('span', { class: 'soft' }, blur));
  loupe.style.transform = `translate(${Math.min(px + 18, stage.view.width - 110)}px, ${Math.max(8, py - 62)}px)`;
}

/** @param {any} app */
export function listenToDivider(app) {
  const { stage, tools: { divider } } = app;
  const put = (x) => {
    stage.divider = inside(x);
    app.tools.place();
    stage.ask();
  };
  divider.addEventListener('pointerdown', (event) => divider.setPointerCapture(event.pointerId));
  divider.addEventListener('pointermove', (event) => {
    if (!divider.hasPointerCapture(event.pointerId)) return;
    put(stage.view.toPhoto(event.clientX - app.canvas.getBoundingClientRect().left, 0).x);
  });
  divider.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    put(stage.divider + step);
  });
}
