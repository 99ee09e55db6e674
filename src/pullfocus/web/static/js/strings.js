/** Every English word of the page, in one file, ready for other languages. */

export const words = {
  brand: 'pullfocus',
  tagline: 'Pull focus after the shot.',
  lead: 'Drop a photo, click what should be sharp, and get the picture a fast lens would have taken.',
  drop: 'Drop photos here, paste one, or',
  choose: 'Choose photos',
  samples: 'Or start with one of these',
  private: 'Your pictures never leave this computer: this page talks only to the program you started.',
  firstRun: 'Click anything in the photo to focus there.',
  focusHere: 'Click to focus. Drag to move the focus. Double-click to pull it.',
  home: 'Home', open: 'Open photos', undo: 'Undo', redo: 'Redo', compare: 'Before and after',
  depth: 'Depth view', save: 'Save', help: 'Help', about: 'About', close: 'Close', cancel: 'Cancel',
  settings: 'Settings as text', brush: 'Depth brush', peaking: 'Focus peaking', reset: 'Reset',
  stage: 'Photo. Arrow keys move the focus cross, Enter focuses there.',
  strip: 'Open photos', controls: 'Controls', zoomIn: 'Zoom in', zoomOut: 'Zoom out', fit: 'Fit',
  hundred: 'Zoom to 100 %', hold: 'Hold to see the original', divider: 'Divider between original and result',
  aperture: 'Aperture', focus: 'Focus', sharpRange: 'Sharp range', rangeOn: 'Keep a range sharp',
  near: 'near', far: 'far', planeHandle: 'Focus distance', nearHandle: 'Near end of the sharp range',
  farHandle: 'Far end of the sharp range', shape: 'Bokeh', round: 'Round', blades: '{n} blades',
  rotation: 'Rotation', roundness: 'Blade curve', highlights: 'Highlights', catsEye: "Cat's eye",
  squeeze: 'Anamorphic', ring: 'Mirror ring', edge: 'Disc edge', style: 'Style', lens: 'Lens',
  graded: 'Classic', method: 'Blur', strength: 'Strength', depthSource: 'Depth', model: 'Model',
  refine: 'Snap depth to edges', ownDepth: 'Use a depth file', dropDepth: 'Back to the model',
  more: 'More of the lens', gaussian: 'Gaussian', average: 'Average', median: 'Median',
  bilateral: 'Bilateral', disc: 'Disc', mixed: 'Mixed',
  uploading: 'Bringing in {name}', reading: 'Reading the photo', waiting: 'Waiting for its turn',
  measuring: 'Working out depth', rendering: 'Rendering', finished: 'Done',
  cancelled: 'Cancelled.', saved: 'Saved {name}.', download: 'Download again',
  edited: 'Depth edited by hand.', depthKind_relative: 'relative depth', depthKind_metric: 'metres',
  subject: 'Focused on the {what}. Click to focus elsewhere.',
  focusedAt: 'Focused at {where}.', relativeValue: '{n} % near', metricValue: '{n} m', infinity: 'infinity',
  crossAt: '{x} % across, {y} % down, {where}',
  brush_nearer: 'Nearer', brush_farther: 'Farther', brush_smooth: 'Smooth', brush_snap: 'Snap to edge',
  brush_fill: 'Fill a box', brushSize: 'Size', brushForce: 'Strength', brushDone: 'Done', brushClear: 'Clear edits',
  savePicture: 'The picture, at full resolution', saveDepth: 'The depth map', savePull: 'A focus pull',
  saveLiving: 'A living photo', livingWords: 'One HTML file with the photo, its depth and the lens: anyone can click to refocus, offline.',
  saveSettings: 'The settings', settingsWords: 'The same text replays this edit from the command line: pullfocus PHOTO --settings FILE.',
  format: 'Format', quality: 'Quality', sameFormat: 'Same as photo', seconds: 'Seconds', pullWords: 'From the near end to the far end of this picture and back.',
  copy: 'Copy', copied: 'Copied.', load: 'Load a file', apply: 'Apply', saveFile: 'Save file',
  restarted: 'pullfocus was restarted', restartedWords: 'This page belongs to an earlier run. Open the address that the running program printed. Your settings are kept here:',
  offline: 'The program does not answer. Is it still running in its terminal?',
  noGpu: 'This browser has no WebGL 2, so previews are rendered by the program: a little slower, the same picture.',
  tooLarge: '{name} is larger than {n} MB.', notPhoto: 'Nothing in there looks like a photo.',
  aboutTitle: 'About pullfocus', helpTitle: 'How to pull focus',
  about1: 'pullfocus moves the focus of a photo after it was taken. It works out how far away everything is from the one picture, asks you what should be sharp, and renders the picture that a lens of your choice would have taken: in linear light, with near and far blur, highlights that open into discs, and no halos.',
  about2: 'Everything happens on this computer. The page is served by the program you started, listens to nobody else, loads nothing from the internet and keeps nothing when it ends.',
  about3: 'Version {version}. Free software under the MIT licence.',
  keysTitle: 'Keys',
  step1: 'Bring a photo', step1w: 'Drop it anywhere, paste it, choose it, or take a sample. Several make a filmstrip.',
  step2: 'See its depth', step2w: 'Press D. Bright is near, dark is far; the loupe reads the distance under the cursor.',
  step3: 'Click what should be sharp', step3w: 'On the photo or on the depth. Drag to move the focus, double-click to pull it there.',
  step4: 'Choose the lens', step4w: 'Aperture, blades, highlights. Two handles keep a whole range sharp.',
  step5: 'Mend the depth', step5w: 'Press B. Paint nearer or farther, smooth, snap to edges, fill a box.',
  step6: 'Save', step6w: 'Full resolution, depth, an animation, or a living photo that anyone can refocus.',
  k_focus: 'Move the focus cross; Enter focuses there', k_depth: 'Depth view', k_peak: 'Focus peaking',
  k_brush: 'Depth brush', k_hold: 'Hold: the original', k_compare: 'Divider', k_zoom: 'Zoom in, zoom out, fit, 100 %',
  k_pan: 'Pan', k_aperture: 'Open or close the aperture', k_undo: 'Undo, redo', k_save: 'Save', k_photos: 'Previous, next photo',
  k_help: 'Help', k_pull: 'Pull focus to the cross',
  copyOf: 'Close {name}', sample_scooter: 'The scooter, before a brick wall', sample_hibiscus: 'The flower, before a window', sample_street: 'The near car, before a long street',
  livingHint: 'Click anything to focus there.', livingNoGpu: 'This browser has no WebGL 2; here is the photo as it was taken.',
  editingDepth: 'Taking over the depth', full: 'Full size {w} × {h}', notes: 'Notes',
};

/**
 * Say a text by its key, with {name} filled in.
 * @param {keyof typeof words | string} key
 * @param {Record<string, string | number>} [fill]
 */
export function t(key, fill = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in fill ? String(fill[name]) : whole));
}
