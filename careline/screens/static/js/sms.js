/* How long a text is as SMS (3GPP TS 23.038 and 23.040): the browser's half of careline/kit/sms.py, which says why. */

const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
);
const EXTENSION = new Set("\f^{}\\[~]|€");

/** Septets of the default alphabet; code units of UCS-2 where a character is in neither table. */
export function septets(text) {
  const costs = [...text].map(cost);
  return costs.includes(0) ? text.length : costs.reduce((sum, one) => sum + one, 0);
}

const cost = (character) => (BASIC.has(character) ? 1 : EXTENSION.has(character) ? 2 : 0);

/** How many messages go out. */
export function segments(text) {
  const costs = [...text].map(cost);
  return costs.includes(0) ? filled([...text].map((character) => character.length), 70, 67) : filled(costs, 160, 153);
}

function filled(costs, whole, part) {
  const total = costs.reduce((sum, one) => sum + one, 0);
  if (total <= whole) return total ? 1 : 0;
  let used = 0;
  let number = 1;
  for (const one of costs) {
    if (used + one > part) [used, number] = [0, number + 1];
    used += one;
  }
  return number;
}
