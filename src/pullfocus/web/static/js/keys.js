/** Keys: everything the mouse can do, by keyboard. */

/** @param {any} app */
export function listenForKeys(app) {
  const STEP = 0.01;
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const typing = (element) => element instanceof HTMLElement && (element.matches('input:not([type="range"]):not([type="checkbox"]), textarea, select') || element.isContentEditable);
  const plain = {
    f: () => app.subjects.toggle(), d: () => app.looks.toggleDepth(), p: () => app.looks.togglePeaking(), b: () => app.looks.toggleBrush(), c: () => app.looks.toggleDivider(),
    s: () => app.showSave(), 0: () => app.tools.zoomFit(), 1: () => app.tools.zoomFull(), '+': () => app.tools.zoomBy(1.25), '=': () => app.tools.zoomBy(1.25),
    '-': () => app.tools.zoomBy(0.8), '[': () => app.aperture(-1), ']': () => app.aperture(1),
    PageUp: () => app.selectBeside(-1), PageDown: () => app.selectBeside(1), Escape: () => app.looks.leave(),
  };

  addEventListener('keydown', (event) => {
    if (document.querySelector('dialog[open], .gone')) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if ((event.ctrlKey || event.metaKey) && key === 'z') {
      if (typing(event.target)) return;
      event.preventDefault();
      if (event.shiftKey) app.photo?.edit.redo();
      else app.photo?.edit.undo();
      return;
    }
    if ((event.ctrlKey || event.metaKey) && key === 'y') {
      if (typing(event.target)) return;
      event.preventDefault();
      app.photo?.edit.redo();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (key === '?') return app.showHelp();
    if (key === 'o') return app.choose();
    if (app.view !== 'stage' || !app.photo) return;
    const onStage = event.target === app.canvas || event.target === document.body || event.target === app.main;
    const inControl = event.target instanceof HTMLElement && event.target.closest('#panel, dialog, [role="radiogroup"], [role="slider"]');
    if (key in arrows && !inControl) {
      event.preventDefault();
      const [dx, dy] = arrows[key];
      if (event.shiftKey) app.tools.panBy(-dx * 60, -dy * 60);
      else app.focusing.moveCross(dx * STEP * (event.repeat ? 2 : 1), dy * STEP * (event.repeat ? 2 : 1));
      return;
    }
    if (key === 'Enter' && onStage) {
      event.preventDefault();
      if (event.shiftKey) app.focusing.pullToCross();
      else app.focusing.atCross();
      return;
    }
    if (key === ' ' && onStage) {
      event.preventDefault();
      app.looks.hold(true);
      return;
    }
    if (key in plain && !(inControl && key.startsWith('Page'))) {
      event.preventDefault();
      plain[key]();
    }
  });
  addEventListener('keyup', (event) => { if (event.key === ' ') app.looks.hold(false); });
  addEventListener('blur', () => app.looks.hold(false));
}
