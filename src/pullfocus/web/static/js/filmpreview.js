/** Film preview: the film as it will be, small, over the stage: scrubbed by the timeline, played. */

import { isCancel } from './api.js';
import { calm, h, iconButton } from './dom.js';
import { t } from './strings.js';

export class FilmPreview {
  /** @param {import('./film.js').Film} film */
  constructor(film) {
    this.film = film;
    /** @type {HTMLVideoElement | null} */
    this.video = null;
    /** While one is rendered. @type {AbortController | null} */
    this.making = null;
    this.button = iconButton('play', t('preview'), () => this.toggle(), { 'aria-pressed': 'false' });
  }

  /** Have it rendered and show it, or go back to the frame on screen. */
  async toggle() {
    if (this.video) return this.end();
    if (this.making) return;
    const { film } = this;
    const making = (this.making = new AbortController());
    const made = (tell, signal) => {
      signal.addEventListener('abort', () => making.abort(), { once: true });
      return film.render(tell, making.signal, true);
    };
    try {
      this.begin((await film.app.progress.during(t('preview'), made)).url);
    } catch (error) {
      if (!isCancel(error)) film.app.fail(error);
    }
    this.making = null;
  }

  begin(url) {
    const { film } = this;
    const video = h('video', { class: 'preview', src: url, playsinline: true, tabindex: 0, 'aria-label': t('previewWords'), title: t('previewWords'),
      onclick: () => this.turn(), onkeydown: (event) => { if (event.key === ' ') { this.turn(); event.preventDefault(); event.stopPropagation(); } },
      onloadedmetadata: () => { this.show(film.at_s); if (!calm()) this.turn(); },
      ontimeupdate: () => { film.slider.value = String(this.at_s); film.tell(this.at_s); } });
    video.muted = true;
    this.video = video;
    this.button.setAttribute('aria-pressed', 'true');
    film.root.before(video);
  }

  /** The moment of the film that is shown. */
  get at_s() { return this.zero_s + this.video.currentTime; }

  /** The moment from which the browser counts: that of the first frame, or 0, as Chromium does. */
  get zero_s() {
    const { view: { start_s, duration_s }, end_s } = this.film;
    const { duration } = this.video;
    return Math.abs(duration - duration_s) < Math.abs(duration - end_s) ? start_s : 0;
  }

  /** Play or pause; after the end, from the start. */
  turn() {
    if (this.video.paused) this.video.play().catch(() => {});
    else this.video.pause();
  }

  /** Show a moment, if there is a preview to show it. */
  show(at_s) {
    if (!this.video) return false;
    this.video.pause();
    this.video.currentTime = at_s - this.zero_s;
    return true;
  }

  /** Go on from the frame that is shown; a script that has changed is not the one that is shown, or made. */
  end() {
    this.making?.abort();
    if (this.video) this.film.seek(this.at_s);
  }

  remove() {
    this.video?.remove();
    this.video = null;
    this.button.setAttribute('aria-pressed', 'false');
  }
}
