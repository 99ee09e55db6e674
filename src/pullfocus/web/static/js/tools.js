/** Tools: what floats over the stage: zoom, hold, the divider, the loupe and a hint. */

import { h, iconButton } from './dom.js';
import { t } from './strings.js';

export class Tools {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
    this.hint = h('div', { class: 'chip hint', hidden: true });
    this.loupe = h('div', { class: 'chip loupe', hidden: true, 'aria-hidden': 'true' });
    this.divider = h('button', { type: 'button', class: 'divider', hidden: true, role: 'slider', 'aria-label': t('divider'), 'aria-valuemin': 0, 'aria-valuemax': 100 });
    this.zoomLabel = h('button', { type: 'button', title: t('hundred'), onclick: () => this.zoomFull() }, '100 %');
    app.stageRoot.append(this.hint, this.loupe, this.divider, h('div', { class: 'chip tools' },
      iconButton('minus', t('zoomOut'), () => this.zoomBy(0.8)), this.zoomLabel, iconButton('plus', t('zoomIn'), () => this.zoomBy(1.25)),
      iconButton('fit', t('fit'), () => this.zoomFit()), this.holdButton()));
    app.stage.onpaint = () => this.place();
  }

  holdButton() {
    const { app } = this;
    const hold = iconButton('eye', t('hold'), () => {});
    hold.addEventListener('pointerdown', () => app.looks.hold(true));
    for (const end of ['pointerup', 'pointerleave', 'pointercancel']) hold.addEventListener(end, () => app.looks.hold(false));
    hold.addEventListener('keydown', (event) => { if (event.key === 'Enter') app.looks.hold(!app.stage.holdOriginal); });
    return hold;
  }

  showHint(text, time = 3000) {
    this.hint.textContent = text;
    this.hint.hidden = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.hint.hidden = true; }, time);
  }

  zoomBy(factor, x, y) { this.app.stage.view.zoom(factor, x, y); this.moved(); }
  zoomFit() { this.app.stage.view.fit(); this.moved(); }
  zoomFull() { const { view } = this.app.stage; view.zoom(view.fullScale / view.scale); this.moved(); }
  panBy(dx, dy) { this.app.stage.view.pan(dx, dy); this.moved(); }

  moved() {
    this.app.stage.ask();
    this.app.detail.ask();
  }

  /** Put what lies on the photo where the photo is. */
  place() {
    const { stage, view } = this.app;
    this.zoomLabel.textContent = `${Math.round((stage.view.scale / stage.view.fullScale) * 100)} %`;
    this.app.subjects.place();
    this.divider.hidden = stage.divider === null || view !== 'stage';
    if (stage.divider === null) return;
    this.divider.style.left = `${stage.view.toScreen(stage.divider, 0).x}px`;
    this.divider.setAttribute('aria-valuenow', String(Math.round(stage.divider * 100)));
  }
}
