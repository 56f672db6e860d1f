// Keeps the wall fresh without touching what is being typed, shows times in the reader's zone, and lets the visitor speak as a customer.
const columns = document.getElementById("columns");
let seen = "";

function showTimes(root) {
  for (const time of root.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    const today = at.toDateString() === new Date().toDateString();
    time.textContent = today ? at.toLocaleTimeString() : at.toLocaleString();
  }
}

function isTyping() {
  const field = document.activeElement;
  return columns.contains(field) && field.value;
}

async function refresh() {
  if (!columns || document.hidden || isTyping()) return;
  try {
    const answer = await fetch(columns.dataset.from, { headers: seen ? { "if-none-match": seen } : {} });
    if (answer.status !== 200) return;
    seen = answer.headers.get("etag") || "";
    columns.innerHTML = await answer.text();
    showTimes(columns);
  } catch {
    return; // the simulator is away; the next round asks again
  }
}

async function speak(event) {
  const form = event.target.closest("form[data-speak]");
  if (!form) return;
  event.preventDefault();
  const words = Object.fromEntries(new FormData(form));
  const name = words.name || "";
  const author = form.dataset.author || "u_" + (name.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "") || "guest");
  const place = form.dataset.place || words.place;
  const thread = form.dataset.thread || "";
  const account = words.account || (place === "dms" ? thread.slice(3, -author.length - 1) : "");
  const spoken = { text: words.text, author, name, account, thread: place === "replies" ? thread : "", views: place === "posts" ? 40 : 0 };
  const body = place === "mails" ? { mail: Number(form.dataset.mail), text: words.text } : spoken;
  const answer = await fetch("/control/" + place, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  form.querySelector("output").textContent = answer.ok ? "" : "This could not be said.";
  if (answer.ok) form.elements.text.value = "";
  document.activeElement.blur();
  refresh();
}

async function play(event) {
  const button = event.target.closest("button[data-story]");
  if (!button) return;
  const answer = await fetch("/control/stories", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ story: button.dataset.story }) });
  button.parentElement.querySelector("output").textContent = answer.ok ? "It begins." : "Nobody is here to play it.";
}

document.addEventListener("submit", speak);
document.addEventListener("click", play);
showTimes(document);
if (columns) setInterval(refresh, 1500);
