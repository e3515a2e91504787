// The rates of the last minutes, kept in the page, and drawn as small curves.

import { drawing } from "./element.js";
import { rate } from "./amount.js";

/** How far back curves go, in seconds: as far as there is something to draw, within these bounds. */
const SPAN = 300;
const SHORTEST_SPAN = 30;

/** No more points than these are kept of a curve. */
const MAX_POINTS = 400;

/** No more curves than these are kept: names come and go with reloads. */
const MAX_CURVES = 2000;

/** What was seen of some numbers. */
export class History {
  #curves = new Map();

  /** Adds what a curve is at a moment, in seconds of the page's clock. */
  add(name, at, value) {
    if (value === null) return;
    let points = this.#curves.get(name);
    if (!points) {
      if (this.#curves.size >= MAX_CURVES) this.#forget(at);
      if (this.#curves.size >= MAX_CURVES) return;
      this.#curves.set(name, (points = []));
    }
    points.push({ at, value });
    while (points.length > MAX_POINTS || points[0].at < at - SPAN) points.shift();
  }

  /** Forgets curves to which nothing has been added for long. */
  #forget(now) {
    for (const [name, points] of this.#curves) {
      if (points.at(-1).at < now - SPAN) this.#curves.delete(name);
    }
  }

  /** Returns the points of a curve that are not too old, the latest last. */
  points(name, now) {
    return (this.#curves.get(name) ?? []).filter(({ at }) => at >= now - SPAN);
  }
}

/** Draws a curve; `tone` is a class, and what it shows is said by `title`. */
export function curve(points, now, { title, tone, width = 240, height = 44, unit = rate }) {
  const top = most(points) ?? 0;
  const span = points.length > 0 ? Math.max(now - points[0].at, SHORTEST_SPAN) : SPAN;
  const x = ({ at }) => (width * (1 - (now - at) / span)).toFixed(1);
  const y = ({ value }) => (height - 1 - (top > 0 ? (value / top) * (height - 4) : 0)).toFixed(1);
  const line = points.map((point) => `${x(point)},${y(point)}`);
  const last = points.at(-1);
  const said = points.length === 0 ? "nothing yet" : `${unit(last.value)} now, ${unit(top)} at most`;
  const area = line.length > 1 ? [`${x(points[0])},${height}`, ...line, `${x(last)},${height}`].join(" ") : "";
  return drawing(
    "svg",
    { class: `curve ${tone}`, viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": `${title}, the last minutes: ${said}` },
    drawing("line", { class: "ground", x1: 0, x2: width, y1: height - 0.5, y2: height - 0.5 }),
    area && drawing("polygon", { points: area }),
    line.length > 1 && drawing("polyline", { points: line.join(" ") }),
  );
}

/** Returns the greatest value of some points. */
export function most(points) {
  return points.length === 0 ? null : points.reduce((most, { value }) => Math.max(most, value), 0);
}
