/* How long a text is where addresses count 23 and other characters by weight ("x_weighted"): the browser's half of channels/x/weighing.py, which says why. */

import { TOP_LEVEL_DOMAINS } from "./top_level_domains.js";

const LINK_WEIGHT = 23;
const MOST_LOOKED_THROUGH = 8000;
const MOST_ADDRESS = 4096;
const MOST_SLUG = 40;
const LIGHT = /[\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]/gu;
const TEXTUAL = "(?![#*0-9\\xa9\\xae])\\p{Emoji}\\ufe0f?|[\\xa9\\xae]\\ufe0f";
const PICTURE = `(?:\\p{Emoji_Presentation}|${TEXTUAL})\\p{EMod}?(?:[\\u{e0020}-\\u{e007e}]+\\u{e007f})?`;
const EMOJI = new RegExp(`\\p{RI}\\p{RI}|[#*0-9]\\ufe0f?\\u20e3|${PICTURE}(?:\\u200d${PICTURE})*`, "gu");

const SPACES = "\\x09-\\x0d\\x20\\x85\\xa0\\u1680\\u180e\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const NEVER = "\\ufffe\\ufeff\\uffff";
const DIRECTIONS = "\\u202a-\\u202e\\u061c\\u200e\\u200f\\u2066-\\u2069";
const LATIN =
  "\\xc0-\\xd6\\xd8-\\xf6\\xf8-\\u024f\\u0253\\u0254\\u0256\\u0257\\u0259\\u025b\\u0263\\u0268\\u026f\\u0272\\u0289\\u028b\\u02bb" +
  "\\u0300-\\u036f\\u1e00-\\u1eff";
const NONE = `!'#%&()*+,\\\\./:;<=>?@\\[\\]\\^\\{\\|\\}~$\\-_${SPACES}${NEVER}${DIRECTIONS}`;
const LETTER = `[^${NONE}]`;
const SUB = `(?:(?:${LETTER}(?:[\\-_]|${LETTER}){0,61})?${LETTER}\\.)`;
const NAME = `(?:${LETTER}(?:-|${LETTER}){0,61})?${LETTER}\\.`;
const PATH_CHAR = `[a-z\\u0400-\\u04ff0-9!*';:=+,.$/%#\\[\\]\\-\\u2013_~@\\|&${LATIN}]`;
const PARENS = `\\((?:${PATH_CHAR}+|${PATH_CHAR}*\\(${PATH_CHAR}+\\)${PATH_CHAR}*)\\)`;
const PATH_END = `(?:[+\\-a-z\\u0400-\\u04ff0-9=_#/${LATIN}]|${PARENS})`;
const PATH = `(?:/(?:${PATH_CHAR}*(?:${PARENS}${PATH_CHAR}*)*${PATH_END}|@${PATH_CHAR}+/)*)`;
const QUERY = "(?:\\?[a-z0-9!?*'@();:&=+$/%#\\[\\]\\-_.,~\\|]*[a-z0-9\\-_&=#/])";
const SHORT = new RegExp(`^https?://t\\.co/([a-z0-9]+)${QUERY}?`, "i");

const rests = new Map();
for (const name of [...TOP_LEVEL_DOMAINS].sort((a, b) => [...b].length - [...a].length || (a < b ? -1 : 1))) {
  const [first, ...rest] = name;
  rests.set(first, [...(rests.get(first) || []), rest.join("")]);
}
const KNOWN = [...rests].map(([first, those]) => `${first}(?:${those.join("|")})`).join("|");
const TOP_LEVEL = `(?:(?:${KNOWN})(?=[^0-9a-zA-Z@+\\-]|$)|xn--[\\-0-9a-z]+)`;
const BEFORE = `([^A-Za-z0-9@\\uff20$#\\uff03${NEVER}${DIRECTIONS}]|[${DIRECTIONS}]|^)`;
const ADDRESS = new RegExp(`${BEFORE}(https?://)?(${SUB}{0,126}${NAME}${TOP_LEVEL})(?::[0-9]+)?(${PATH})?${QUERY}?`, "giu");
const PLAIN_DOMAIN = new RegExp(`(?:[\\-a-z0-9${LATIN}]+\\.)+${TOP_LEVEL}`, "giu");

/** What a text weighs. */
export function weight(text) {
  const normal = text.normalize("NFC");
  let total = 0;
  let position = 0;
  for (const [start, end] of normal.includes(".") && [...normal].length <= MOST_LOOKED_THROUGH ? addresses(normal) : []) {
    total += weightOfWords(normal.slice(position, start)) + LINK_WEIGHT;
    position = end;
  }
  return total + weightOfWords(normal.slice(position));
}

/** Whether anything in a text becomes a link. */
export const holdsAddress = (text) => text.includes(".") && text.length <= MOST_LOOKED_THROUGH && addresses(text).length > 0;

function weightOfWords(words) {
  const pictures = (words.match(EMOJI) || []).length;
  const plain = words.replace(EMOJI, "");
  const light = (plain.match(LIGHT) || []).length;
  return 2 * ([...plain].length - light + pictures) + light;
}

function addresses(text) {
  const found = [];
  for (const match of text.matchAll(ADDRESS)) {
    const [whole, before, protocol, domain, path] = match;
    const start = match.index + before.length;
    const address = whole.slice(before.length);
    if ([...address].length > MOST_ADDRESS) continue;
    if (!protocol) {
      found.push(...withoutProtocol(before, domain, path, start, match.index + whole.length));
      continue;
    }
    const short = address.match(SHORT);
    if (!short || short[1].length <= MOST_SLUG) found.push([start, start + (short ? short[0] : address).length]);
  }
  return found;
}

/* Only domains in Latin letters; the path belongs to the last. */
function withoutProtocol(before, domain, path, start, end) {
  if (["-", "_", ".", "/"].includes(before)) return [];
  const plain = [...domain.matchAll(PLAIN_DOMAIN)].map((one) => [start + one.index, start + one.index + one[0].length]);
  if (plain.length && path) plain[plain.length - 1][1] = end;
  return plain;
}
