// A viewport: one stack under a window, zoomed and moved; pixels on one canvas, boxes on another above it.

import { el, announce } from "./dom.js";
import { drawBoxes } from "./boxes.js";
import { paintPixels, presetsOf, table, toShown } from "./gray.js";
import { actionOf } from "./keys.js";

const MOST_ZOOM = 20;
const LEAST_ZOOM = 0.2;
const MEASURE = "osler:redraw";

export class Viewport {
  // told.changed(viewport, what): the reader looked elsewhere. told.asked(action, viewport): a key that is not ours.
  constructor(root, name, told) {
    Object.assign(this, { root, name, told, stack: null, source: null, tool: "window", isDrawing: false, drag: null });
    this.pixels = el("canvas", { class: "pixels", "aria-hidden": "true" });
    this.overlay = el("canvas", { class: "overlay", "aria-hidden": "true" });
    this.corner = el("p", { class: "corner" });
    this.stage = el("div", {
      class: "stage", tabindex: "0", role: "application", "aria-label": `${name} picture, empty`, "aria-describedby": "view-keys",
    }, this.pixels, this.overlay, this.corner);
    this.slider = el("input", { type: "range", min: "0", max: "0", value: "0", "aria-label": `Frame of the ${name.toLowerCase()} stack`, hidden: true });
    this.caption = el("p", { class: "caption" });
    root.append(this.caption, this.stage, this.slider);
    this.buffer = new OffscreenCanvas(1, 1);
    this.painted = "";
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.stage);
  }

  get look() { return this.stack.look; }
  get picture() { return this.stack?.pictures[this.look.frame] || null; }

  async show(stack) {
    this.stack = stack;
    this.slider.hidden = !stack || stack.pictures.length < 2;
    if (stack) this.slider.max = String(stack.pictures.length - 1);
    await this.load();
  }

  async load() {
    const picture = this.picture;
    this.painted = "";
    if (!picture) {
      this.source = null;
    } else {
      try {
        const source = await picture.decoded();
        if (picture !== this.picture) return; // the reader has moved on
        this.source = source;
        this.problem = "";
      } catch {
        this.source = null;
        this.problem = "This picture cannot be shown; it can still be sent.";
      }
    }
    this.draw();
  }

  draw() {
    if (this.isDrawing) return;
    this.isDrawing = true;
    requestAnimationFrame(() => { this.isDrawing = false; this.paint(); });
  }

  paint() {
    const start = performance.now();
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(this.stage.clientWidth * ratio), Math.round(this.stage.clientHeight * ratio)];
    for (const canvas of [this.pixels, this.overlay]) {
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    }
    const context = this.pixels.getContext("2d", { alpha: false });
    const above = this.overlay.getContext("2d");
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    above.clearRect(0, 0, width, height);
    if (this.source && width && height) {
      this.paintBuffer();
      const place = this.place(ratio);
      context.imageSmoothingEnabled = place.width < 3 * this.source.width;
      context.imageSmoothingQuality = "medium";
      context.drawImage(this.buffer, place.left, place.top, place.width, place.height);
      if (this.areBoxesShown !== false) drawBoxes(above, this.picture.boxes, place, ratio);
    }
    this.tell();
    performance.clearMeasures(MEASURE);
    performance.measure(MEASURE, { start, end: performance.now() });
  }

  paintBuffer() {
    const { width, height, size } = this.source;
    const { center, width: span } = this.look.window;
    const wanted = `${center} ${span} ${this.look.invert} ${this.look.frame}`;
    if (wanted === this.painted) return;
    if (this.buffer.width !== width || this.buffer.height !== height || !this.image) {
      this.buffer = new OffscreenCanvas(width, height);
      this.image = new ImageData(width, height);
      this.words = new Uint32Array(this.image.data.buffer);
    }
    paintPixels(this.source, table(size, this.look.window, this.look.invert), this.words);
    this.buffer.getContext("2d", { alpha: false, willReadFrequently: true }).putImageData(this.image, 0, 0);
    this.painted = wanted;
  }

  // Where the picture lies on the canvas, in its pixels.
  place(ratio = 1) {
    const [width, height] = [this.stage.clientWidth * ratio, this.stage.clientHeight * ratio];
    const fit = Math.min(width / this.source.width, height / this.source.height);
    const [w, h] = [this.source.width * fit * this.look.zoom, this.source.height * fit * this.look.zoom];
    return { left: (width - w) / 2 + this.look.panX * w, top: (height - h) / 2 + this.look.panY * h, width: w, height: h };
  }

  tell() {
    if (!this.stack) {
      this.caption.textContent = this.name;
      this.corner.textContent = "";
      this.stage.setAttribute("aria-label", `${this.name} picture, empty`);
      return;
    }
    const { title, detail, pictures, isPrior } = this.stack;
    const name = isPrior ? "Prior" : this.name;
    const shown = toShown(this.look.window, this.picture.scale);
    const unit = this.picture.scale && this.picture.modality === "CT" ? " HU" : "";
    const frame = pictures.length > 1 ? `frame ${this.look.frame + 1} of ${pictures.length}` : "";
    const lines = [
      frame, `window ${Math.round(shown.center)} / ${Math.round(shown.width)}${unit}`,
      `zoom ${Math.round(this.look.zoom * 100)} %`, this.look.invert ? "inverted" : "",
      this.picture.isCurved ? "straight line; the file asks for a curve" : "",
    ].filter(Boolean);
    this.caption.replaceChildren(el("strong", {}, name), ` ${title}`, detail ? el("span", { class: "soft" }, ` ${detail}`) : "");
    this.corner.textContent = this.problem || lines.join("\n");
    this.slider.value = String(this.look.frame);
    this.slider.setAttribute("aria-valuetext", frame);
    this.stage.setAttribute("aria-label", `${name} picture: ${title}, ${detail}`);
    this.state = lines.join(", ");
  }

  // what: "window", "place", "frame" or "invert"; linked viewports follow.
  changed(what) {
    if (what === "frame") this.load();
    else this.draw();
    this.told.changed(this, what);
  }

  frame(by) {
    const next = Math.max(0, Math.min(this.stack.pictures.length - 1, this.look.frame + by));
    if (next === this.look.frame) return;
    this.look.frame = next;
    this.changed("frame");
  }

  window(center, width) {
    const most = this.source?.size || 65536;
    this.look.window = { center: Math.max(-most, Math.min(2 * most, center)), width: Math.max(1, Math.min(4 * most, width)) };
    this.changed("window");
  }

  preset(number) {
    const preset = this.picture && presetsOf(this.picture, this.stack.window)[number];
    if (!preset || !this.source) return;
    const { center, width } = preset.window(this.source);
    this.window(center, width);
    announce(`${preset.words}`);
  }

  zoom(factor, at = null) {
    const next = Math.max(LEAST_ZOOM, Math.min(MOST_ZOOM, this.look.zoom * factor));
    const place = this.source && at ? this.place() : null;
    this.look.zoom = next;
    if (place) { // what is under the pointer stays there
      const moved = this.place();
      this.look.panX += (at.x - moved.left) / moved.width - (at.x - place.left) / place.width;
      this.look.panY += (at.y - moved.top) / moved.height - (at.y - place.top) / place.height;
    }
    this.changed("place");
  }

  pan(x, y) {
    const place = this.place();
    this.look.panX = Math.max(-1, Math.min(1, this.look.panX + x / place.width));
    this.look.panY = Math.max(-1, Math.min(1, this.look.panY + y / place.height));
    this.changed("place");
  }

  reset() {
    Object.assign(this.look, { zoom: 1, panX: 0, panY: 0, invert: false, window: { ...this.stack.window } });
    for (const what of ["window", "place", "invert"]) this.changed(what);
  }

  fit() {
    Object.assign(this.look, { zoom: 1, panX: 0, panY: 0 });
    this.changed("place");
  }

  invert() {
    this.look.invert = !this.look.invert;
    this.changed("invert");
  }

  // A region of the reader's own, as fractions of the picture.
  mark(box) {
    this.picture.boxes = [...this.picture.boxes.filter((each) => !each.mine), ...(box ? [{ ...box, mine: true }] : [])];
    this.draw();
    this.told.changed(this, "mark");
  }

  get ownMark() { return this.picture?.boxes.find((box) => box.mine) || null; }

  listen() {
    this.slider.addEventListener("input", () => this.frame(Number(this.slider.value) - this.look.frame));
    this.stage.addEventListener("focus", () => this.told.changed(this, "focus"));
    this.stage.addEventListener("keydown", (event) => {
      const action = this.stack && actionOf(event);
      if (!action) return;
      event.preventDefault();
      act(this, action);
    });
    this.stage.addEventListener("wheel", (event) => {
      if (!this.stack) return;
      event.preventDefault();
      const isStack = this.stack.pictures.length > 1 && !event.ctrlKey;
      if (isStack) this.frame(Math.sign(event.deltaY));
      else this.zoom(Math.exp(-event.deltaY / 400), { x: event.offsetX, y: event.offsetY });
    }, { passive: false });
    this.stage.addEventListener("pointerdown", (event) => this.down(event));
    this.stage.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) this.stage.addEventListener(end, (event) => this.up(event));
    this.stage.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  down(event) {
    if (!this.source) return;
    this.stage.setPointerCapture(event.pointerId);
    this.drag = this.drag || { fingers: new Map(), tool: this.tool };
    if (event.button === 2) this.drag.tool = "zoom";
    else if (event.button === 1 || event.shiftKey) this.drag.tool = "pan";
    this.drag.fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    this.drag.start = { x: event.offsetX, y: event.offsetY };
  }

  move(event) {
    const last = this.drag?.fingers.get(event.pointerId);
    if (!last || !this.source) return;
    const now = { x: event.offsetX, y: event.offsetY };
    this.drag.fingers.set(event.pointerId, now);
    const fingers = [...this.drag.fingers.values()];
    if (fingers.length === 2) {
      const [one, other] = fingers;
      const spread = Math.hypot(one.x - other.x, one.y - other.y);
      if (this.drag.spread) this.zoom(spread / this.drag.spread, { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });
      this.drag.spread = spread;
      return;
    }
    const [x, y] = [now.x - last.x, now.y - last.y];
    if (this.drag.tool === "window") {
      const step = this.look.window.width / 300 + this.source.size / 60000;
      this.window(this.look.window.center + y * step, this.look.window.width + x * step);
    } else if (this.drag.tool === "pan") this.pan(x, y);
    else if (this.drag.tool === "zoom") this.zoom(Math.exp(-y / 150), this.drag.start);
    else this.mark(this.boxOf(this.drag.start, now));
  }

  up(event) {
    this.drag?.fingers.delete(event.pointerId);
    if (this.drag && !this.drag.fingers.size) this.drag = null;
  }

  boxOf(one, other) {
    const place = this.place();
    const share = (value, start, length) => Math.max(0, Math.min(1, (value - start) / length));
    const xs = [one.x, other.x].map((x) => share(x, place.left, place.width)).sort((a, b) => a - b);
    const ys = [one.y, other.y].map((y) => share(y, place.top, place.height)).sort((a, b) => a - b);
    return xs[1] - xs[0] > 0.005 && ys[1] - ys[0] > 0.005 ? { x0: xs[0], y0: ys[0], x1: xs[1], y1: ys[1] } : this.ownMark;
  }
}

// What a key does: see keys.js for the table.
function act(view, { name, by = 0, x = 0, y = 0 }) {
  const { window: look } = view.look;
  const step = Math.max(1, look.width / 20);
  if (name === "frame") view.frame(by);
  else if (name === "level" && view.source) view.window(look.center + by * step, look.width);
  else if (name === "width" && view.source) view.window(look.center, look.width + by * step);
  else if (name === "zoom") view.zoom(by > 0 ? 1.2 : 1 / 1.2);
  else if (name === "pan" && view.source) view.pan(x * 40, y * 40);
  else if (name === "preset") view.preset(by);
  else if (name === "invert") view.invert();
  else if (name === "fit") view.fit();
  else if (name === "reset") view.reset();
  else if (name === "mark") markByKey(view, x, y, by);
  else if (name === "unmark") view.mark(null);
  else view.told.asked(name, view);
  if (["frame", "level", "width", "zoom", "invert", "reset", "fit"].includes(name)) {
    requestAnimationFrame(() => requestAnimationFrame(() => announce(view.state || "")));
  }
}

// by 0 puts a region in the middle; 1 moves it, 2 makes it larger or smaller.
function markByKey(view, x, y, by) {
  const box = view.ownMark || { x0: 0.4, y0: 0.4, x1: 0.6, y1: 0.6 };
  const [dx, dy] = [x * 0.02, y * 0.02];
  const moved = { x0: box.x0 + (by === 1 ? dx : 0), y0: box.y0 + (by === 1 ? dy : 0), x1: box.x1 + dx, y1: box.y1 + dy };
  const fits = moved.x0 >= 0 && moved.y0 >= 0 && moved.x1 <= 1.0001 && moved.y1 <= 1.0001;
  if (fits && moved.x1 - moved.x0 > 0.015 && moved.y1 - moved.y0 > 0.015) view.mark(moved);
  announce("Region " + Object.values(view.ownMark || {}).filter(Number.isFinite).map((v) => Math.round(v * 100)).join(", ") + " percent");
}
