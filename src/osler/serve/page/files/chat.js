// Questions and answers: one model, two side by side, or two blinded. An answer streams in; its reasoning is folded.

import { $, announce, button, el, fill, save, say } from "./dom.js";
import { boxWords, partsOf } from "./boxes.js";
import { chat, report } from "./gateway.js";
import * as reader from "./reader.js";

const NOTICE = "DRAFT WRITTEN BY AI, NOT VERIFIED. Research use only; not a medical device. A physician must read the images.";
// The server's limits, as it tells them with its models.
export const limits = { pictures: 8 };
const state = { models: [], talks: [[], []], shown: "", running: null, blind: null };

// blind: see blind.js; it takes over where the mode is "blind".
export function startChat(blind) {
  state.blind = blind;
  $("ask").addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  $("question").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); ask(); }
    if (event.key === "Escape" && state.running) stop();
  });
  $("stop").addEventListener("click", stop);
  $("anew").addEventListener("click", () => { begin(); announce("New conversation"); $("question").focus(); });
  $("use-mark").addEventListener("click", () => {
    const mark = reader.ownMark();
    if (mark) insert(boxWords(mark));
  });
  for (const id of ["mode", "model-a", "model-b"]) $(id).addEventListener("change", () => { begin(); modes(); });
  modes();
}

export function setModels(models) {
  state.models = models;
  if (models[0]?.max_images) limits.pictures = models[0].max_images;
  if (models[0]?.max_tokens) {
    $("max-tokens").max = String(models[0].max_tokens);
    $("max-tokens").value = String(Math.min(1024, models[0].max_tokens));
  }
  for (const [id, place] of [["model-a", 0], ["model-b", 1]]) {
    fill($(id), ...models.map((model) => el("option", { value: model.id }, model.id)));
    $(id).value = models[Math.min(place, models.length - 1)]?.id || "";
  }
  begin();
  modes();
}

function modes() {
  const areTwo = state.models.length > 1;
  for (const option of $("mode").options) option.disabled = option.value !== "one" && !areTwo;
  $("mode").title = areTwo ? "" : "This server has one model";
  const mode = $("mode").value;
  $("model-b-field").hidden = mode === "one";
  $("blind-setup").hidden = mode !== "blind";
  document.body.classList.toggle("compare", mode !== "one");
  state.blind.show(mode === "blind");
}

export function begin() {
  stop();
  state.talks = [[], []];
  fill($("answers"));
  $("anew").hidden = true;
  say($("ask-said"), "");
}

// Other pictures are chosen than the conversation is about.
export async function changed() {
  const sent = reader.forModel(limits.pictures);
  const chosen = reader.stacks().filter((stack) => stack.isSent).length;
  $("sent-count").textContent = sent.length === 0 ? "No picture for the model."
    : `${sent.length} ${sent.length === 1 ? "picture" : "pictures"} for the model${chosen > sent.length ? `, of ${chosen} series chosen` : ""}.`;
  $("window-sent-field").hidden = !sent.some(({ picture }) => picture.isDeep);
  $("frames-sent-field").hidden = !reader.stacks().some((stack) => stack.isSent && stack.pictures.length > 1);
}

function insert(words) {
  const field = $("question");
  const [start, end] = [field.selectionStart, field.selectionEnd];
  field.setRangeText(words, start, end, "end");
  field.focus();
}

export function stop() {
  state.running?.abort();
  state.running = null;
}

export const chosenModels = () => {
  const ids = $("mode").value === "one" ? [$("model-a").value] : [$("model-a").value, $("model-b").value];
  return ids.map((id) => state.models.find((model) => model.id === id)).filter(Boolean);
};

// The pictures and words of a question as parts of a message.
export async function contentOf(sent, words) {
  const pictures = await Promise.all(sent.map(({ picture, window }) => picture.sent(window)));
  const context = reader.studyWords(sent);
  const text = context ? `${context}\n${words}` : words;
  return [...pictures.map((url) => ({ type: "image_url", image_url: { url } })), { type: "text", text }];
}

export function bodyOf(model, messages) {
  const body = { model: model.id, messages, max_tokens: Number($("max-tokens").value) || 1024, temperature: 0 };
  return $("reasoning").checked ? { ...body, reasoning_effort: "high" } : body;
}

async function ask() {
  const words = $("question").value.trim();
  const models = chosenModels();
  say($("ask-said"), "");
  if (state.running) return;
  if (!words) { say($("ask-said"), "Type a question first.", "error"); $("question").focus(); return; }
  if (!models.length) { say($("ask-said"), "The server has no model.", "error"); return; }
  if ($("mode").value === "blind") { await state.blind.ask(words, models); return; }
  if (models.length === 2 && models[0].id === models[1].id) {
    say($("ask-said"), "Choose two different models to compare.", "error");
    return;
  }
  const sent = reader.forModel(limits.pictures);
  try {
    await exchange(words, models, sent, await contentOf(sent, words));
  } catch (error) {
    say($("ask-said"), error.message, "error");
  }
}

async function exchange(words, models, sent, first) {
  // A picture that changed since the last question begins a new conversation: an answer must not speak of another one.
  const shown = JSON.stringify([reader.studyWords(sent), ...first.slice(0, -1).map((part) => part.image_url.url)]);
  const isNew = shown !== state.shown || !state.talks[0].length;
  if (isNew && state.talks[0].length) { begin(); say($("ask-said"), "Other pictures, or another prior: this is a new conversation."); }
  state.shown = shown;
  state.running = new AbortController();
  const { signal } = state.running;
  busy(true);
  const cards = models.map((model, side) => card(model, sent, models.length > 1 ? side : null));
  const asked = el("article", { class: "exchange" },
    el("h3", {}, el("span", { class: "soft" }, "You asked "), plain(words)),
    el("p", { class: "soft small" }, sentWords(sent, isNew)),
    el("div", { class: "sides" }, ...cards.map((each) => each.root)));
  $("answers").append(asked);
  $("anew").hidden = false;
  $("question").value = "";
  asked.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
  announce("The answer is being written");
  try {
    await Promise.all(models.map((model, place) => (
      answer(model, cards[place], state.talks[place], isNew ? first : [{ type: "text", text: words }], signal))));
    announce(models.length > 1 ? "Both answers are complete" : "The answer is complete");
  } finally {
    if (state.running?.signal === signal) state.running = null;
    busy(false);
  }
}

const plain = (words) => partsOf(words).map((part) => part.text ?? "[marked region]").join("");
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function sentWords(sent, isNew) {
  if (!isNew) return "A further question about the same pictures.";
  if (!sent.length) return "Sent without a picture.";
  const own = sent.filter(({ window }) => window).length;
  const how = own ? `, ${own} with the window set here` : `, as ${sent.length === 1 ? "it" : "they"} came`;
  return `Sent with ${sent.length} ${sent.length === 1 ? "picture" : "pictures"}${how}; no marks, no zoom.`;
}

function busy(is) {
  $("stop").hidden = !is;
  $("send").disabled = is;
  document.body.classList.toggle("busy", is);
}

async function answer(model, shown, talk, content, signal) {
  talk.push({ role: "user", content });
  shown.root.setAttribute("aria-busy", "true");
  try {
    const whole = await chat(bodyOf(model, talk), { signal, take: shown.take });
    talk.push({ role: "assistant", content: whole.content });
    shown.end(whole);
  } catch (error) {
    talk.pop();
    shown.fail(error.name === "AbortError" ? "Stopped: the answer is not whole." : error.message);
  } finally {
    shown.root.setAttribute("aria-busy", "false");
  }
}

// A card that an answer is written into.
// side: its place beside another, null for one alone.
function card(model, sent, side) {
  const owner = side === null ? { side: 0 } : { side, owner: model.id };
  const text = { content: "", reasoning: "" };
  const body = el("div", { class: "words", role: "log", "aria-live": "polite", "aria-label": `Answer of ${model.id}` });
  const thought = el("div", { class: "words soft" });
  const summary = el("summary", {}, "Reasoning");
  const folded = el("details", { class: "reasoning", hidden: true }, summary, thought);
  const foot = el("div", { class: "foot" });
  const root = el("section", { class: "answer", "aria-label": model.id, "aria-busy": "true" },
    side !== null ? el("h4", {}, model.id) : null, el("p", { class: "draft" }, "Draft, not verified"), folded, body, foot);
  let isWaiting = false;
  const show = () => {
    isWaiting = false;
    folded.hidden = !text.reasoning;
    summary.textContent = text.content ? "Reasoning" : "Reasoning, being written";
    thought.textContent = text.reasoning;
    fill(body, ...answerNodes(text.content, sent, owner));
  };
  return {
    root,
    take: (part) => {
      text.content += part.content;
      text.reasoning += part.reasoning;
      if (!isWaiting) { isWaiting = true; requestAnimationFrame(show); }
    },
    end: (whole) => {
      Object.assign(text, { content: whole.content, reasoning: whole.reasoning });
      show();
      if (!whole.content) body.append(el("p", { class: "soft" }, "The model gave no answer."));
      if (whole.finish === "length") {
        body.append(el("p", { class: "notice error" }, "Cut off at the longest length allowed: this answer is not whole."));
      }
      draw(whole.content, sent, owner);
      fill(foot, tools(model, sent, whole));
    },
    fail: (words) => { show(); body.append(el("p", { class: "notice error", role: "alert" }, words)); },
  };
}

// Text nodes, and a button for each region that the answer points to.
function answerNodes(content, sent, owner) {
  return partsOf(content).map((part) => (part.box
    ? button(part.box.label, () => point({ ...part.box, ...owner }, sent), { class: "chip", title: "Show this region on the picture" })
    : document.createTextNode(part.text)));
}

// With one picture there is no doubt where a region lies; with several, the reader chooses the picture.
function draw(content, sent, owner) {
  if (sent.length !== 1) return;
  const boxes = partsOf(content).filter((part) => part.box).map((part) => ({ ...part.box, ...owner }));
  const [{ picture }] = sent;
  picture.boxes = [...picture.boxes.filter((box) => box.mine || (owner.owner && box.owner && box.side !== owner.side)), ...boxes];
  reader.redraw();
}

function point(box, sent) {
  const picture = sent.length === 1 ? sent[0].picture : reader.activePicture();
  if (!picture) return;
  picture.boxes = [...picture.boxes.filter((each) => each.number !== box.number || each.side !== box.side), box];
  reader.redraw();
  if (sent.length > 1) {
    say($("ask-said"), `The answer does not say on which of ${sent.length} pictures ${box.label} lies; it is drawn on the one in view.`);
  }
  announce(`${box.label} is drawn on the picture`);
}

function tools(model, sent, whole) {
  const stack = sent.find(({ stack: each }) => each.series)?.stack;
  const copied = `${NOTICE}\n\nModel: ${model.id}\n\n${whole.content.trim()}\n\n${NOTICE}\n`;
  const usage = whole.usage ? `${whole.usage.completion_tokens} tokens` : "";
  const version = model.sha256 ? `weights ${model.sha256.slice(0, 12)}` : "";
  const kinds = stack ? [["text", "Text", "txt"], ["fhir", "FHIR", "json"], ["sr", "DICOM SR", "dcm"]] : [];
  return el("div", { class: "row" },
    button("Copy with notice", () => navigator.clipboard.writeText(copied).then(() => announce("Copied"), () => save("draft.txt", copied, "text/plain"))),
    ...kinds.map(([format, words, ending]) => button(`Save ${words}`, () => saveDraft(model, sent, whole, { format, ending }))),
    el("span", { class: "soft small" }, [usage, version].filter(Boolean).join(", ")));
}

async function saveDraft(model, sent, whole, { format, ending }) {
  const ours = sent.filter(({ stack, picture }) => stack.series && picture.facts?.instance_uid);
  const { series } = ours[0].stack;
  const seen = ours.filter(({ stack }) => stack.study === ours[0].stack.study).map(({ stack, picture }) => ({
    class_uid: picture.facts.class_uid, instance_uid: picture.facts.instance_uid, series_uid: stack.series.series_uid,
  }));
  const once = [...new Map(seen.map((each) => [each.instance_uid, each])).values()];
  const draft = {
    model: model.id, patient: { id: series.patient }, study_uid: series.study_uid, findings: whole.content, seen: once,
    modality: series.modality,
  };
  try {
    const blob = await report(draft, format);
    save(`draft.${ending}`, blob, blob.type);
  } catch (error) {
    say($("ask-said"), error.message, "error");
  }
}
