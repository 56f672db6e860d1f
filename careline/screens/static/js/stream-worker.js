/* One connection for all tabs of a browser: holds the EventSource, remembers the last events, hands them to every tab. Runs as a SharedWorker. */

const KEPT = 400;
const tabs = new Set();
const kept = [];
const TYPES = ["case", "gone", "hint", "presence", "notice", "agent", "reset", "open", "typing"];
let source = null;
let last = -1;
let floor = -1;
let state = "starting";
let tries = 0;

function tell(message) {
  for (const tab of tabs) tab.postMessage(message);
}

function tellState(next) {
  state = next;
  tell({ type: "state", state, tries, last });
}

function connect(address, since) {
  source?.close();
  last = Math.max(last, since);
  if (floor < 0) floor = since;
  source = new EventSource(`${address}&since=${last}`);
  for (const type of TYPES) source.addEventListener(type, take);
  source.addEventListener("error", () => {
    tries += 1;
    tellState(source.readyState === EventSource.CLOSED ? "closed" : "offline");
  });
}

function take(event) {
  const number = Number(event.lastEventId) || 0;
  if (number > last) last = number;
  if (event.type === "open") {
    tries = 0;
    if (floor < 0) floor = last;
    return tellState("live");
  }
  const message = { type: event.type, data: event.data, n: number };
  if (number) {
    kept.push(message);
    if (kept.length > KEPT) floor = kept.shift().n;
  }
  tell(message);
}

/** A tab whose page is true for `since`: give it what it missed, or tell it to load again. Below zero it wants only what comes. */
function catchUp(tab, since) {
  if (since < 0 || since >= last) return;
  if (since < floor) return tab.postMessage({ type: "reset", data: "{}", n: last });
  for (const message of kept) if (message.n > since) tab.postMessage(message);
}

function greet(tab) {
  tab.onmessage = ({ data }) => {
    if (data.do === "join") {
      tabs.add(tab);
      const isNew = !source || source.readyState === EventSource.CLOSED;
      if (isNew) connect(data.address, data.since);
      else catchUp(tab, data.since);
      tab.postMessage({ type: "state", state, tries, last });
    } else if (data.do === "again") connect(data.address, data.since);
    else if (data.do === "leave") {
      tabs.delete(tab);
      if (!tabs.size) (source?.close(), (source = null), (state = "starting"), (floor = last = -1), kept.splice(0));
    }
  };
  tab.start?.();
}

if (typeof SharedWorkerGlobalScope !== "undefined") self.onconnect = (event) => greet(event.ports[0]);
