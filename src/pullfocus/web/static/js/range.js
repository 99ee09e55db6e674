/** Range: the plane in focus and the ends of the sharp range, moved by hand. */

import { focusOf, rangeSetting } from './optics.js';

/** Move the plane, the near end or the far end to a disparity. @param {{plane?: number, near?: number, far?: number}} change */
export function moveFocus(photo, change, transient) {
  if (!photo?.depth) return;
  const { plane, range } = focusOf(photo.edit.now, photo.depth);
  if (change.plane !== undefined) {
    const settings = { at: null, focus_m: null, focus_disparity: change.plane };
    if (range) Object.assign(settings, { range: shifted(range, change.plane - plane, photo) });
    photo.edit.set(settings, { transient });
    return;
  }
  const near = change.near ?? range.near;
  const far = change.far ?? range.far;
  const kept = Math.min(near, Math.max(far, photo.edit.now.focus_disparity ?? plane));
  photo.edit.set({ range: rangeSetting(near, far, photo.depth.kind), focus_disparity: kept }, { transient });
}

/** The range moved along with its plane, kept inside the picture's depth. */
export function shifted(range, by, photo) {
  const { low, high } = photo.histogram;
  const clamp = (d) => Math.min(high, Math.max(low, d));
  return rangeSetting(clamp(range.near + by), clamp(range.far + by), photo.depth.kind);
}

/** Keep a range round the plane sharp, or only the plane. */
export function toggleRange(photo, on) {
  if (!photo?.depth) return;
  const { plane } = focusOf(photo.edit.now, photo.depth);
  const { low, high } = photo.histogram;
  const half = (high - low) * 0.06;
  const range = on ? rangeSetting(Math.min(high, plane + half), Math.max(low, plane - half), photo.depth.kind) : null;
  photo.edit.set({ range, focus_disparity: plane });
}
