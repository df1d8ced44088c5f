// What the server refuses, in words that say what to do.

export class ServerError extends Error {
  constructor(words, status = 0, body = {}) {
    super(words);
    this.status = status;
    this.code = body?.error?.code || "";
    this.refused = body?.refused || [];
  }
}

const BY_CODE = {
  invalid_api_key: "The server does not accept this key. Check it, or ask the operator for a new one.",
  missing_scope: "This key may not do that. Ask the operator for a key with the scope that is named here.",
  rate_limit_exceeded: "This key asks too often.",
  overloaded: "The server is busy.",
  studies_busy: "The server is busy reading other studies.",
  body_too_large: "The pictures are too large to send at once. Send fewer.",
  too_many_images: "Too many pictures for one question. Choose fewer.",
  too_many_pixels: "The pictures have too many pixels together. Choose fewer.",
  too_many_bits: "This picture has more than 8 bits a pixel. Load the DICOM file instead, so that a window is applied.",
  audit_unavailable: "The server cannot write its audit trail, so it answers nothing. Tell the operator.",
  engine_unavailable: "The model is not running. Tell the operator.",
  closing: "The server is closing down.",
  study_refused: "Nothing of the upload could be taken.",
  internal_error: "The server failed at this request. Try again; if it fails again, tell the operator when it was.",
};

const BY_STATUS = {
  401: BY_CODE.invalid_api_key,
  403: BY_CODE.missing_scope,
  404: "The server does not offer this.",
  413: "The request is larger than the server takes.",
  429: BY_CODE.rate_limit_exceeded,
  500: BY_CODE.internal_error,
  502: "A system behind the server did not do what was asked.",
  503: "The server cannot answer now.",
};

// status, the server's JSON, its Retry-After in seconds -> one or two sentences.
export function inWords(status, body, retryAfter) {
  const error = body?.error || {};
  const ours = BY_CODE[error.code] || BY_STATUS[status] || "The server refused the request.";
  const wait = retryAfter ? ` Try again in ${retryAfter} s.` : "";
  const isSame = ours.toLowerCase().startsWith(String(error.message).toLowerCase());
  const theirs = error.message && !isSame ? ` The server says: ${error.message}.`.replace(/\.\.$/, ".") : "";
  return ours + wait + theirs;
}

// What the server would not take of an upload: one line a reason, with how many files it is about.
export function refusalLines(refused) {
  const counts = new Map();
  for (const each of refused) {
    const words = [each.reason, each.expected && `expected ${each.expected}`, each.fix].filter(Boolean).join(". ");
    counts.set(words, (counts.get(words) || 0) + 1);
  }
  return [...counts].map(([words, count]) => `${count} ${count === 1 ? "file" : "files"} not taken: ${words}`);
}
