/* Put a fresh fragment over what is on screen, keeping every part that did not change: frames stay loaded, folds open, focus where it was. */

/** Children with the same data-key and data-version stay as they are; others are put in, replaced or taken away, in the fresh order. */
export function patch(container, fresh) {
  const known = new Map();
  for (const child of container.children) if (child.dataset.key) known.set(child.dataset.key, child);
  const focused = container.contains(document.activeElement) ? trace(document.activeElement) : null;
  let place = container.firstElementChild;
  for (const next of [...fresh.children]) {
    const old = known.get(next.dataset.key);
    const kept = old && old.dataset.version !== undefined && old.dataset.version === next.dataset.version ? old : next;
    if (kept === next && old) carry(old, next);
    if (kept === place) place = place.nextElementSibling;
    else container.insertBefore(kept, place);
    known.delete(next.dataset.key);
    if (kept === next && old) {
      if (old === place) place = place.nextElementSibling;
      old.remove();
    }
  }
  while (place) {
    const gone = place;
    place = place.nextElementSibling;
    gone.remove();
  }
  if (focused) refocus(container, focused);
}

function carry(old, next) {
  if (old.tagName === "DETAILS" && old.open) next.open = true;
  old.querySelectorAll("details[open]").forEach((detail, index) => {
    const twin = next.querySelectorAll("details")[index];
    if (twin) twin.open = true;
  });
}

function trace(element) {
  const keyed = element.closest("[data-key]");
  return {
    key: keyed?.dataset.key,
    todo: element.dataset?.do,
    name: element.getAttribute("name"),
    value: element.value,
    start: element.selectionStart,
  };
}

function refocus(container, { key, todo, name, value, start }) {
  if (container.contains(document.activeElement)) return;
  const keyed = key ? container.querySelector(`[data-key="${CSS.escape(key)}"]`) : container;
  const target = name ? keyed?.querySelector(`[name="${CSS.escape(name)}"]`) : todo ? keyed?.querySelector(`[data-do="${CSS.escape(todo)}"]`) : keyed;
  if (name && target && value !== undefined) target.value = value;
  target?.focus?.({ preventScroll: true });
  if (name && target && start !== null && start !== undefined) target.setSelectionRange?.(start, start);
}
