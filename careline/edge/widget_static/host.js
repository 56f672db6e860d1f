/* Talks with the page around the frame: only with the origin this chat was opened for. */
export class Host {
  constructor(key, origin, hear) {
    this.key = key;
    this.origin = origin;
    this.isFramed = window.parent !== window;
    addEventListener("message", (event) => {
      if (event.source !== window.parent || event.origin !== origin) return;
      if (event.data?.careline === key) hear(event.data);
    });
  }

  tell(what, facts = {}) {
    if (this.isFramed) window.parent.postMessage({ careline: this.key, what, ...facts }, this.origin);
  }
}

/* On a phone the chat fills the screen: Tab stays inside, Escape closes. On a desk Tab may leave. */
export function keepFocusInside(isWanted, close) {
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) return close();
    if (event.key !== "Tab" || !isWanted()) return;
    const stops = [...document.querySelectorAll("button, input, textarea, a[href], #scroller")].filter(
      (one) => one.tabIndex >= 0 && one.offsetParent !== null && !one.disabled,
    );
    const [first, last] = [stops[0], stops.at(-1)];
    if (event.shiftKey ? document.activeElement === first : document.activeElement === last) {
      event.preventDefault();
      (event.shiftKey ? last : first).focus();
    }
  });
}
