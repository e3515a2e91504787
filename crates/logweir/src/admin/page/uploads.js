// How uploads fare, in the terms that Logpush has for its jobs; and their last errors, for who has the token.

import { bytes, duration, grouped, moment, rate, share, things, time } from "./amount.js";
import { card, list, table } from "./cards.js";
import { drawing, element } from "./element.js";
import { meaning } from "./verdict.js";
import { quantile } from "./view.js";
import { fetchText } from "./watch.js";

const OUTCOMES = { ok: "successful", retry: "retry attempt", rejected: "failed" };

/** Returns the card of an output that uploads. */
export function uploads(pipeline, upload, secrets, unixNow) {
  const total = (counts, name) => counts.get(name)?.total ?? 0;
  const { attempts, batches, events, recovered, bytes: volumes, output, damaged } = upload;
  const [uploaded, rejected] = [total(batches, "uploaded"), total(batches, "rejected")];
  const [raw, compressed] = [total(volumes, "raw"), total(volumes, "compressed")];
  const outcome = (name, text) => element("div", { class: `outcome ${name}` }, element("dt", {}, text), element("dd", {}, grouped(total(upload.outcomes, name))));
  return card(
    output === null ? "Uploads" : `Uploads of ${output}`,
    `uploads ${output ?? ""}`,
    element("dl", { class: "outcomes" }, outcome("ok", "successful"), outcome("retry", "retry attempts"), outcome("rejected", "failed")),
    list([
      ["success rate", uploaded + rejected > 0 ? `${share(uploaded, uploaded + rejected)} of ${things(uploaded + rejected, "batch", "batches")}` : "no batch yet"],
      ["events", `${grouped(total(events, "uploaded"))} uploaded, ${grouped(total(events, "rejected"))} refused for good`],
      ["of a former run", recovered.total > 0 ? `${grouped(recovered.total)} of those uploaded` : null],
      ["bytes", raw > 0 ? `${bytes(raw)} raw, ${bytes(compressed)} sent (${share(compressed, raw)})` : null],
      ["in the spool", `${things(upload.spoolBatches, "batch", "batches")}, ${bytes(upload.spoolBytes)}`],
      ["found damaged", damaged.total > 0 ? things(damaged.total, "batch", "batches") : null],
      ["last complete", upload.lastComplete === null ? "nothing yet" : `${moment(upload.lastComplete)}, ${ago(upload.lastComplete, unixNow)}`],
      ["last error", upload.lastError === null ? "none since the last success" : `${moment(upload.lastError)}, ${ago(upload.lastError, unixNow)}`],
    ]),
    upload.isCircuitOpen ? element("p", { class: "alarm" }, "So many have failed in a row that only the oldest batch is tried. Nothing is lost.") : null,
    lastError(pipeline.name, upload, secrets),
    attempts.length > 0 && table("Attempts by what came of them", ["outcome and status", "attempts", "a second"], attempts.map(attemptRow)),
    durations(upload.duration),
  );
}

function attemptRow({ outcome, status, count }) {
  return { cells: [`${OUTCOMES[outcome] ?? outcome}: ${status}, ${meaning(status)}`, grouped(count.total), rate(count.rate)], tone: outcome === "ok" ? null : "slow" };
}

function ago(unix, unixNow) {
  return `${time(Math.max(unixNow - unix, 0))} ago`;
}

/** Returns the text of the last error, or how to see it. */
function lastError(name, { output, lastError: since }, secrets) {
  if (since === null) return null;
  const told = secrets.told?.find((item) => item.pipeline === name && (item.output ?? null) === output);
  if (told?.error_message) return element("blockquote", { class: "error-text" }, told.error_message);
  if (secrets.told) return null;
  return element("p", { class: "quiet" }, "Its text is shown to who has the token: ", element("a", { href: "#token" }, "enter it below"), ".");
}

/** Returns how long attempts took: a bar for each bucket, and the sums in words. */
function durations({ sum, count, buckets }) {
  if (count === 0) return null;
  const most = buckets.reduce((most, { n }) => Math.max(most, n), 0);
  const within = (part) => {
    const bound = quantile({ buckets, count }, part);
    return bound === Infinity ? `longer than ${duration(buckets.at(-2)?.bound ?? 0)}` : `within ${duration(bound)}`;
  };
  const text = `${duration(sum / count)} on average; half ${within(0.5)}, 99 of 100 ${within(0.99)}`;
  const bar = ({ n }, i) => {
    // What is there is to be seen.
    const height = n === 0 ? 0 : Math.max((n / most) * 36, 2);
    return drawing("rect", { x: i * 10 + 1, y: (40 - height).toFixed(1), width: 8, height: height.toFixed(1) });
  };
  const bounds = buckets.filter(({ n }) => n > 0).map(({ bound, n }) => `${grouped(n)} ${bound === Infinity ? "longer" : `within ${duration(bound)}`}`);
  const label = `How long attempts took: ${bounds.join(", ")}`;
  return element(
    "div",
    { class: "durations" },
    element("p", { class: "quiet" }, `Attempts took ${text}.`),
    drawing("svg", { class: "bars", viewBox: `0 0 ${buckets.length * 10} 40`, preserveAspectRatio: "none", role: "img", "aria-label": label }, drawing("line", { class: "ground", x1: 0, x2: buckets.length * 10, y1: 39.5, y2: 39.5 }), buckets.map(bar)),
    element("p", { class: "bounds", "aria-hidden": "true" }, buckets.map(({ bound }, i) => element("span", {}, i % 2 === 1 ? "" : bound < 60 ? duration(bound) : `${bound / 60} min`))),
  );
}

/** How often /uploads is asked, in milliseconds. */
const EVERY = 5000;

/** The token, for as long as the page is open, and what it opens. */
export class Secrets {
  /** What /uploads told last; null without the token. */
  told = null;
  /** What is to be said of the token that was entered last. */
  problem = null;

  /** Kept nowhere else. */
  #token = null;
  #timer = 0;
  #changed;

  /** `changed` is called after each answer. */
  constructor(changed) {
    this.#changed = changed;
  }

  /** Tells whether a token is used. */
  hasToken() {
    return this.#token !== null;
  }

  /** Uses a token from now on, or none. */
  use(token) {
    clearTimeout(this.#timer);
    Object.assign(this, { told: null, problem: null });
    this.#token = token;
    if (token !== null) this.#ask();
    this.#changed();
  }

  async #ask() {
    const token = this.#token;
    const answered = await ask(token);
    // Another one was entered meanwhile, or it was forgotten.
    if (token !== this.#token) return;
    if (answered.told) this.told = answered.told;
    this.problem = answered.problem ?? null;
    if (answered.isWrong) Object.assign(this, { told: null });
    if (answered.isWrong) this.#token = null;
    else this.#timer = setTimeout(() => this.#ask(), EVERY);
    this.#changed();
  }
}

async function ask(token) {
  try {
    const { status, text } = await fetchText("/uploads", { Authorization: `Bearer ${token}` });
    if (status === 200) return { told: JSON.parse(text).uploads };
    if (status === 401) return { isWrong: true, problem: "That is not the token. It is `admin.token` of the pipeline file." };
    if (status === 403) return { isWrong: true, problem: "No token is configured, so nobody may see this: set `admin.token` in the pipeline file." };
    return { problem: `/uploads answers ${status}.` };
  } catch (error) {
    // A token that no header can hold is refused by the browser, and is none of ours.
    return /[^\x21-\x7e]/.test(token) ? { isWrong: true, problem: "That is not the token: it has characters that no token has." } : { problem: `${error.message}.` };
  }
}
