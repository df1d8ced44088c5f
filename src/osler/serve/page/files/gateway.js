// The gateway as the page sees it. The key lives in this module's memory and nowhere else; no cookie is ever sent.

import { ServerError, inWords } from "./errors.js";

let key = "";

export const hasKey = () => key !== "";
export function useKey(given) { key = given; }

async function call(path, options = {}) {
  const headers = { ...options.headers, Authorization: `Bearer ${key}` };
  let reply;
  try {
    reply = await fetch(path, { ...options, headers, credentials: "omit", cache: "no-store", redirect: "error" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError("The server cannot be reached. Check the network, then try again.");
  }
  if (!reply.ok) throw await refused(reply);
  return reply;
}

async function refused(reply) {
  let body = {};
  try {
    body = await reply.json();
  } catch {
    body = {};
  }
  return new ServerError(inWords(reply.status, body, reply.headers.get("retry-after")), reply.status, body);
}

const asJson = (value, signal) => ({
  method: "POST", body: JSON.stringify(value), headers: { "Content-Type": "application/json" }, signal,
});

export async function models() {
  const reply = await call("v1/models");
  return (await reply.json()).data;
}

// files: DICOM or ZIP. Returns studies as the server cleaned and decoded them, and what it refused.
export async function studies(files, images, signal) {
  const form = new FormData();
  for (const file of files) form.append("file", file, "file.dcm"); // names of files may name people: they stay here
  const reply = await call(`v1/studies?values=true&images=${images}`, { method: "POST", body: form, signal });
  return reply.json();
}

export async function report(draft, format) {
  const reply = await call(`v1/reports?format=${format}`, asJson(draft));
  return reply.blob();
}

// Asks for an answer as a stream. take({ content, reasoning }) is called for each part.
// Returns { content, reasoning, finish, usage }.
export async function chat(body, { signal, take = () => {} }) {
  const wanted = { ...body, stream: true, stream_options: { include_usage: true } };
  const reply = await call("v1/chat/completions", asJson(wanted, signal));
  const whole = { content: "", reasoning: "", finish: "", usage: null };
  for await (const event of events(reply.body)) {
    if (event.error) throw new ServerError(inWords(500, event), 500, event);
    if (event.usage) whole.usage = event.usage;
    const choice = event.choices?.[0];
    if (!choice) continue;
    const part = { content: choice.delta?.content || "", reasoning: choice.delta?.reasoning_content || "" };
    whole.content += part.content;
    whole.reasoning += part.reasoning;
    if (choice.finish_reason) whole.finish = choice.finish_reason;
    if (part.content || part.reasoning) take(part);
  }
  if (!whole.finish) throw new ServerError("The connection broke off: what you see of the answer is not whole.");
  return whole;
}

// Server-sent events: blocks of lines, divided by empty lines, each with JSON behind "data:"; "[DONE]" ends them.
export async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      kept = (kept + (value || "")).replaceAll("\r\n", "\n");
      const blocks = kept.split("\n\n");
      kept = done ? "" : blocks.pop();
      for (const block of blocks) {
        const data = block.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
        if (!data.length) continue;
        if (data.join("") === "[DONE]") return;
        yield JSON.parse(data.join("\n"));
      }
      if (done) return;
    }
  } catch (error) {
    if (error.name === "AbortError" || error instanceof ServerError) throw error;
    throw new ServerError("The connection broke off: what you see of the answer is not whole.");
  } finally {
    reader.cancel().catch(() => {});
  }
}
