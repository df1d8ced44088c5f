// The page: signing in and out, and who tells whom.

import { $, announce, el, fill, say } from "./dom.js";
import { hasKey, models, useKey } from "./gateway.js";
import { HELP } from "./keys.js";
import * as blind from "./blind.js";
import * as chat from "./chat.js";
import * as reader from "./reader.js";

const IDLE_MINUTES = 30;
const THEMES = ["system", "light", "dark"];
let idle = 0;

function start() {
  fill($("keys"), ...HELP.flatMap(([keys, words]) => [el("dt", {}, ...keyNodes(keys)), el("dd", {}, words)]));
  reader.startReader({ changed: chat.changed, asked, lists: blind.takeList });
  blind.startBlind();
  chat.startChat(blind);
  $("sign-in-form").addEventListener("submit", (event) => { event.preventDefault(); signIn(); });
  $("sign-out").addEventListener("click", () => leave("Signed out: key, pictures and answers are forgotten."));
  $("help").addEventListener("click", () => asked("help"));
  $("close-help").addEventListener("click", () => $("help-dialog").close());
  $("theme").addEventListener("click", theme);
  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, wake);
  document.body.classList.add("ready");
  $("key").focus();
}

function keyNodes(keys) {
  return keys.split(/(, | \+ | {2})/).map((part) => (/^(, | \+ | {2})$/.test(part) ? part : el("kbd", {}, part)));
}

async function signIn() {
  const key = $("key").value.trim();
  if (!key || /[^\x21-\x7e]/.test(key)) return say($("sign-in-said"), "Type or paste the key that the operator gave you.", "error");
  say($("sign-in-said"), "Asking the server", "busy");
  useKey(key);
  try {
    chat.setModels(await models());
  } catch (error) {
    useKey("");
    say($("sign-in-said"), error.message, "error");
    $("key").focus();
    return undefined;
  }
  $("key").value = "";
  say($("sign-in-said"), "");
  show(true);
  announce("Signed in");
  $("choose").focus();
  wake();
  return undefined;
}

function show(isIn) {
  $("sign-in").hidden = isIn;
  $("work").hidden = !isIn;
  $("sign-out").hidden = !isIn;
}

function leave(words) {
  const hadUnsaved = blind.hasUnsaved();
  if (hadUnsaved) blind.exportLines();
  useKey("");
  chat.begin();
  reader.forget();
  blind.forgetBlind();
  $("question").value = "";
  show(false);
  say($("sign-in-said"), hadUnsaved ? `${words} Verdicts that were not exported yet were saved as a file.` : words);
  $("key").focus();
}

function wake() {
  clearTimeout(idle);
  if (hasKey()) idle = setTimeout(() => leave(`Signed out after ${IDLE_MINUTES} minutes without a key or a click.`), IDLE_MINUTES * 60000);
}

function asked(name) {
  if (name === "help") $("help-dialog").showModal();
  if (name === "question") $("question").focus();
}

function theme() {
  const root = document.documentElement;
  const next = THEMES[(THEMES.indexOf(root.dataset.theme || "system") + 1) % THEMES.length];
  root.dataset.theme = next;
  $("theme").textContent = `Theme: ${next}`;
}

start();
