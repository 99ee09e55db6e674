/** Film paper: focus scripts on their way: suggested by the program, opened from a file, saved to one. */

import { follow, isCancel, post } from './api.js';
import { h, toast } from './dom.js';
import { FilmScript } from './filmscript.js';
import { isNonsense, readObject } from './jsontext.js';
import { downloadText } from './saving.js';
import { t } from './strings.js';

export class FilmPaper {
  /** @param {import('./film.js').Film} film */
  constructor(film) {
    this.film = film;
    const button = (words, onclick) => h('button', { type: 'button', class: 'edge', title: t(`${words}Words`), onclick }, t(words));
    const file = h('input', { type: 'file', accept: '.json,application/json', hidden: true, 'aria-label': t('openScript'),
      onchange: () => { if (file.files?.[0]) this.open(file.files[0]); file.value = ''; } });
    this.save = button('saveScript', () => { downloadText(this.text, `${film.stem}.focus-script.json`); film.photo.edit.keep(); });
    this.root = h('div', { class: 'papers' }, button('suggest', () => this.suggest()), button('openScript', () => file.click()), this.save, file);
    this.show();
  }

  get text() { return `${JSON.stringify(this.film.script.content, null, 2)}\n`; }

  show() { this.save.disabled = !this.film.script.decisions.length; }

  /** Have the whole film looked at, and take what is suggested. */
  async suggest() {
    const { film } = this;
    const { app, view, photo } = film;
    const { model, refine } = photo.edit.now;
    try {
      const asked = async (tell, signal) => follow(await post(`/api/films/${view.id}/suggestion`, { model, refine }, signal), tell, signal);
      const { script } = await app.progress.during(t('suggest'), asked);
      if (app.film !== film) return;
      this.take(script);
      app.tools.showHint(t('suggested'), 6000);
    } catch (error) {
      if (isCancel(error)) toast(t('cancelled'));
      else app.fail(error);
    }
  }

  /** Open a focus script from a file; one that makes no sense is answered by one sentence. */
  async open(file) {
    const { name } = file;
    try {
      const { script } = await post(`/api/films/${this.film.view.id}/script`, { script: readObject(await file.text()) });
      this.take(script);
      toast(t('opened', { name }));
    } catch (error) {
      if (isNonsense(error)) toast(t('noScript', { name, why: error.message }), { bad: true });
      else this.film.app.fail(error);
    }
  }

  take(content) {
    const script = FilmScript.of(content);
    this.film.change((now) => Object.assign(now, script));
  }
}
