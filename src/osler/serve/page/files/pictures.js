// Pictures: as they came, to be sent; and decoded, to be shown. The two never touch.

import { decodeGray, encodeGray8 } from "./png.js";
import { greyTable } from "./gray.js";
import { studies } from "./gateway.js";

const MOST_DECODED_BYTES = 256 << 20;
const EIGHT_BITS = { center: 128, width: 256 };

// A picture of the model's input. `original` is the file (a Blob) or the server's PNG (a data URI).
class Picture {
  constructor(facts) {
    Object.assign(this, { modality: "", scale: null, window: EIGHT_BITS, values: null, facts: null, isCurved: false, boxes: [] }, facts);
  }

  // Whether a window can be set on more than 8 bits, and so the model be shown it.
  get isDeep() { return this.values !== null; }

  // { width, height, size, values } of grey pictures, { width, height, size, colours } of others.
  async decoded() {
    const found = kept.get(this);
    if (found) {
      kept.delete(this);
      kept.set(this, found);
      return found;
    }
    const source = this.values ? await grayOf(this.values) : await coloursOf(await this.blob());
    kept.set(this, source);
    let held = [...kept.values()].reduce((sum, each) => sum + each.bytes, 0);
    for (const [picture, each] of kept) {
      if (held <= MOST_DECODED_BYTES || picture === this) break;
      kept.delete(picture);
      held -= each.bytes;
    }
    return source;
  }

  async blob() {
    return typeof this.original === "string" ? new Blob([bytesOf(this.original)], { type: "image/png" }) : this.original;
  }

  // The data URI that the model gets: the original's bytes; or, where a window is given, the grey levels under it.
  async sent(window = null) {
    if (window && this.isDeep) {
      const { values, width, height, size } = await this.decoded();
      const levels = greyTable(size, window);
      const png = await encodeGray8(Uint8Array.from(values, (value) => levels[value]), width, height);
      return uriOf(new Blob([png], { type: "image/png" }));
    }
    return typeof this.original === "string" ? this.original : uriOf(this.original);
  }
}

const kept = new Map();

export function forgetDecoded() { kept.clear(); }

async function grayOf(bytes) {
  const { width, height, bits, values } = await decodeGray(bytes);
  return { width, height, size: bits === 16 ? 65536 : 256, values, bytes: values.byteLength };
}

async function coloursOf(blob) {
  const bitmap = await createImageBitmap(blob, { premultiplyAlpha: "none", colorSpaceConversion: "none" });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  return { width, height, size: 256, colours: new Uint32Array(data.buffer), bytes: data.byteLength };
}

function bytesOf(uri) {
  const text = atob(uri.slice(uri.indexOf(",") + 1));
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place);
  return bytes;
}

function uriOf(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

// A stack: the pictures of one series in order, and how they are looked at.
export function stackOf({ title, detail = "", days = null, study = "", series = null, pictures, total = pictures.length }) {
  const window = widest(pictures.map((picture) => picture.window));
  return {
    title, detail, days, study, series, pictures, total, window, batch: 0, isPrior: days > 0, isSent: true,
    look: { frame: 0, zoom: 1, panX: 0, panY: 0, invert: false, window: { ...window } },
  };
}

// One window for all frames: it must not jump while the reader scrolls.
function widest(windows) {
  const low = Math.min(...windows.map(({ center, width }) => center - width / 2));
  const high = Math.max(...windows.map(({ center, width }) => center + width / 2));
  return { center: (low + high) / 2, width: high - low };
}

const KINDS = [
  ["png", (b) => b[0] === 0x89 && b[1] === 0x50 && b[2] === 0x4e && b[3] === 0x47],
  ["jpeg", (b) => b[0] === 0xff && b[1] === 0xd8 && b[2] === 0xff],
  ["dicom", (b) => b[128] === 0x44 && b[129] === 0x49 && b[130] === 0x43 && b[131] === 0x4d],
  ["zip", (b) => b[0] === 0x50 && b[1] === 0x4b],
  ["list", (b) => b[0] === 0x7b],
];

// By its first bytes, never by its name: "png", "jpeg", "dicom", "zip", "list" (of cases), "" for none of these.
export async function kindOf(file) {
  const head = new Uint8Array(await file.slice(0, 132).arrayBuffer());
  return KINDS.find(([, test]) => test(head))?.[0] || "";
}

// Files as they were dropped -> { stacks, refused: [words], lists: [File] }.
export async function takeIn(files, numImages) {
  const told = { stacks: [], refused: [], lists: [] };
  const studyFiles = [];
  for (const [number, file] of files.entries()) {
    const kind = await kindOf(file);
    if (kind === "png" || kind === "jpeg") await takePicture(file, kind, number, told);
    else if (kind === "dicom" || kind === "zip") studyFiles.push(file);
    else if (kind === "list") told.lists.push(file);
    else told.refused.push({ reason: "neither PNG, JPEG, DICOM nor ZIP" });
  }
  if (studyFiles.length) {
    const answer = await studies(studyFiles, numImages);
    told.stacks.push(...stacksOf(answer.studies));
    told.refused.push(...answer.refused);
  }
  return told;
}

async function takePicture(file, kind, number, told) {
  try {
    const picture = new Picture({ original: file.slice(0, file.size, `image/${kind}`) });
    const { width, height } = await picture.decoded();
    told.stacks.push(stackOf({
      title: `Picture ${number + 1}`, detail: `${kind.toUpperCase()}, ${width} x ${height}`, pictures: [picture],
    }));
  } catch {
    told.refused.push({ reason: `a ${kind.toUpperCase()} file that cannot be opened` });
  }
}

// The server's studies -> stacks, the latest study first.
export function stacksOf(given) {
  return given.flatMap((study) => study.series.filter((series) => series.images.length).map((series) => {
    const { images, ...facts } = series;
    const what = [series.modality, series.body_part, series.view].filter(Boolean).join(" ").toLowerCase();
    return stackOf({
      title: what ? what.replace(/^\w+/, (first) => first.toUpperCase()) : "Series",
      detail: detailOf(study, series), days: study.days_before_latest, study: study.study, total: series.num_frames,
      series: { ...facts, patient: study.patient },
      pictures: images.map((image) => pictureOf(image, series.modality)),
    });
  }));
}

function detailOf(study, series) {
  const shown = series.images.length;
  const frames = series.num_frames > shown ? `${shown} of ${series.num_frames} frames` : shown > 1 ? `${shown} frames` : "";
  return [whenWords(study.days_before_latest), frames, ...(series.notes || [])].filter(Boolean).join(", ");
}

export function whenWords(days) {
  if (days === null || days === undefined) return "no date";
  if (days === 0) return "latest";
  return `${days} ${days === 1 ? "day" : "days"} earlier`;
}

function pictureOf(image, modality) {
  const { url, values, ...facts } = image;
  const given = values ? {
    values: bytesOf(values.url), window: { center: values.center, width: values.width }, scale: values.scale || null,
    isCurved: values.is_curved,
  } : {};
  return new Picture({ original: url, modality, facts, ...given });
}
