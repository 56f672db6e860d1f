/* How long a text is in the unit a network counts, and how to cut it: the browser's half of careline/kit/counting.py. */

import { shortened } from "./short_links.js";
import { segments, septets } from "./sms.js";

let weighing = null;

/** X's weights and its list of domains come when a text for X is first counted. Returns a promise while they are not there. */
export const prepare = (unit) => (unit === "x_weighted" && !weighing ? import("./weighing.js").then((found) => (weighing = found)) : null);

const encoder = new TextEncoder();
const segmenter = Intl.Segmenter ? new Intl.Segmenter(undefined, { granularity: "grapheme" }) : null;

const graphemes = (text) => (segmenter ? [...segmenter.segment(text)].map((part) => part.segment) : [...text]);

const PICTURED = /[\p{Extended_Pictographic}\p{Regional_Indicator}\u20e3]/u;
const emojiBytes = (one) => (PICTURED.test(one) ? encoder.encode(one).length : [...one].length);

const UNITS = {
  chars: (text) => [...text].length,
  codepoints: (text) => [...text].length,
  utf16: (text) => text.length,
  bytes: (text) => encoder.encode(text).length,
  emoji_bytes: (text) => graphemes(text).reduce((sum, one) => sum + emojiBytes(one), 0),
  graphemes: (text) => graphemes(text).length,
  graphemes_short_links: (text) => graphemes(shortened(text)).length,
  sms_septets: septets,
  sms_segments: segments,
  x_weighted: (text) => (weighing ? weighing.weight(text) : [...text].length),
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

/** What the platform takes for one such message, as it says it; "" where nothing. */
export const price = (text, choice) => (text && (weighing?.holdsAddress(text) ? choice?.price_with_link : choice?.price)) || "";

const PERSONAL = [
  ["email", /[\w.+-]+@[\w-]+\.[\w.]{2,}/u],
  ["card", /\b(?:\d[ -]?){13,19}\b/u],
  ["iban", /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b/u],
  ["phone", /(?<![\w/])\+?\d(?:[ .()-]?\d){8,13}(?!\w)/u],
  ["identity", /\b(?:\d{8}[A-Z]|[XYZ]\d{7}[A-Z])\b/u],
];

/** What personal data a text seems to hold, as a key of words; "" for none. */
export const personalData = (text) => PERSONAL.find(([, pattern]) => pattern.test(text))?.[0] || "";
