// Boxes: read out of an answer, and drawn on a canvas of their own that lies above the pixels and is never sent.

const TAGGED = /(?:<ref>([^<]*)<\/ref>\s*)?<box>(.*?)<\/box>/gs;
const NUMBER = "\\s*(\\d+(?:\\.\\d+)?|\\.\\d+)\\s*";
const FOUR = new RegExp(`\\[${NUMBER},${NUMBER},${NUMBER},${NUMBER}\\]`, "g");

// An answer as parts: text, and boxes as fractions from the top left. The form is that of osler.scoring.boxes.
export function partsOf(answer) {
  const parts = [];
  let at = 0;
  let number = 0;
  for (const found of answer.matchAll(TAGGED)) {
    const boxes = [...found[2].matchAll(FOUR)].map((four) => corners(four.slice(1).map(Number))).filter(Boolean);
    if (!boxes.length) continue;
    if (found.index > at) parts.push({ text: answer.slice(at, found.index) });
    for (const box of boxes) {
      number += 1;
      parts.push({ box: { ...box, number, label: (found[1] || "").trim() || `Region ${number}` } });
    }
    at = found.index + found[0].length;
  }
  if (at < answer.length) parts.push({ text: answer.slice(at) });
  return parts;
}

function corners(numbers) {
  const scale = Math.max(...numbers) > 1 ? 1000 : 1;
  const [x0, y0, x1, y1] = numbers.map((value) => value / scale);
  return x0 < x1 && x1 <= 1 && y0 < y1 && y1 <= 1 ? { x0, y0, x1, y1 } : null;
}

// The words that put a box into a question, in thousandths as the models read them.
export function boxWords({ x0, y0, x1, y1 }) {
  return `<box>[${[x0, y0, x1, y1].map((value) => Math.round(value * 1000)).join(", ")}]</box>`;
}

const COLOURS = { mine: "#ffd166", 0: "#4cc9f0", 1: "#f5a3ff" };
const colourOf = (box) => COLOURS[box.mine ? "mine" : box.side || 0];

// A box's `side` is the place of its model among those that answered. context: of the overlay. place: where the picture lies on it, { left, top, width, height } in canvas pixels.
export function drawBoxes(context, boxes, place, ratio) {
  for (const box of boxes) {
    const left = place.left + box.x0 * place.width;
    const top = place.top + box.y0 * place.height;
    const [width, height] = [(box.x1 - box.x0) * place.width, (box.y1 - box.y0) * place.height];
    context.setLineDash(box.mine ? [6 * ratio, 4 * ratio] : []);
    for (const [line, colour] of [[4, "#000"], [2, colourOf(box)]]) {
      context.lineWidth = line * ratio;
      context.strokeStyle = colour;
      context.strokeRect(left, top, width, height);
    }
    label(context, box, left, top, ratio);
  }
}

function label(context, box, left, top, ratio) {
  const words = box.mine ? "my mark" : box.owner ? `${box.label} (${box.owner})` : box.label;
  context.font = `${13 * ratio}px system-ui, sans-serif`;
  const width = context.measureText(words).width + 8 * ratio;
  const height = 18 * ratio;
  const y = top >= height ? top - height : top;
  context.fillStyle = "rgb(0 0 0 / 80%)";
  context.fillRect(left, y, width, height);
  context.fillStyle = colourOf(box);
  context.fillText(words, left + 4 * ratio, y + 13 * ratio);
}
