// Blinded reading: two models answer, both answers are waited for, then shown on sides drawn by chance, without names.
// The four verdicts and their keys are those of the pages that `osler score` writes.

import { $, announce, button, el, fill, save, say, sha256 } from "./dom.js";
import { partsOf } from "./boxes.js";
import { chat } from "./gateway.js";
import { takeIn } from "./pictures.js";
import * as reader from "./reader.js";
import { limits, bodyOf, contentOf } from "./chat.js";

export const VERDICTS = [["left", "Left is better"], ["right", "Right is better"], ["tie", "Equally good"], ["both_bad", "Both bad"]];
const SCHEMA_VERSION = 1;
const state = { cases: [], files: new Map(), at: 0, lines: [], saved: 0, open: null, reader: "", seed: "", models: [] };

export function startBlind() {
  $("seed").value = freshSeed();
  $("begin-blind").addEventListener("click", start);
  $("end-blind").addEventListener("click", () => end());
  $("export").addEventListener("click", exportLines);
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input:not([type=radio]), textarea, select, .stage");
    if (!state.open || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const chosen = VERDICTS[Number(event.key) - 1];
    if (chosen) choose(chosen[0]);
  });
  window.addEventListener("beforeunload", (event) => { if (hasUnsaved()) event.preventDefault(); });
}

export const hasUnsaved = () => state.lines.length > state.saved;

export function forgetBlind() {
  Object.assign(state, { cases: [], files: new Map(), at: 0, lines: [], saved: 0, open: null, reader: "" });
  $("reader-name").value = "";
  $("seed").value = freshSeed();
  end();
}

const freshSeed = () => [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export function show(isBlind) {
  $("blind").hidden = !isBlind;
  if (!isBlind && state.reader) end();
  tell();
}

// Files that hold a list of cases, with the pictures that it names. Returns whether there was one.
export async function takeList(files) {
  if ($("mode").value !== "blind") return false;
  const lists = [];
  for (const file of files) if (/\.jsonl?$/i.test(file.name)) lists.push(file);
  if (!lists.length) return false;
  try {
    const cases = (await lists[0].text()).split("\n").filter((line) => line.trim()).map(readCase);
    state.files = new Map(files.filter((file) => !lists.includes(file)).map((file) => [file.name, file]));
    const missing = cases.flatMap((each) => each.images).filter((name) => !state.files.has(name));
    if (missing.length) throw new Error(`The list names ${missing.length} pictures that were not dropped with it. Drop the list and all its pictures together.`);
    if (new Set(cases.map((each) => each.item_id)).size < cases.length) throw new Error("The list has an item_id twice.");
    state.cases = cases;
    say($("blind-said"), `${cases.length} cases loaded. Type the reader's name and begin.`);
  } catch (error) {
    say($("blind-said"), error.message, "error");
  }
  return true;
}

function readCase(line, number) {
  let given = {};
  try {
    given = JSON.parse(line);
  } catch {
    given = {};
  }
  const { item_id: id, question, images = [], cluster = id, task = "" } = given;
  if (typeof id !== "string" || typeof question !== "string" || !Array.isArray(images) || !id || !question) {
    throw new Error(`Line ${number + 1} of the list is no case: it needs item_id, question and images, a list of file names.`);
  }
  return { item_id: id, question, images, cluster: String(cluster), task: String(task) };
}

async function start() {
  const name = $("reader-name").value.trim();
  const models = [$("model-a").value, $("model-b").value];
  if (!/^[\w-]{1,40}$/.test(name)) return say($("blind-said"), "Type the reader's name: letters, digits, - and _.", "error");
  if (models[0] === models[1] || !models[1]) return say($("blind-said"), "Choose two different models first.", "error");
  if (!globalThis.isSecureContext) return say($("blind-said"), "Sides cannot be drawn here: open the page over HTTPS or on this machine.", "error");
  Object.assign(state, { reader: name, seed: $("seed").value.trim() || freshSeed(), models: models.sort(), at: 0 });
  const keyed = await Promise.all(state.cases.map(async (each) => [await sha256(`${state.seed}\norder\n${name}\n${each.item_id}`), each]));
  state.cases = keyed.sort(([one], [other]) => (one < other ? -1 : 1)).map(([, each]) => each);
  document.body.classList.add("reading");
  say($("blind-said"), "");
  tell();
  if (state.cases.length) await next();
  else $("question").focus();
  return undefined;
}

function end() {
  document.body.classList.remove("reading");
  state.reader = "";
  state.open = null;
  fill($("duel"));
  tell();
}

function tell() {
  const isReading = state.reader !== "";
  $("blind-fields").hidden = isReading;
  $("end-blind").hidden = !isReading;
  const of = state.cases.length ? ` of ${state.cases.length}` : "";
  $("blind-progress").textContent = isReading ? `Reader ${state.reader}: ${state.lines.length}${of} judged.` : "";
  $("export").hidden = !state.lines.length;
  $("export").textContent = `Export ${state.lines.length} ${state.lines.length === 1 ? "verdict" : "verdicts"}`;
  const isListed = isReading && state.cases.length > 0;
  $("question").disabled = isListed;
  $("send").disabled = isListed;
}

async function next() {
  const judged = new Set(state.lines.map((line) => `${line.reader}\n${line.item_id}`));
  const open = state.cases.find((each) => !judged.has(`${state.reader}\n${each.item_id}`));
  if (!open) {
    fill($("duel"), el("p", { class: "notice note" }, "All cases are judged. Export the verdicts."));
    $("question").value = "";
    $("export").focus();
    return;
  }
  const { stacks, refused } = await takeIn(open.images.map((name) => state.files.get(name)), $("num-frames").value);
  if (refused.length) {
    say($("blind-said"), "A picture of this case cannot be read, so the case is not shown. Tell whoever made the list.", "error");
    return;
  }
  reader.showOnly(stacks);
  $("question").value = open.question;
  await duel(open, open.question);
}

// A question typed in by hand is a case of its own.
export async function ask(words, models) {
  if (!state.reader) return say($("blind-said"), "Type the reader's name and begin the blinded reading first.", "error");
  if (state.cases.length) return undefined;
  if (models.length < 2) return say($("blind-said"), "Choose two different models first.", "error");
  return duel(null, words);
}

async function duel(listed, words) {
  fill($("duel"), el("p", { class: "notice busy" }, "Both answers are being written; they are shown when both are complete."));
  announce("Both answers are being written");
  say($("blind-said"), "");
  $("send").disabled = true;
  try {
    const content = await contentOf(reader.forModel(limits.pictures), words);
    const shown = await facts(listed, content, words);
    const atLeft = await firstIsLeft(shown.item_id);
    // Whichever is asked first may be answered sooner: neither is shown before both are there.
    const texts = await Promise.all(state.models.map((id) => (
      chat(bodyOf({ id }, [{ role: "user", content }]), {}).then((whole) => whole))));
    if (texts.some((whole) => whole.finish !== "stop" || !whole.content.trim())) throw new Error("unfit");
    state.open = { ...shown, first_is: atLeft ? "left" : "right", verdict: "", began: performance.now(),
      answers: await Promise.all(texts.map((whole) => sha256(whole.content))) };
    const [first, second] = texts.map((whole) => whole.content);
    showDuel(words, atLeft ? [first, second] : [second, first]);
  } catch (error) {
    // It is not said which of the two failed, nor what the server said of it: that would tell them apart.
    fill($("duel"), el("p", { class: "notice error", role: "alert" },
      error.status === 401 || error.status === 429 ? error.message : "One of the two answers could not be had or is not whole; this case is not judged."),
    el("div", { class: "row" }, button("Try again", () => duel(listed, words)), listed ? button("Leave it out", () => leaveOut(listed)) : null));
  } finally {
    tell();
  }
}

function leaveOut(listed) {
  state.cases = state.cases.filter((each) => each !== listed);
  state.lines.push({ ...line({ item_id: listed.item_id, task: listed.task, cluster: listed.cluster }), verdict: null });
  tell();
  next();
}

async function facts(listed, content, words) {
  const images = content.filter((part) => part.type === "image_url").map((part) => part.image_url.url);
  const hashes = await Promise.all(images.map(async (uri) => sha256(Uint8Array.from(atob(uri.slice(uri.indexOf(",") + 1)), (c) => c.charCodeAt(0)))));
  const id = listed?.item_id || (await sha256([...hashes, words].join("\n"))).slice(0, 16);
  const cluster = listed?.cluster || reader.stacks()[0]?.series?.patient || (hashes[0] || id).slice(0, 16);
  return { item_id: id, task: listed?.task || "", cluster, images: hashes, question: await sha256(words) };
}

// Drawn anew for each reader and case, the same whenever it is drawn again.
async function firstIsLeft(item) {
  const digest = await sha256(`${state.seed}\nside\n${state.reader}\n${item}`);
  return parseInt(digest.slice(0, 2), 16) < 128;
}

function showDuel(words, texts) {
  const sides = ["Left", "Right"].map((name, place) => el("section", { class: "answer", "aria-label": `${name} answer` },
    el("h4", {}, name), el("p", { class: "draft" }, "Draft, not verified"),
    el("div", { class: "words" }, partsOf(texts[place]).map((part) => part.text ?? `[${part.box.label}]`).join(""))));
  const choices = VERDICTS.map(([value, label], place) => el("label", { class: "check" },
    el("input", { type: "radio", name: "verdict", value, onchange: () => choose(value) }), `${place + 1}. ${label}`));
  const heading = el("h3", { tabindex: "-1" }, el("span", { class: "soft" }, "Question "), words);
  fill($("duel"), heading, el("div", { class: "sides" }, ...sides),
    el("fieldset", { id: "verdict" }, el("legend", {}, "Which answer is better?"), el("div", { class: "row" }, ...choices),
      el("div", { class: "row" }, button("Keep and go on", keep, { class: "main", id: "keep", disabled: true }),
        el("span", { class: "soft small" }, "Keys 1 to 4 choose. Length and style do not count."))));
  announce("Both answers are shown. Keys 1 to 4 choose.");
  heading.focus();
}

function choose(value) {
  if (!state.open) return;
  state.open.verdict = value;
  for (const input of document.querySelectorAll("input[name=verdict]")) input.checked = input.value === value;
  $("keep").disabled = false;
  $("keep").focus();
}

// One line of the export; `osler score` with `method: preference` reads it under `verdicts`.
function line(given) {
  const [first, second] = state.models;
  return { schema_version: SCHEMA_VERSION, reader: state.reader, seed: state.seed, first, second, ...given };
}

async function keep() {
  const { began, ...open } = state.open;
  state.lines = state.lines.filter((each) => each.reader !== state.reader || each.item_id !== open.item_id);
  state.lines.push(line({ ...open, seconds: Math.round((performance.now() - began) / 100) / 10 }));
  state.open = null;
  fill($("duel"));
  tell();
  announce("Kept");
  if (state.cases.length) await next();
  else {
    fill($("duel"), el("p", { class: "notice note" }, "Kept. Load the next case, or ask another question."));
    $("question").value = "";
    $("question").focus();
  }
}

export function exportLines() {
  const text = state.lines.map((each) => `${JSON.stringify(each)}\n`).join("");
  save(`verdicts-${state.lines[0].reader}.jsonl`, text, "application/x-ndjson");
  state.saved = state.lines.length;
  announce("Exported");
}
