// Keys that work while a picture has the focus; the same table is the help.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const PANS = { a: [1, 0], d: [-1, 0], w: [0, 1], s: [0, -1] };
const SINGLE = {
  "+": { name: "zoom", by: 1 }, "=": { name: "zoom", by: 1 }, "-": { name: "zoom", by: -1 }, 0: { name: "fit" },
  i: { name: "invert" }, r: { name: "reset" }, p: { name: "prior" }, l: { name: "link" }, h: { name: "boxes" },
  m: { name: "mark" }, Delete: { name: "unmark" }, q: { name: "question" }, "?": { name: "help" },
  PageUp: { name: "frame", by: -10 }, PageDown: { name: "frame", by: 10 },
  Home: { name: "frame", by: -Infinity }, End: { name: "frame", by: Infinity },
};

export const HELP = [
  ["Up, Down", "previous, next frame of a stack; Page Up, Page Down by ten; Home, End"],
  ["Shift + Up, Down", "brighter, darker (window level)"],
  ["Shift + Left, Right", "more, less contrast (window width)"],
  ["1 to 9", "presets of the window, as in the list above the pictures"],
  ["+  -  0", "zoom in, out, fit"],
  ["W A S D", "move the picture"],
  ["I", "invert"],
  ["R", "window, zoom and place as at first"],
  ["P", "prior beside current, or current alone"],
  ["L", "link window, zoom and place of both pictures, or part them"],
  ["H", "hide regions, or show them"],
  ["M", "mark a region; Alt + arrows move it, Alt + Shift + arrows resize it, Delete removes it"],
  ["Q", "go to the question"],
  ["?", "this help"],
];

// The action that a key press asks for; null where it is not ours.
export function actionOf(event) {
  if (event.ctrlKey || event.metaKey) return null;
  const arrow = ARROWS[event.key];
  if (arrow) {
    const [x, y] = arrow;
    if (event.altKey) return { name: "mark", x, y, by: event.shiftKey ? 2 : 1 };
    if (event.shiftKey) return x ? { name: "width", by: x } : { name: "level", by: y };
    return { name: "frame", by: x || y };
  }
  if (event.altKey) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (PANS[key]) return { name: "pan", x: PANS[key][0], y: PANS[key][1] };
  if (key >= "1" && key <= "9" && key.length === 1) return { name: "preset", by: Number(key) - 1 };
  return SINGLE[key] || null;
}
