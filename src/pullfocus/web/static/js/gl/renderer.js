/**
 * Renderer: `render/fast` on the GPU. Bands of blur over two surfaces, composed near to far.
 *
 *     source (surfaces) -> mark tiles -> for each band: gather, blur -> compose -> canvas
 */

import { lensGain, radiusOf } from '../optics.js';
import { BandPlan, neededRungs, TAP_COLUMNS, TILE } from './bands.js';
import { Context, loadShaders } from './context.js';
import { Source } from './source.js';

const SOURCES_KEPT = 3;

export class Renderer {
  static async create(canvas = document.createElement('canvas')) {
    return new Renderer(canvas, await loadShaders());
  }

  constructor(canvas, shaders) {
    this.canvas = canvas;
    this.context = new Context(canvas, shaders);
    /** @type {Map<string, Source>} */
    this.sources = new Map();
    this.source = null;
    this.targets = null;
    this.plan = null;
    this.planOf = '';
  }

  /** Choose the picture; it stays on the GPU for a while. */
  setSource(id, image, depth, version) {
    let source = this.sources.get(id);
    if (source && (source.width !== image.width || source.height !== image.height)) {
      source.drop();
      source = undefined;
    }
    source ??= new Source(this.context, image);
    this.sources.delete(id);
    this.sources.set(id, source);
    source.setDepth(depth, version);
    for (const [old, other] of this.sources) {
      if (this.sources.size <= SOURCES_KEPT) break;
      other.drop();
      this.sources.delete(old);
    }
    this.source = source;
  }

  /**
   * Render into the canvas.
   * @param {any} settings @param {{plane: number, range: {near: number, far: number} | null}} focus
   * @param {{draft?: boolean, longSide?: number, box?: any, linear?: boolean}} [how] longSide: of the whole
   *     photo in pixels of this source; box: which part of it this source shows
   */
  render(settings, focus, how = {}) {
    const { source, context: c, canvas } = this;
    const { depth, width: w, height: h } = source;
    const longSide = how.longSide ?? Math.max(w, h);
    const gain = lensGain(settings, depth, focus.plane, longSide);
    const sharp = focus.range ? [focus.range.far, focus.range.near] : [focus.plane, focus.plane];
    const radius = radiusOf(settings, depth, focus, longSide);
    const atInfinity = lensGain(settings, depth, 0, longSide); // the same for every focus: what is an edge, how far it uncovers
    source.build(1 / Math.max(atInfinity, 1e-9), atInfinity * (source.high - source.low), settings.highlights, how.draft);
    const { low, high } = neededRungs(radius(source.low), radius(source.high));
    this.makePlan(low, high, settings);
    this.makeTargets(w, h);
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    const place = { gain, sharp, low_band: low, high_band: high };
    this.markTiles(place);
    this.plan.bands.forEach((band, b) => this.drawBand(band, b, place, settings, how.box));
    this.compose(w, h, how.linear ?? false);
  }

  makePlan(low, high, settings) {
    const shape = ['blades', 'rotation_deg', 'roundness', 'squeeze', 'ring', 'edge_softness'].map((name) => settings[name]);
    const key = [low, high, ...shape, settings.cats_eye > 0].join();
    if (this.planOf === key) return;
    this.planOf = key;
    this.plan = new BandPlan(low, high, settings);
    const { context: c, plan } = this;
    c.drop(this.taps);
    this.taps = c.texture(TAP_COLUMNS, plan.count, 'RGBA32F');
    c.fill(this.taps, 'RGBA', 'FLOAT', plan.taps);
  }

  /** Textures of each level: scratch layers, and arrays of as many blurred bands as are needed. */
  makeTargets(w, h) {
    const { context: c, plan } = this;
    if (this.targets?.w !== w || this.targets?.h !== h) {
      this.dropTargets();
      const tiles = [Math.ceil(w / TILE), Math.ceil(h / TILE)];
      this.targets = { w, h, tiles, levels: [], ...Object.fromEntries(['marks', 'hides', 'reached', 'reachedHides'].map((name) => [name, c.texture(...tiles, 'RGBA32UI')])) };
      this.empty = { seen: c.texture(1, 1, 'RGBA16F', { layers: 1 }), hidden: c.texture(1, 1, 'R16F', { layers: 1 }) };
    }
    for (const [level, layers] of plan.layers) {
      const [lw, lh] = [Math.ceil(w / 2 ** level), Math.ceil(h / 2 ** level)];
      const smooth = { linear: true, mirror: true };
      const had = this.targets.levels[level];
      if (had && had.seen.layers >= layers) continue;
      const room = layers + 2;
      if (had) c.drop(had.seen, had.hidden);
      this.targets.levels[level] = {
        w: lw, h: lh,
        layer: had?.layer ?? c.texture(lw, lh, 'RGBA16F', smooth),
        cover: had?.cover ?? c.texture(lw, lh, 'R16F', smooth),
        seen: c.texture(lw, lh, 'RGBA16F', { ...smooth, layers: room }),
        hidden: c.texture(lw, lh, 'R16F', { ...smooth, layers: room }),
      };
    }
  }

  dropTargets() {
    if (!this.targets) return;
    const { context: c, targets } = this;
    c.drop(targets.marks, targets.hides, targets.reached, targets.reachedHides, this.empty.seen, this.empty.hidden);
    for (const level of targets.levels) if (level) c.drop(level.layer, level.cover, level.seen, level.hidden);
  }

  markTiles(place) {
    const { context: c, targets, source, plan } = this;
    c.pass([targets.marks, targets.hides], ['place', 'mark'], { ...place, depths: source.depths });
    c.pass([targets.reached, targets.reachedHides], ['spread'], { marks: targets.marks, hidden_marks: targets.hides, reaching: plan.reaching, farthest: plan.farthest });
  }

  drawBand(band, b, place, settings, box) {
    const { context: c, targets, source, plan } = this;
    const at = targets.levels[band.level];
    const grid = { tiles: targets.tiles, tile_size: TILE / 2 ** band.level, target_size: [at.w, at.h], band: b };
    const { front, back, depths } = source;
    const gathered = { ...place, ...grid, marks: targets.marks, hidden_marks: targets.hides, front, back, depths, level: band.level };
    const blurred = [[at.seen, band.layer], [at.hidden, band.layer]];
    const plain = band.taps.length === 1 && band.level === 0;
    c.tiles(plain ? blurred : [at.layer, at.cover], ['place', 'gather'], gathered);
    if (plain) return;
    c.tiles(blurred, ['blur'], {
      ...grid, marks: targets.reached, hidden_marks: targets.reachedHides, layer_in: at.layer, hidden_in: at.cover, taps: this.taps, row: b,
      count: Math.min(TAP_COLUMNS, band.taps.length), size: [at.w, at.h], radius: band.radius, eye: settings.cats_eye,
      ...vignetteOf(band, settings, source, box),
    });
  }

  compose(w, h, linear) {
    const { context: c, targets, plan } = this;
    const named = {};
    for (let k = 0; k < 6; k++) {
      named[`seen${k}`] = targets.levels[k]?.seen ?? this.empty.seen;
      named[`hidden${k}`] = targets.levels[k]?.hidden ?? this.empty.hidden;
    }
    c.pass(null, ['compose'], {
      ...named, marks: targets.reached, bands: plan.places, count: plan.count, sharp_band: -plan.low, size: [w, h], linear_out: linear ? 1 : 0,
    });
  }

  /** Wait until the GPU has drawn, for measuring. */
  finish() {
    const pixel = new Uint8Array(4);
    const { gl } = this.context;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
  }
}

/** How the second pupil of a cat's eye lies at each pixel of a band's layer. */
function vignetteOf(band, settings, source, box = { left: 0, top: 0, right: 1, bottom: 1 }) {
  const whole = [source.width / (box.right - box.left), source.height / (box.bottom - box.top)];
  const half = Math.hypot(whole[0], whole[1]) / 2;
  const scale = 2 ** band.level;
  const shift = [whole[0] / 2 - box.left * whole[0], whole[1] / 2 - box.top * whole[1]].map((v) => (settings.cats_eye * v) / half);
  const slope = (-settings.cats_eye * scale) / half;
  const sign = band.rung > 0 ? -1 : 1;
  const squeeze = settings.squeeze;
  return {
    vignette: [shift[0], shift[1], slope, slope],
    stretch: squeeze >= 1 ? [sign * squeeze, sign] : [sign, sign / squeeze],
  };
}
