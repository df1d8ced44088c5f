// The reader's side of the page: what was loaded, the viewports, and what of it the model is shown.

import { $, announce, button, el, fill, say } from "./dom.js";
import { presetsOf, toShown, toStored } from "./gray.js";
import { forgetDecoded, takeIn, whenWords } from "./pictures.js";
import { refusalLines } from "./errors.js";
import { Viewport } from "./viewport.js";

const state = { stacks: [], isLinked: true, isPriorShown: false, active: null, views: [], told: {} };

// told.changed(): other pictures would be sent. told.asked(name): "question" or "help". told.lists(files).
export function startReader(told) {
  state.told = told;
  const heard = { changed: follow, asked };
  state.views = [new Viewport($("current"), "Current", heard), new Viewport($("prior"), "Prior", heard)];
  state.active = state.views[0];
  intake();
  for (const [id, name] of [["invert", "invert"], ["reset", "reset"]]) {
    $(id).addEventListener("click", () => state.active.stack && state.active[name]());
  }
  $("zoom-in").addEventListener("click", () => state.active.stack && state.active.zoom(1.2));
  $("zoom-out").addEventListener("click", () => state.active.stack && state.active.zoom(1 / 1.2));
  $("link").addEventListener("click", () => asked("link"));
  $("beside").addEventListener("click", () => asked("prior"));
  $("boxes").addEventListener("click", () => asked("boxes"));
  $("preset").addEventListener("change", () => state.active.preset(Number($("preset").value)));
  for (const input of document.querySelectorAll("input[name=tool]")) {
    input.addEventListener("change", () => state.views.forEach((view) => { view.tool = input.value; }));
  }
  for (const id of ["frames-sent", "window-sent"]) $(id).addEventListener("change", () => state.told.changed());
  arrange();
}

export function forget() {
  state.stacks = [];
  forgetDecoded();
  state.isPriorShown = false;
  for (const view of state.views) view.show(null);
  say($("intake-said"), "");
  arrange();
}

function intake() {
  const box = $("drop");
  const take = async (files) => { if (files.length) await load([...files]); };
  $("files").addEventListener("change", async () => { await take($("files").files); $("files").value = ""; });
  $("choose").addEventListener("click", () => $("files").click());
  $("clear").addEventListener("click", () => { forget(); state.told.changed(); announce("All pictures removed"); });
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => { event.preventDefault(); box.classList.add("over"); });
  }
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) box.classList.remove("over"); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    box.classList.remove("over");
    take(event.dataTransfer.files);
  });
}

async function load(files) {
  if (!$("sign-in").hidden) return;
  const lists = await state.told.lists(files);
  if (lists) return;
  say($("intake-said"), `Reading ${files.length} ${files.length === 1 ? "file" : "files"}: the server cleans DICOM of names first.`, "busy");
  try {
    const { stacks, refused } = await takeIn(files, $("num-frames").value);
    const lines = refusalLines(refused);
    say($("intake-said"), lines.join(" "), lines.length ? "error" : "note");
    add(stacks);
    if (stacks.length) announce(`${stacks.length} series loaded`);
  } catch (error) {
    say($("intake-said"), [error.message, ...refusalLines(error.refused || [])].join(" "), "error");
  }
}

// Shows other stacks in place of all.
export function showOnly(stacks) {
  forget();
  add(stacks);
}

function add(stacks) {
  if (!stacks.length) return;
  state.stacks.push(...stacks);
  const [current, prior] = pair();
  if (prior && !state.isPriorShown) state.isPriorShown = true;
  place(state.views[0], current);
  place(state.views[1], prior || null);
  arrange();
  state.told.changed();
}

// The latest series, and one of an earlier study of the same kind; without dates the first two that were loaded.
function pair() {
  const dated = state.stacks.filter((stack) => stack.days !== null);
  if (!dated.length) return [state.views[0].stack || state.stacks[0], state.views[1].stack || state.stacks[1]];
  const current = [...dated].sort((a, b) => a.days - b.days)[0];
  const earlier = dated.filter((stack) => stack.study !== current.study).sort((a, b) => a.days - b.days);
  const kind = (stack) => stack.pictures[0].modality;
  return [current, earlier.find((stack) => kind(stack) === kind(current)) || earlier[0]];
}

function place(view, stack) {
  if (view.stack !== stack) view.show(stack || null);
}

function asked(name) {
  if (name === "prior") {
    state.isPriorShown = !state.isPriorShown;
    if (!state.isPriorShown) state.active = state.views[0];
  } else if (name === "link") state.isLinked = !state.isLinked;
  else if (name === "boxes") {
    const areShown = state.views[0].areBoxesShown === false;
    state.views.forEach((view) => { view.areBoxesShown = areShown; view.draw(); });
  } else {
    state.told.asked(name);
    return;
  }
  arrange();
  announce({ prior: state.isPriorShown ? "Prior beside current" : "Current alone",
    link: state.isLinked ? "Pictures linked" : "Pictures not linked",
    boxes: state.views[0].areBoxesShown === false ? "Regions hidden" : "Regions shown" }[name]);
}

// A viewport was looked at otherwise: the other follows where both are linked.
function follow(view, what) {
  if (what === "focus" || what === "frame") {
    if (what === "focus") state.active = view;
    presets();
  }
  if (what === "mark") marks();
  const other = state.views.find((each) => each !== view);
  if (state.isLinked && state.isPriorShown && other.stack && view.stack && other.stack !== view.stack) {
    if (what === "window") other.look.window = carried(view, other);
    if (what === "invert") other.look.invert = view.look.invert;
    if (what === "place") Object.assign(other.look, { zoom: view.look.zoom, panX: view.look.panX, panY: view.look.panY });
    if (["window", "invert", "place"].includes(what)) other.draw();
  }
  if (what === "frame" || what === "window") state.told.changed();
}

// The same window in the unit where both have one; else moved and stretched as much as the first was.
function carried(view, other) {
  const [from, to] = [view.picture, other.picture];
  if (from.scale && to.scale && from.modality === "CT" && to.modality === "CT") {
    return toStored(toShown(view.look.window, from.scale), to.scale);
  }
  const [own, others] = [view.stack.window, other.stack.window];
  const stretch = view.look.window.width / own.width;
  const shift = (view.look.window.center - own.center) / own.width;
  return { center: others.center + shift * others.width, width: Math.max(1, others.width * stretch) };
}

function arrange() {
  const areAny = state.stacks.length > 0;
  const isPrior = state.isPriorShown && areAny;
  $("prior").hidden = !isPrior;
  $("views").classList.toggle("two", isPrior);
  document.body.classList.toggle("empty", !areAny);
  $("beside").setAttribute("aria-pressed", String(isPrior));
  $("link").setAttribute("aria-pressed", String(state.isLinked));
  $("link").disabled = !isPrior;
  $("boxes").setAttribute("aria-pressed", String(state.views[0].areBoxesShown !== false));
  fill($("series"), ...state.stacks.map(row));
  $("loaded").hidden = !areAny;
  presets();
  marks();
}

function row(stack, number) {
  const inView = (place) => state.views[place].stack === stack;
  const put = (place) => () => {
    if (place === 1) state.isPriorShown = true;
    state.views[place].show(stack);
    state.active = state.views[place];
    arrange();
    state.told.changed();
    state.views[place].stage.focus();
  };
  const sent = el("input", {
    type: "checkbox", id: `sent-${number}`, checked: stack.isSent,
    onchange: (event) => { stack.isSent = event.target.checked; state.told.changed(); },
  });
  return el("li", {},
    el("span", { class: "what" }, el("strong", {}, stack.title), el("span", { class: "soft" }, ` ${stack.detail}`)),
    el("span", { class: "row" },
      button("Current", put(0), { "aria-pressed": String(inView(0)), "aria-label": `Show ${stack.title} as current` }),
      button("Prior", put(1), { "aria-pressed": String(inView(1) && state.isPriorShown), "aria-label": `Show ${stack.title} as prior` }),
      el("label", { class: "check" }, sent, "for the model")));
}

function presets() {
  const picture = state.active.picture || state.views[0].picture;
  const select = $("preset");
  const options = picture ? presetsOf(picture, null) : [];
  fill(select, el("option", { value: "" }, "Presets"), ...options.map(({ words }, number) => (
    el("option", { value: String(number) }, `${number + 1}  ${words}`))));
  select.value = "";
  select.disabled = !picture;
}

function marks() {
  $("use-mark").hidden = !state.views.some((view) => view.ownMark);
}

export const ownMark = () => (state.active.ownMark || state.views.find((view) => view.ownMark)?.ownMark || null);
export const activePicture = () => state.active.picture;
export const stacks = () => state.stacks;
export const redraw = () => state.views.forEach((view) => view.draw());
export const focusPicture = () => state.views[0].stage.focus();

// What a question is sent with, current before prior: [{ picture, stack, window }].
export function forModel(most) {
  const chosen = [...state.stacks].filter((stack) => stack.isSent).sort((a, b) => (a.days ?? 0) - (b.days ?? 0) || order(a) - order(b));
  const each = Math.max(1, Math.floor(most / Math.max(1, chosen.length)));
  return chosen.flatMap((stack) => frames(stack, each).map((picture) => ({
    picture, stack, window: $("window-sent").checked && picture.isDeep ? stack.look.window : null,
  }))).slice(0, most);
}

const order = (stack) => (state.isPriorShown && state.views[1].stack === stack && state.views[0].stack !== stack ? 1 : 0);

function frames(stack, most) {
  const { pictures, look } = stack;
  if ($("frames-sent").value === "view" || pictures.length === 1) return [pictures[look.frame]];
  const count = Math.min(most, pictures.length);
  return Array.from({ length: count }, (_, number) => pictures[Math.floor(((number + 0.5) * pictures.length) / count)]);
}

// Which pictures are of which study, in words that go with the question; "" where all are of one.
export function studyWords(sent) {
  const isPrior = (stack) => (stack.days ? true : state.isPriorShown && order(stack) === 1);
  if (!sent.some(({ stack }) => isPrior(stack))) return "";
  const lines = sent.map(({ stack }, number) => {
    const when = stack.days ? `prior study, ${whenWords(stack.days)}` : isPrior(stack) ? "prior study" : "current study";
    return `Image ${number + 1}: ${when}.`;
  });
  return lines.join(" ");
}

