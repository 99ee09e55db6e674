/** Gestures: mouse, pen and touch on the stage, told as focus, pull, pan, zoom and strokes. */

/**
 * @typedef {object} Listener
 * @property {(x: number, y: number, phase: 'start' | 'move' | 'end' | 'cancel') => void} touch one finger or button;
 *     cancelled when a second finger makes it a pinch, or the system takes it away
 * @property {(x: number, y: number) => void} double
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, x: number, y: number) => void} zoom
 * @property {(x: number, y: number) => void} hover
 * @property {() => void} leave
 */

/** @param {HTMLElement} element @param {Listener} listener */
export function listen(element, listener) {
  /** @type {Map<number, {x: number, y: number}>} */
  const down = new Map();
  let mode = '';
  let lastTap = { time: 0, x: 0, y: 0 };
  const place = (event) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const middle = () => {
    const points = [...down.values()];
    const x = points.reduce((sum, p) => sum + p.x, 0) / points.length;
    const y = points.reduce((sum, p) => sum + p.y, 0) / points.length;
    const spread = points.length < 2 ? 1 : Math.hypot(points[0].x - points[1].x, points[0].y - points[1].y);
    return { x, y, spread };
  };

  element.addEventListener('pointerdown', (event) => {
    const at = place(event);
    element.setPointerCapture(event.pointerId);
    down.set(event.pointerId, at);
    if (down.size === 2) {
      if (mode === 'touch') listener.touch(at.x, at.y, 'cancel');
      mode = 'pinch';
      lastTap.time = 0;
      return;
    }
    mode = event.button === 1 || event.button === 2 ? 'pan' : 'touch';
    if (mode !== 'touch') return;
    const now = performance.now();
    const again = now - lastTap.time < 350 && Math.hypot(at.x - lastTap.x, at.y - lastTap.y) < 24;
    lastTap = { time: again ? 0 : now, ...at };
    if (again) {
      mode = 'double';
      listener.double(at.x, at.y);
    } else listener.touch(at.x, at.y, 'start');
  });
  element.addEventListener('pointermove', (event) => {
    const at = place(event);
    const before = down.get(event.pointerId);
    if (!before) return listener.hover(at.x, at.y);
    if (mode === 'pinch') {
      const old = middle();
      down.set(event.pointerId, at);
      const now = middle();
      listener.pan(now.x - old.x, now.y - old.y);
      listener.zoom(now.spread / Math.max(1, old.spread), now.x, now.y);
      return;
    }
    down.set(event.pointerId, at);
    if (mode === 'pan') listener.pan(at.x - before.x, at.y - before.y);
    if (mode === 'touch') {
      listener.hover(at.x, at.y);
      listener.touch(at.x, at.y, 'move');
    }
  });
  const up = (event) => {
    const at = place(event);
    if (!down.delete(event.pointerId)) return;
    if (mode === 'touch') listener.touch(at.x, at.y, event.type === 'pointerup' ? 'end' : 'cancel');
    if (down.size === 0) mode = '';
  };
  element.addEventListener('pointerup', up);
  element.addEventListener('pointercancel', up);
  element.addEventListener('pointerleave', () => listener.leave());
  element.addEventListener('contextmenu', (event) => event.preventDefault());
  element.addEventListener('wheel', (event) => {
    event.preventDefault();
    const at = place(event);
    if (event.ctrlKey || !event.shiftKey) {
      const lines = event.deltaMode === 1 ? 16 : 1;
      listener.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0022)), at.x, at.y);
    } else listener.pan(-event.deltaY, -event.deltaX);
  }, { passive: false });
}
