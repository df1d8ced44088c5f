// Elements are made by calls and filled with text nodes: no string ever becomes markup.

export const $ = (id) => document.getElementById(id);

// el("button", { type: "button", onclick }, "Ask"): properties that an element has are set, others become attributes.
export function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (name in made && typeof made[name] !== "object" && !name.includes("-")) made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function fill(parent, ...children) {
  parent.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
  return parent;
}

export function button(words, onclick, given = {}) {
  return el("button", { type: "button", onclick, ...given }, words);
}

// Said to a screen reader, and to it alone.
let nextWords = 0;
export function announce(words) {
  const region = $("spoken");
  region.textContent = "";
  clearTimeout(nextWords);
  nextWords = setTimeout(() => { region.textContent = words; }, 60);
}

// A line that everyone sees: what went wrong, or what happens now. kind: "error", "note" or "busy".
export function say(place, words, kind = "note") {
  fill(place, words ? el("p", { class: `notice ${kind}`, role: kind === "error" ? "alert" : "status" }, words) : null);
}

export function save(name, text, type) {
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export async function sha256(data) {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
