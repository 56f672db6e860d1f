/* A text as it is counted in the unit "graphemes_short_links": 23 letters for a link, of @user@server only @user. Why, and by which source, stands with the
   unit on the server (its network's lengths.py). */

const SHORT = "x".repeat(23);
const LONGEST_LINK = 4096;
const LONGEST_DOMAIN = 253;
const WORD = "[\\p{L}\\p{M}\\p{N}_]";
const IN_PATH = "[^\\s<>()?]";
const PATH = `(?:/(?:${IN_PATH}|\\((?:${IN_PATH}|\\(${IN_PATH}+\\))+\\))*(?<![!*"'「」<>;:=,.$%[\\]~&|@]))?`;
const BEYOND = "\\u00a0-\\u{10ffff}";
const QUERY = `(?:\\?[a-z0-9!?*'();:&=+$/%#[\\]\\-_.,~|@^${BEYOND}]*[a-z0-9_&=#/\\-${BEYOND}])?`;
const DOMAIN = "(?:[\\p{L}\\p{N}](?:[\\p{L}\\p{N}_\\-]*[\\p{L}\\p{N}])?\\.)+(?:xn--[a-z0-9\\-]+|\\p{L}{2,})";
const SCHEME = "(?:https?|dat|dweb|ipfs|ipns|ssb|gopher|gemini)";
const LINK = new RegExp(`(?<![a-z0-9@＠$#＃])${SCHEME}://${DOMAIN}(?::[0-9]+)?${PATH}${QUERY}`, "giu");
const NAME = new RegExp(`(?<![=/]|${WORD})@([a-z0-9_]+(?:[.\\-]+[a-z0-9_]+)*)(?:@(${WORD}+(?:[.\\-]+${WORD}+)*))?`, "giu");

/** The text with what counts for its links and names in their place. */
export function shortened(text) {
  const links = [...text.matchAll(LINK)].filter(([whole]) => [...whole].length <= LONGEST_LINK).map((one) => [one.index, one[0].length, SHORT]);
  const names = [...text.matchAll(NAME)].filter(([, , domain]) => [...(domain || "")].length <= LONGEST_DOMAIN).map((one) => [one.index, one[0].length, `@${one[1]}`]);
  let [counted, last] = ["", 0];
  for (const [start, length, shown] of [...links, ...names].sort((a, b) => a[0] - b[0])) {
    if (start < last) continue;
    counted += text.slice(last, start) + shown;
    last = start + length;
  }
  return counted + text.slice(last);
}
