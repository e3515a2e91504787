// Makes elements, and brings those on the page to what they should be now.
//
// All that is drawn is made anew for each look and then compared with what is there: only what differs is touched, so that
// the focus, a selection and the place of the scroll bar stay. Texts are only ever texts: nothing here reads HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Returns an HTML element; an attribute that is null, undefined or false is left out. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** Returns an SVG element. */
export function drawing(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : value);
    }
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== "" && child !== false));
  return made;
}

/** Makes an element on the page what another is, which is used up. Children with the same `data-key` stay the same. */
export function morph(now, next) {
  if (now.nodeName !== next.nodeName || now.nodeType !== next.nodeType) {
    now.replaceWith(next);
    return next;
  }
  if (now.nodeType === Node.TEXT_NODE) {
    if (now.data !== next.data) now.data = next.data;
    return now;
  }
  for (const { name } of [...now.attributes]) {
    if (!next.hasAttribute(name)) now.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  }
  morphChildren(now, [...next.childNodes]);
  return now;
}

function morphChildren(parent, wanted) {
  let here = parent.firstChild;
  for (const next of wanted) {
    const known = found(here, key(next));
    if (!known) {
      parent.insertBefore(next, here);
      continue;
    }
    if (known !== here) parent.insertBefore(known, here);
    here = morph(known, next).nextSibling;
  }
  while (here) {
    const gone = here;
    here = here.nextSibling;
    gone.remove();
  }
}

function key(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null;
}

/** Returns the node, from `first` on, that is to become the one with this key. */
function found(first, wanted) {
  if (wanted === null) return first && key(first) === null ? first : null;
  for (let node = first; node; node = node.nextSibling) {
    if (key(node) === wanted) return node;
  }
  return null;
}
