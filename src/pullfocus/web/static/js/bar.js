/** Bar: the row of buttons at the top. */

import { h, icon, iconButton } from './dom.js';
import { t } from './strings.js';

/** @param {HTMLElement} root @param {any} app */
export function makeBar(root, app) {
  const brand = h('button', { type: 'button', class: 'brand', 'aria-label': `${t('brand')}: ${t('home')}`, title: t('home'), onclick: () => app.show('home') });
  brand.append(icon('brand'), h('span', {}, t('brand')));
  const title = h('div', { class: 'title' });
  const undo = iconButton('undo', `${t('undo')} (Ctrl+Z)`, () => app.photo?.edit.undo());
  const redo = iconButton('redo', `${t('redo')} (Ctrl+Shift+Z)`, () => app.photo?.edit.redo());
  const compare = iconButton('compare', `${t('compare')} (C)`, () => app.looks.toggleDivider(), { 'aria-pressed': 'false' });
  const depth = iconButton('depth', `${t('depth')} (D)`, () => app.looks.toggleDepth(), { 'aria-pressed': 'false' });
  const brush = iconButton('brush', `${t('brush')} (B)`, () => app.looks.toggleBrush(), { 'aria-pressed': 'false' });
  const peak = iconButton('peak', `${t('peaking')} (P)`, () => app.looks.togglePeaking(), { 'aria-pressed': 'false', class: 'icon wide-only' });
  const save = h('button', { type: 'button', class: 'main', onclick: () => app.showSave() }, t('save'));
  const gap = () => h('span', { class: 'gap' });
  const editing = [undo, redo, gap(), compare, depth, peak, brush, gap()];
  root.replaceChildren(brand, iconButton('open', `${t('open')} (O)`, () => app.choose()), title, ...editing,
    iconButton('help', `${t('help')} (?)`, () => app.showHelp()),
    iconButton('info', t('about'), () => app.showAbout(), { class: 'icon wide-only' }), save);
  return {
    show() {
      const on = app.view === 'stage' && app.photo !== null;
      for (const element of [...editing, save]) element.hidden = !on;
      title.textContent = on ? app.photo.name : '';
      if (!on) return;
      const { edit } = app.photo;
      undo.disabled = !edit.past.length && !edit.pending;
      redo.disabled = !edit.future.length;
      save.disabled = !app.photo.depth;
      const modes = { compare: app.stage.divider !== null, depth: app.looks.depth, brush: app.brushing.on, peak: app.looks.peaking };
      for (const [button, name] of [[compare, 'compare'], [depth, 'depth'], [brush, 'brush'], [peak, 'peak']]) {
        button.setAttribute('aria-pressed', String(modes[name]));
      }
    },
  };
}
