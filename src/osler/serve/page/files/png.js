// PNG of grey values with all their bits, which a canvas would cut down to 8.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const MOST_PIXELS = 1 << 27;

// bytes -> { width, height, bits, values }: Uint8Array or Uint16Array, row by row.
export async function decodeGray(bytes) {
  const { width, height, bits, packed } = chunksOf(bytes);
  const step = bits / 8;
  const stride = width * step;
  const raw = await inflate(packed);
  if (raw.length !== (stride + 1) * height) throw new Error("the picture is cut off");
  const rows = unfilter(raw, stride, height, step);
  return { width, height, bits, values: bits === 8 ? rows : wide(rows) };
}

function chunksOf(bytes) {
  if (SIGNATURE.some((value, place) => bytes[place] !== value)) throw new Error("the picture is no PNG");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height, bits, colour, interlace] = [view.getUint32(16), view.getUint32(20), bytes[24], bytes[25], bytes[28]];
  if (colour !== 0 || interlace !== 0 || (bits !== 8 && bits !== 16) || !width || !height || width * height > MOST_PIXELS) {
    throw new Error("the picture holds no grey values of 8 or 16 bits");
  }
  const packed = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    if (at + 12 + length > bytes.length) break;
    if (view.getUint32(at + 4) === 0x49444154) packed.push(bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return { width, height, bits, packed };
}

async function inflate(parts) {
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function unfilter(raw, stride, height, step) {
  const out = new Uint8Array(stride * height);
  for (let y = 0; y < height; y += 1) {
    const from = y * (stride + 1) + 1;
    const to = y * stride;
    const up = to - stride;
    const kind = raw[from - 1];
    if (kind === 0) out.set(raw.subarray(from, from + stride), to);
    else if (kind > 4) throw new Error("the picture is damaged");
    else unfilterRow(raw, out, { kind, from, to, up, stride, step, isFirst: y === 0 });
  }
  return out;
}

function unfilterRow(raw, out, { kind, from, to, up, stride, step, isFirst }) {
  for (let x = 0; x < stride; x += 1) {
    const left = x >= step ? out[to + x - step] : 0;
    const above = isFirst ? 0 : out[up + x];
    let guess = left;
    if (kind === 2) guess = above;
    else if (kind === 3) guess = (left + above) >> 1;
    else if (kind === 4) guess = paeth(left, above, isFirst || x < step ? 0 : out[up + x - step]);
    out[to + x] = raw[from + x] + guess;
  }
}

function paeth(left, above, corner) {
  const guess = left + above - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? above : corner;
}

function wide(rows) {
  const values = new Uint16Array(rows.length / 2);
  for (let place = 0; place < values.length; place += 1) values[place] = (rows[2 * place] << 8) | rows[2 * place + 1];
  return values;
}

// Grey values of 8 bits -> bytes of a PNG.
export async function encodeGray8(values, width, height) {
  const raw = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y += 1) raw.set(values.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const stream = new Blob([raw]).stream().pipeThrough(new CompressionStream("deflate"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head[8] = 8;
  const parts = [new Uint8Array(SIGNATURE), chunk("IHDR", head), chunk("IDAT", packed), chunk("IEND", new Uint8Array(0))];
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function chunk(name, data) {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  for (let place = 0; place < 4; place += 1) out[4 + place] = name.charCodeAt(place);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc(out.subarray(4, 8 + data.length)));
  return out;
}

const CRC = new Uint32Array(256).map((_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = CRC[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
