// The reader's side of the page: what was loaded, the viewports, and what of it the model is shown.

import { $, announce, button, el, fill, say } from "./dom.js";
import { presetsOf, toShown, toStored } from "./gray.js";
import { forgetDecoded, takeIn, whenWords } from "./pictures.js";
import { refusalLines } from "./errors.js";
import { Viewport } from "./viewport.js";

const state = { stacks: [], numBatches: 0, isLinked: true, isPriorShown: false, active: null, views: [], told: {} };

// told.changed(): other pictures would be sent. told.asked(name): "question" or "help". told.lists(files).
export function startReader(told) {
  state.told = told;
  const heard = { changed: follow, asked };
  state.views = [new Viewport($("current"), "Current", heard), new Viewport($("prior"), "Beside", heard)];
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
  state.numBatches = 0;
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
  state.numBatches += 1;
  stacks.forEach((stack) => { stack.batch = state.numBatches; });
  state.stacks.push(...stacks);
  const [current, prior] = pair(stacks);
  state.isPriorShown = state.isPriorShown || Boolean(prior);
  place(state.views[0], current);
  if (prior) place(state.views[1], prior);
  arrange();
  state.told.changed();
}

// The latest series of an upload, and one of an earlier study of the same person, of the same kind if there is one. Of
// pictures without dates none is taken for a prior: the reader says which is.
function pair(stacks) {
  const dated = stacks.filter((stack) => stack.days !== null).sort((a, b) => a.days - b.days);
  if (!dated.length) return [state.views[0].stack || stacks[0], null];
  const [current] = dated;
  const earlier = dated.filter((stack) => stack.isPrior && stack.series.patient === current.series.patient);
  const kind = (stack) => stack.pictures[0].modality;
  return [current, earlier.find((stack) => kind(stack) === kind(current)) || earlier[0] || null];
}

// Whether it is known to be of the latest study: dates are compared within one upload only.
const isLatest = (stack) => stack.days === 0 && state.numBatches === 1;

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
  const people = new Set(state.stacks.map((stack) => stack.series?.patient).filter(Boolean)).size;
  say($("people-said"), people > 1 ? `Studies of ${people} people are loaded: what is chosen for the model is asked about together.` : "", "error");
  $("loaded").hidden = !areAny;
  presets();
  marks();
}

function row(stack, number) {
  const inView = (place) => state.views[place].stack === stack;
  const put = (place) => () => {
    if (place === 1) {
      state.isPriorShown = true;
      stack.isPrior = !isLatest(stack);
    } else if (!stack.days) stack.isPrior = false;
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
      button(isLatest(stack) ? "Beside" : "Prior", put(1), {
        "aria-pressed": String(inView(1) && state.isPriorShown),
        "aria-label": isLatest(stack) ? `Show ${stack.title} beside` : `Show ${stack.title} as prior`,
      }),
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
  const chosen = state.stacks.filter((stack) => stack.isSent).sort((a, b) => a.isPrior - b.isPrior || (a.days ?? 0) - (b.days ?? 0));
  const each = Math.max(1, Math.floor(most / Math.max(1, chosen.length)));
  return chosen.flatMap((stack) => frames(stack, each).map((picture) => ({
    picture, stack, window: $("window-sent").checked && picture.isDeep ? stack.look.window : null,
  }))).slice(0, most);
}

function frames(stack, most) {
  const { pictures, look } = stack;
  if ($("frames-sent").value === "view" || pictures.length === 1) return [pictures[look.frame]];
  const count = Math.min(most, pictures.length);
  return Array.from({ length: count }, (_, number) => pictures[Math.floor(((number + 0.5) * pictures.length) / count)]);
}

// Which pictures are of which study, in words that go with the question; "" where all are of one.
export function studyWords(sent) {
  if (!sent.some(({ stack }) => stack.isPrior)) return "";
  const lines = sent.map(({ stack }, number) => {
    const when = stack.isPrior ? `prior study${stack.days ? `, ${whenWords(stack.days)}` : ""}` : "current study";
    return `Image ${number + 1}: ${when}.`;
  });
  return lines.join(" ");
}

