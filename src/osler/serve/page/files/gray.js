// Windows: from stored values to grey levels, and the presets.

// In Hounsfield units; the same as osler.media.slices.CT_WINDOWS.
export const CT_WINDOWS = [
  { name: "lung", words: "Lung", center: -600, width: 1500 },
  { name: "bone", words: "Bone", center: 400, width: 1800 },
  { name: "brain", words: "Brain", center: 40, width: 80 },
  { name: "soft_tissue", words: "Soft tissue", center: 50, width: 400 },
  { name: "mediastinum", words: "Mediastinum", center: 50, width: 350 },
];

// One entry a stored value: its grey level as a pixel of four bytes. DICOM's linear window (PS3.3 C.11.2.1.2).
export function table(size, window, invert) {
  const levels = greyTable(size, window);
  const lut = new Uint32Array(size);
  for (let value = 0; value < size; value += 1) {
    const grey = invert ? 255 - levels[value] : levels[value];
    lut[value] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  return lut;
}

export function greyTable(size, { center, width }) {
  const levels = new Uint8Array(size);
  for (let value = 0; value < size; value += 1) {
    const share = width > 1 ? (value - (center - 0.5)) / (width - 1) + 0.5 : Number(value > center - 0.5);
    levels[value] = Math.round(Math.min(1, Math.max(0, share)) * 255);
  }
  return levels;
}

// source: { values } or { colours: Uint32Array }. out: Uint32Array over the bytes of an ImageData.
export function paintPixels(source, lut, out) {
  const { values, colours } = source;
  if (values) {
    for (let place = 0, end = values.length; place < end; place += 1) out[place] = lut[values[place]];
    return;
  }
  for (let place = 0, end = colours.length; place < end; place += 1) {
    const pixel = colours[place];
    out[place] = (pixel & 0xff000000) | (lut[pixel & 255] & 255) | (lut[(pixel >> 8) & 255] & 0xff00)
      | (lut[(pixel >> 16) & 255] & 0xff0000);
  }
}

// The window from the `low` to the `high` percentile of what is in a picture.
export function percentileWindow(source, low, high) {
  const counts = new Uint32Array(source.size);
  const values = source.values || new Uint8Array(source.colours.buffer);
  const step = Math.max(1, Math.floor(values.length / 500000));
  let total = 0;
  for (let place = 0; place < values.length; place += step) {
    if (source.colours && place % 4 === 3) continue;
    counts[values[place]] += 1;
    total += 1;
  }
  const at = (share) => {
    let seen = 0;
    for (let value = 0; value < counts.length; value += 1) {
      seen += counts[value];
      if (seen > share * total) return value;
    }
    return counts.length - 1;
  };
  return spanning(at(low), at(high));
}

export const spanning = (least, most) => ({ center: (least + most + 1) / 2, width: Math.max(2, most - least + 1) });

// What is offered for a picture: [{ words, window(source) }]. CT in Hounsfield units where the server says the scale.
// first: the window that it had at first.
export function presetsOf(picture, first) {
  const file = { words: "As the file asks", window: () => first };
  const rest = [
    { words: "Middle 99 %", window: (source) => percentileWindow(source, 0.005, 0.995) },
    { words: "Middle 90 %", window: (source) => percentileWindow(source, 0.05, 0.95) },
    { words: "Whole range", window: (source) => percentileWindow(source, 0, 1) },
  ];
  if (picture.modality !== "CT" || !picture.scale) return [file, ...rest];
  const tissues = CT_WINDOWS.map(({ words, center, width }) => ({
    words: `${words} ${center}/${width}`, window: () => toStored({ center, width }, picture.scale),
  }));
  return [file, ...tissues, rest[0]];
}

// scale: [slope, intercept] from stored values to the unit that is shown.
export const toStored = ({ center, width }, [slope, intercept]) => (
  { center: (center - intercept) / slope, width: width / slope });
export const toShown = ({ center, width }, scale) => (
  scale ? { center: center * scale[0] + scale[1], width: width * scale[0] } : { center, width });
