// Texts come as JSON, their lengths in the unit go back: counting.mjs <counting.js>
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { measure } = await import(pathToFileURL(process.argv[2]));
const texts = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(texts.map((text) => measure(text, "graphemes_short_links"))));
