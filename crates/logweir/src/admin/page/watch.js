// Asks the process how it is, again and again, and keeps what it answered last.

import { History } from "./history.js";
import { Scrape } from "./exposition.js";
import { look, wasRestarted } from "./view.js";

/** How often is asked, in milliseconds: while somebody looks, and while nobody can. */
const EVERY = 1000;
const EVERY_HIDDEN = 10_000;

/** The longest pause while nobody answers, and how long an answer may take. */
const LONGEST_PAUSE = 15_000;
const PATIENCE = 10_000;

/** Rates are those of about the last five seconds, so that they do not jump with each batch. */
const RATE_SPAN = 5;

/** What is known of the process. */
export class Watch {
  /** What was seen last; null before anything was. */
  view = null;
  readiness = { isReady: null, lines: [] };
  history = new History();
  /** What the clock of the process's machine said last, in Unix seconds. */
  unixNow = Date.now() / 1000;
  /** Since when nobody answers and why, or null; in seconds of the page's clock. */
  lost = null;
  /** When the process was seen to have been started again, or null. */
  restarted = null;
  isPaused = false;

  /** Scrapes of the last seconds, the latest last. */
  #scrapes = [];
  #outlines = [];
  #failures = 0;
  #timer = 0;
  #changed;

  /** `changed` is called after each look. */
  constructor(changed) {
    this.#changed = changed;
    document.addEventListener("visibilitychange", () => this.#schedule(document.hidden ? EVERY_HIDDEN : 0));
  }

  /** Begins. */
  start() {
    this.#schedule(0);
  }

  /** Stops to ask, or goes on. */
  pause(isPaused) {
    this.isPaused = isPaused;
    this.#schedule(0);
  }

  #schedule(pause) {
    clearTimeout(this.#timer);
    if (!this.isPaused) this.#timer = setTimeout(() => this.#look(), pause);
  }

  async #look() {
    // A look that was begun anew meanwhile has the word.
    const timer = this.#timer;
    try {
      const answers = await ask();
      if (timer !== this.#timer || this.isPaused) return;
      this.#take(answers);
      this.#failures = 0;
    } catch (error) {
      if (timer !== this.#timer || this.isPaused) return;
      this.#failures += 1;
      this.lost = { since: this.lost?.since ?? seconds(), why: error.message };
    }
    this.#changed();
    const pause = Math.max(document.hidden ? EVERY_HIDDEN : EVERY, this.#backOff());
    this.#schedule(pause);
  }

  #backOff() {
    return this.#failures === 0 ? 0 : Math.min(EVERY * 2 ** (this.#failures - 1), LONGEST_PAUSE);
  }

  #take({ metrics, readiness, outlines, unixNow }) {
    const scrape = new Scrape(metrics);
    if (scrape.isEmpty()) throw new Error("what answers is no logweir: /metrics is empty");
    const [now, last] = [seconds(), this.#scrapes.at(-1)];
    if (last && wasRestarted(last.scrape, scrape)) {
      this.restarted = now;
      this.#scrapes = [];
    }
    while (this.#scrapes.length > 1 && this.#scrapes[1].at <= now - RATE_SPAN) this.#scrapes.shift();
    const before = this.#scrapes[0];
    this.view = look(scrape, before?.scrape ?? null, before ? now - before.at : 0, outlines);
    this.#scrapes.push({ scrape, at: now });
    Object.assign(this, { readiness, unixNow: unixNow ?? Date.now() / 1000, lost: null });
    this.#remember(now);
  }

  #remember(now) {
    for (const { name, read, written, allDropped } of this.view.pipelines) {
      this.history.add(`read ${name}`, now, read.rate);
      this.history.add(`written ${name}`, now, written.rate);
      this.history.add(`dropped ${name}`, now, allDropped.rate);
    }
    for (const what of ["read", "written", "allDropped"]) {
      const rates = this.view.pipelines.map((pipeline) => pipeline[what].rate);
      if (!rates.includes(null)) this.history.add(what, now, rates.reduce((sum, rate) => sum + rate, 0));
    }
  }
}

/** Returns the time on the page's clock, which nobody sets back, in seconds. */
export function seconds() {
  return performance.now() / 1000;
}

async function ask() {
  const [metrics, readyz, pipelines] = await Promise.all(["/metrics", "/readyz", "/pipelines"].map((path) => fetchText(path)));
  expect(metrics, [200]);
  expect(readyz, [200, 503]);
  expect(pipelines, [200]);
  return {
    metrics: metrics.text,
    readiness: { isReady: readyz.status === 200, lines: readyz.text.split("\n").filter((line) => line !== "") },
    outlines: JSON.parse(pipelines.text).pipelines,
    unixNow: metrics.unixNow,
  };
}

function expect({ path, status, text }, statuses) {
  if (!statuses.includes(status)) throw new Error(`${path} answers ${status}: ${text.slice(0, 200).trim()}`);
}

/** Asks for a path, and gives up if that takes too long. */
export async function fetchText(path, headers = {}) {
  let answer;
  try {
    answer = await fetch(path, { headers, cache: "no-store", credentials: "omit", redirect: "error", signal: AbortSignal.timeout(PATIENCE) });
    const date = Date.parse(answer.headers.get("date") ?? "") / 1000;
    return { path, status: answer.status, text: await answer.text(), unixNow: Number.isNaN(date) ? null : date };
  } catch (error) {
    throw new Error(error.name === "TimeoutError" ? `no answer within ${PATIENCE / 1000} s` : "nobody answers");
  }
}
