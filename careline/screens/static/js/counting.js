/* How long a text is in the unit a network counts, and how to cut it: the browser's half of careline/kit/counting.py. */

const encoder = new TextEncoder();
const segmenter = Intl.Segmenter ? new Intl.Segmenter(undefined, { granularity: "grapheme" }) : null;

const graphemes = (text) => (segmenter ? [...segmenter.segment(text)].map((part) => part.segment) : [...text]);

const UNITS = {
  chars: (text) => [...text].length,
  codepoints: (text) => [...text].length,
  utf16: (text) => text.length,
  bytes: (text) => encoder.encode(text).length,
  graphemes: (text) => graphemes(text).length,
};

/** Length of `text` in `unit`; a unit only the server knows is counted in code points, and the server has the last word. */
export const measure = (text, unit) => (UNITS[unit] || UNITS.codepoints)(text);

/** How much of a choice's room is used: {used, limit, over}; limit 0 means none. */
export function room(text, choice) {
  const used = measure(text, choice.unit);
  const bytes = choice.most_bytes ? measure(text, "bytes") - choice.most_bytes : 0;
  const over = Math.max(0, choice.limit ? used - choice.limit : 0, bytes);
  return { used, limit: choice.limit, over };
}

const BREAKS = ["\n\n", "\n", ". ", "? ", "! ", " "];

/** Parts of at most `limit` units, cut where a paragraph, sentence or word ends, never inside a grapheme. */
export function split(text, unit, limit) {
  const parts = [];
  let rest = text.trim();
  while (measure(rest, unit) > limit) {
    const head = longestHead(rest, unit, limit);
    const cut = breakBefore(rest, head.length);
    parts.push(rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut).trimStart();
  }
  return rest || !parts.length ? [...parts, rest] : parts;
}

function longestHead(text, unit, limit) {
  const clusters = graphemes(text);
  let low = 1;
  let high = clusters.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (measure(clusters.slice(0, middle).join(""), unit) <= limit) low = middle;
    else high = middle - 1;
  }
  return clusters.slice(0, low).join("");
}

function breakBefore(text, end) {
  for (const mark of BREAKS) {
    const at = text.lastIndexOf(mark, end - mark.length);
    if (at > end / 2) return at + mark.length;
  }
  return end;
}

const PERSONAL = [
  ["email", /[\w.+-]+@[\w-]+\.[\w.]{2,}/u],
  ["card", /\b(?:\d[ -]?){13,19}\b/u],
  ["iban", /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b/u],
  ["phone", /(?<![\w/])\+?\d(?:[ .()-]?\d){8,13}(?!\w)/u],
  ["identity", /\b(?:\d{8}[A-Z]|[XYZ]\d{7}[A-Z])\b/u],
];

/** What personal data a text seems to hold, as a key of words; "" for none. */
export const personalData = (text) => PERSONAL.find(([, pattern]) => pattern.test(text))?.[0] || "";
