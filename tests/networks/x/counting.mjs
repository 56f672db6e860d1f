// Reads a JSON list of texts; writes, for each, what X's own twitter-text says, and what Careline's browser half says.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, counting] = process.argv.slice(2);
const { parseTweet } = createRequire(`${folder}/package.json`)("twitter-text");
const { measure, prepare } = await import(pathToFileURL(counting).href);
await prepare("x_weighted");
let given = "";
for await (const piece of process.stdin) given += piece;
const told = JSON.parse(given).map((text) => [
  parseTweet(text).weightedLength,
  ...["x_weighted", "sms_septets", "sms_segments"].map((unit) => measure(text, unit)),
]);
process.stdout.write(JSON.stringify(told));
