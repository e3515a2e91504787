// What the page shows, from what is known of the process: elements made anew for each look.

import { bytes, grouped, rate, share, things, time } from "./amount.js";
import { books, failures, minutes, source, truncation } from "./cards.js";
import { drawing, element } from "./element.js";
import { flow } from "./flow.js";
import { curve } from "./history.js";
import { uploads } from "./uploads.js";
import { findings, headline, reassurance } from "./verdict.js";
import { seconds } from "./watch.js";

/** The most findings that are listed. */
const MAX_FINDINGS = 12;

/** How long it is said that the process was started again, in seconds. */
const RESTART_SAID = 600;

const LEVELS = { wrong: "Wrong", look: "Look", note: "Note" };

/** The words for what a pipeline does, and which mark stands beside each. */
const STATES = {
  starting: ["starting", "look"],
  running: ["running", "well"],
  waiting: ["waits to start again", "wrong"],
  ended: ["not running", "wrong"],
  finished: ["finished", "well"],
  gone: ["taken away by a reload", "gone"],
};

const MARKS = {
  well: "M4.5 10.5l3.6 3.6 7.4-8",
  look: "M10 4.5v7M10 15.2v.3",
  wrong: "M5.5 5.5l9 9M14.5 5.5l-9 9",
  lost: "M5 10h.1M10 10h.1M15 10h.1",
  note: "M10 9v6M10 5.2v.3",
  gone: "M5 10h10",
};

function mark(level) {
  return drawing("svg", { class: "mark", viewBox: "0 0 20 20", "aria-hidden": "true" }, drawing("circle", { cx: 10, cy: 10, r: 9.2 }), drawing("path", { d: MARKS[level] }));
}

/** Returns what is said of the process at the head of the page. */
export function processLine({ view, unixNow, isPaused, lost }) {
  if (!view) return [element("span", {}, location.host)];
  const reloads = [...view.reloads].filter(([, count]) => count.total > 0).map(([outcome, count]) => `${grouped(count.total)} ${outcome}`);
  const live = lost ? "no answer" : isPaused ? "paused" : "live";
  return [
    element("span", { class: `live ${lost || isPaused ? "off" : "on"}` }, live),
    element("span", {}, location.host),
    view.version && element("span", {}, `version ${view.version}`),
    view.started !== null && element("span", {}, `up ${time(Math.max(unixNow - view.started, 0))}`),
    view.resident !== null && element("span", {}, `memory ${bytes(view.resident)}`),
    reloads.length > 0 && element("span", {}, `reloads ${reloads.join(", ")}`),
    view.taps > 0 && element("span", {}, `${things(view.taps, "tap")} open`),
  ];
}

/** Returns the verdict: its level, its sentence, and the element. */
export function verdict(watch) {
  const { view, readiness, lost, restarted } = watch;
  const found = view ? findings(view, readiness) : [];
  const told = lost ? { level: "lost", text: "The daemon does not answer" } : view ? headline(found, view) : { level: "lost", text: "Asking the daemon" };
  const text = [lostText(watch), told.level === "well" ? reassurance(view) : null, restarted !== null && seconds() - restarted < RESTART_SAID ? `The process was started again ${time(seconds() - restarted)} ago: totals begin there.` : null];
  const more = found.length - MAX_FINDINGS;
  const drawn = element(
    "div",
    { class: `verdict ${told.level}` },
    mark(told.level),
    element(
      "div",
      { class: "verdict-text" },
      element("h2", {}, told.text),
      text.filter(Boolean).map((text) => element("p", {}, text)),
      found.length > 0 && element("ul", { class: "findings" }, found.slice(0, MAX_FINDINGS).map(finding)),
      more > 0 && element("p", {}, `and ${grouped(more)} more; /readyz has them all`),
    ),
  );
  const said = found.length > 0 && !lost ? `${told.text}: ${found[0].pipeline ?? "logweir"}: ${kind(found[0].what)}` : told.text;
  return { ...told, said, drawn };
}

/** Returns a finding without its numbers, which change all the time and are not to be read out each second. */
function kind(what) {
  return what.replace(/\d[\d.,]*( [KMGTP]?i?B| %| s| min| h| d)?/g, "").slice(0, 120);
}

function lostText({ view, lost }) {
  if (!lost) return null;
  const since = time(Math.floor(seconds() - lost.since));
  return view ? `No answer for ${since} (${lost.why}). The numbers below are the last ones. It is asked again and again; if it does not come back, look whether the process runs, and at its log.` : `No answer for ${since} (${lost.why}); asking again.`;
}

function finding({ level, pipeline, what, advice }) {
  return element(
    "li",
    { class: `finding ${level}` },
    mark(level),
    element("div", {}, element("p", { class: "finding-what" }, element("b", {}, LEVELS[level]), pipeline && element("span", { class: "name" }, pipeline), element("span", {}, what)), element("p", { class: "advice" }, advice)),
  );
}

/** Returns the numbers of all pipelines together. */
export function totals({ view, history }) {
  const sum = (of) => view.pipelines.reduce((sum, pipeline) => sum + (of(pipeline) ?? 0), 0);
  const rates = (what) => (view.pipelines.some((pipeline) => pipeline[what].rate === null) ? null : sum((pipeline) => pipeline[what].rate));
  const [read, dropped, written] = [sum(({ read }) => read.total), sum(({ allDropped }) => allDropped.total), sum(({ written }) => written.total)];
  const lag = view.pipelines.reduce((most, { lagSeconds }) => Math.max(most, lagSeconds ?? 0), 0);
  const held = sum(({ held }) => held);
  const hasOutputs = view.pipelines.some(({ outputs }) => outputs.length > 1);
  const now = seconds();
  const tile = (title, value, unit, text, curveOf) =>
    element(
      "div",
      { class: `tile ${curveOf ?? ""}` },
      element("h3", {}, title),
      element("p", { class: "value" }, element("b", {}, value), ` ${unit}`),
      element("p", { class: "quiet" }, text),
      curveOf && curve(history.points(curveOf, now), now, { title: `events ${title} a second`, tone: curveOf }),
    );
  return [
    tile("read", rate(rates("read")), "events/s", `${grouped(read)} in all, ${bytes(sum(({ bytesRead }) => bytesRead.rate))}/s`, "read"),
    tile("written", rate(rates("written")), "events/s", `${grouped(written)} ${hasOutputs ? "to all outputs" : "in all"}`, "written"),
    tile("dropped", rate(rates("allDropped")), "events/s", `${grouped(dropped)} ${hasOutputs ? "on all ways" : "in all"}`, "allDropped"),
    tile("behind", bytes(sum(({ lagBytes }) => lagBytes)), "", lag > 0 ? `the oldest ${time(lag)} old` : "nothing waits to be delivered"),
    tile("in flight", grouped(sum(({ inFlight }) => inFlight)), "events", `${bytes(held)} held of ${bytes(sum(({ heldLimit }) => heldLimit))}`),
  ];
}

/** Returns all pipelines; `open` has the names of those that are shown in full. */
export function pipelines({ view, history, unixNow }, open, secrets) {
  if (view.pipelines.length === 0) return [element("p", { class: "quiet" }, "No pipeline has begun yet.")];
  const title = view.pipelines.length === 1 ? "The pipeline" : `${view.pipelines.length} pipelines`;
  const drawn = view.pipelines.map((pipeline, n) => section(pipeline, `p${n}`, open.has(pipeline.name), { history, unixNow, secrets }));
  return [element("h2", { class: "unseen" }, title), drawn];
}

function section(pipeline, id, isOpen, around) {
  return element(
    "article",
    { class: `pipeline ${pipeline.state}${isOpen ? " open" : ""}`, "data-key": pipeline.name, "aria-labelledby": `${id}-title` },
    head(pipeline, id, isOpen, around.history),
    element("div", { id: `${id}-body`, class: "body", hidden: !isOpen }, isOpen ? body(pipeline, id, around) : null),
  );
}

function head(pipeline, id, isOpen, history) {
  const { name, read, written, allDropped, lagBytes, lagSeconds } = pipeline;
  const now = seconds();
  const fact = (title, value, text) => element("div", {}, element("dt", {}, title), element("dd", {}, value, text && element("span", { class: "quiet" }, ` ${text}`)));
  return element(
    "div",
    { class: "head" },
    element("h3", { id: `${id}-title` }, element("button", { type: "button", class: "name", "data-pipeline": name, "aria-expanded": isOpen ? "true" : "false", "aria-controls": `${id}-body` }, drawing("svg", { class: "chevron", viewBox: "0 0 12 12", "aria-hidden": "true" }, drawing("path", { d: "M4 2l4 4-4 4" })), element("span", {}, name))),
    state(pipeline),
    element(
      "dl",
      { class: "glance" },
      fact("read", `${rate(read.rate)}/s`),
      fact("written", `${rate(written.rate)}/s`),
      fact("dropped", `${rate(allDropped.rate)}/s`, isOpen || pipeline.outputs.length > 1 ? null : share(allDropped.total, read.total)),
      fact("behind", bytes(lagBytes), lagSeconds > 1 ? time(lagSeconds) : null),
    ),
    isOpen ? null : curve(history.points(`read ${name}`, now), now, { title: `events read a second by ${name}`, tone: "read", width: 120, height: 24 }),
  );
}

function state({ state, waiting, deadLetters, uploads }) {
  const isHeld = state === "running" && (waiting.length > 0 || deadLetters?.isHolding || uploads.some(({ isCircuitOpen }) => isCircuitOpen));
  const [text, level] = isHeld ? ["held up", "wrong"] : (STATES[state] ?? [state, "look"]);
  return element("p", { class: `state ${level}` }, mark(level), element("span", {}, text));
}

function body(pipeline, id, { history, unixNow, secrets }) {
  return [
    flow(pipeline, id),
    element(
      "div",
      { class: "cards" },
      books(pipeline),
      minutes(pipeline, history, seconds()),
      source(pipeline),
      truncation(pipeline),
      pipeline.uploads.map((upload) => uploads(pipeline, upload, secrets, unixNow)),
      failures(pipeline),
    ),
  ];
}
