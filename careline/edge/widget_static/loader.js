/* Careline's chat, first part: a button that never moves the page. The chat itself loads when it is first wanted. */
(() => {
  "use strict";
  const values = "__VALUES__";
  const script = document.currentScript;
  if (!script || window.Careline) return;
  const words = {
    en: { open: "Open chat", close: "Close chat", unread: (n) => `Open chat, ${n} unread` },
    es: { open: "Abrir el chat", close: "Cerrar el chat", unread: (n) => `Abrir el chat, ${n} sin leer` },
  };
  const data = script.dataset;
  const base = new URL(script.src).origin;
  const wanted = (data.lang || navigator.language || "en").slice(0, 2).toLowerCase();
  const say = words[wanted] || words.en;
  const flag = `careline:${values.key}`;
  const user = { token: data.userToken, id: data.userId, email: data.userEmail, name: data.userName, hash: data.userHash };
  const phone = matchMedia("(max-width: 480px), (max-height: 420px)");
  let frame = null;
  let isReady = false;
  let isOpen = false;
  let wantsFocus = false;
  let unread = 0;

  const style = `
    :host { all: initial; }
    button { position: fixed; inset-block-end: 20px; inset-inline-${values.side}: 20px; z-index: 2147483000; inline-size: 56px; block-size: 56px;
      border: 0; border-radius: 50%; padding: 0; cursor: pointer; color: ${values.ink}; background: ${values.color};
      box-shadow: 0 1px 2px rgb(0 0 0 / .12), 0 6px 20px rgb(0 0 0 / .18); display: grid; place-items: center; }
    button:focus-visible { outline: 3px solid ${values.ink}; outline-offset: -6px; box-shadow: 0 0 0 3px ${values.color}; }
    svg { inline-size: 26px; block-size: 26px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    .badge { position: absolute; inset-block-start: -4px; inset-inline-end: -4px; min-inline-size: 12px; block-size: 20px; padding-inline: 4px;
      border: 2px solid #fff; border-radius: 12px; background: #b3261e; color: #fff; font: 700 12px/20px system-ui, sans-serif; text-align: center; }
    [hidden] { display: none; }
    div { position: fixed; inset-block-end: 88px; inset-inline-${values.side}: 20px; z-index: 2147483001; inline-size: 384px; block-size: min(640px, calc(100dvh - 108px));
      border-radius: 12px; overflow: hidden; box-shadow: 0 1px 2px rgb(0 0 0 / .12), 0 12px 40px rgb(0 0 0 / .22); visibility: hidden; opacity: 0; transition: opacity .12s; }
    div.open { visibility: visible; opacity: 1; }
    iframe { display: block; inline-size: 100%; block-size: 100%; border: 0; color-scheme: light dark; }
    @media (max-width: 480px), (max-height: 420px) { div { inset: 0; inline-size: 100%; block-size: 100dvh; border-radius: 0; } button.open { visibility: hidden; } }
    @media (prefers-reduced-motion: reduce) { div { transition: none; } }
    @media print { button, div { display: none; } }`;
  const shape = {
    chat: "M7.9 20A9 9 0 1 0 4 16.1L2 22Z",
    close: "M18 6 6 18M6 6l12 12",
  };

  const element = (name, attributes = {}) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const host = element("careline-chat");
  const root = host.attachShadow({ mode: "open" });
  /* A constructed sheet is allowed where the page's own policy forbids inline styles. */
  if ("adoptedStyleSheets" in root && "replaceSync" in CSSStyleSheet.prototype) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
  } else {
    root.append(Object.assign(element("style"), { textContent: style }));
  }
  const button = element("button", { type: "button", "aria-expanded": "false", "aria-label": say.open, "aria-haspopup": "dialog" });
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", shape.chat);
  icon.append(path);
  const badge = element("span", { class: "badge", hidden: "", "aria-hidden": "true" });
  const panel = element("div", { role: "dialog", "aria-label": values.title });
  button.append(icon, badge);
  button.hidden = data.button === "none";
  root.append(panel, button);

  const keep = (store, name, value) => {
    try {
      if (value === undefined) return window[store].getItem(name);
      if (value === null) window[store].removeItem(name);
      else window[store].setItem(name, value);
    } catch {
      /* Storage is refused: nothing is remembered, everything works. */
    }
    return null;
  };

  const tell = (message) => {
    if (isReady) frame.contentWindow.postMessage({ careline: values.key, ...message }, base);
  };

  const load = () => {
    if (frame) return;
    const query = new URLSearchParams({ host: location.origin });
    if (data.lang) query.set("lang", data.lang);
    frame = element("iframe", { title: values.title, src: `${base}/widget/${values.key}/chat?${query}`, referrerpolicy: "strict-origin", allow: "clipboard-write" });
    panel.append(frame);
  };

  /* A chat that was open on the last page opens again, but only a person's own act moves the focus. */
  const show = (open, byPerson = true) => {
    isOpen = open;
    wantsFocus = open && byPerson;
    keep("sessionStorage", flag, open ? "open" : null);
    if (open) load();
    panel.classList.toggle("open", open);
    button.classList.toggle("open", open);
    panel.setAttribute("aria-modal", String(open && phone.matches));
    button.setAttribute("aria-expanded", String(open));
    path.setAttribute("d", open ? shape.close : shape.chat);
    count(unread);
    tell({ what: open ? "open" : "close", phone: phone.matches, focus: wantsFocus });
    if (wantsFocus && isReady) frame.focus();
    else if (!open && byPerson) button.focus({ preventScroll: true });
  };

  const count = (n) => {
    unread = n;
    badge.hidden = isOpen || n === 0;
    badge.textContent = n > 9 ? "9+" : String(n);
    button.setAttribute("aria-label", isOpen ? say.close : n ? say.unread(n) : say.open);
  };

  const heard = {
    ready: () => {
      isReady = true;
      tell({ what: "hello", user, open: isOpen, phone: phone.matches, focus: wantsFocus, page: location.href });
      if (wantsFocus) frame.focus();
    },
    close: () => show(false),
    open: () => show(true),
    unread: (message) => count(Number(message.n) || 0),
    started: () => keep("localStorage", flag, "1"),
    ended: () => keep("localStorage", flag, null),
  };

  addEventListener("message", (event) => {
    if (!frame || event.source !== frame.contentWindow || event.origin !== base) return;
    if (event.data && event.data.careline === values.key && Object.hasOwn(heard, event.data.what)) heard[event.data.what](event.data);
  });
  phone.addEventListener("change", () => isOpen && tell({ what: "open", phone: phone.matches }));
  button.addEventListener("click", () => show(!isOpen));

  window.Careline = {
    open: () => show(true),
    close: () => show(false),
    identify: (who) => {
      for (const name of Object.keys(user)) user[name] = (who && who[name]) || undefined;
      tell({ what: "user", user });
    },
    logout: () => window.Careline.identify(null),
  };

  const begin = () => {
    document.body.append(host);
    if (keep("sessionStorage", flag) === "open" && !phone.matches) show(true, false);
    else if (keep("localStorage", flag)) (window.requestIdleCallback || setTimeout)(load);
    dispatchEvent(new CustomEvent("careline:ready"));
  };
  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin);
})();
