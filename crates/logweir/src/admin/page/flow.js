// Draws the way of a pipeline's events as boxes in their order: what comes out of each, and what was dropped there and why.

import { bytes, grouped, rate, share, things, time } from "./amount.js";
import { element } from "./element.js";
import { less, NO_EVENTS } from "./view.js";

/** From how much of the time on a channel that is full is drawn as one. */
const MUCH_WAITING = 0.05;

/** The reasons for drops in words, in the order in which they happen. */
export const REASONS = new Map([
  ["not_utf8", "not UTF-8"],
  ["not_json", "not JSON"],
  ["not_object", "no object"],
  ["oversized", "oversized"],
  ["filtered", "filtered"],
  ["sampled_out", "sampled out"],
  ["failed", "failed"],
]);

/** What truncate cuts, in words. */
export const FIELDS = new Map([
  ["exception_names", "exception names"],
  ["exception_messages", "exception messages"],
  ["log_messages", "log messages"],
]);

/** Returns a reason for a drop in words. */
export function reasonName(reason) {
  return REASONS.get(reason) ?? reason;
}

/** Returns what truncate cuts, in words. */
export function fieldName(field) {
  return FIELDS.get(field) ?? field;
}

/** Returns the flow of a pipeline. */
export function flow(pipeline, id) {
  const { outline, read } = pipeline;
  if (!outline) return element("p", { class: "quiet" }, "What it is made of is not known.");
  const drops = NO_EVENTS.map((reason) => [reason, pipeline.dropped.get(reason)]).filter(([, count]) => count);
  const decoded = less(read, drops.map(([, count]) => count));
  const chunks = channel(pipeline, "chunks", null);
  const isSingle = outline.outputs.length === 1 && outline.outputs[0].name === null;
  const verbs = isSingle ? [...outline.stages, ...outline.outputs[0].stages] : outline.stages;
  const shared = stages(verbs, pipeline, decoded, read);
  const steps = [
    source(pipeline),
    step({ kind: "decode", title: "find events", out: decoded, drops, whole: read, before: chunks, facts: deadLetters(pipeline) }),
    ...shared.steps,
  ];
  const branches = outline.outputs.map((output) => branch(pipeline, output, isSingle ? shared.out : null, isSingle ? read : null));
  const isShort = [steps, ...branches.map(({ steps }) => steps)].every(({ length }) => length <= 3);
  return element(
    "figure",
    { class: `flow${isShort && !isSingle ? " short" : ""}`, "aria-labelledby": `${id}-flow` },
    element("figcaption", { id: `${id}-flow`, class: "unseen" }, `The way of the events of ${pipeline.name}, in order, with rates of the last seconds`),
    element("div", { class: "ways" }, element("ol", { class: "steps" }, steps, isSingle ? branches[0].steps : null), isSingle ? null : fork(pipeline, branches)),
  );
}

function fork(pipeline, branches) {
  const text = `to each of ${things(branches.length, "output")}: ${rate(pipeline.forwarded?.rate)} events/s`;
  const drawn = branches.map(({ name, steps }) =>
    element("li", { class: "branch", "data-key": name }, element("h4", { class: "branch-name" }, element("span", { class: "kind" }, "output"), " ", name), element("ol", { class: "steps" }, steps)),
  );
  return element("div", { class: "fork" }, element("p", { class: "fork-text" }, text), element("ol", { class: "branches" }, drawn));
}

/** Returns the steps of an output; of a single one, with what comes to it and the whole that shares are of. */
function branch(pipeline, outline, arrives, whole) {
  const output = pipeline.outputs.find((known) => known.name === outline.name);
  const own = output ?? { dropped: new Map(), truncated: none(), fields: new Map(), scripts: new Map(), received: none(), absent: none(), written: none(), bytesWritten: none(), returned: none(), kept: none(), inFlight: 0 };
  const received = arrives ?? own.received;
  const of = whole ?? received;
  // The stages of a single sink are the pipeline's, and were drawn there.
  const { steps, out } = stages(arrives ? [] : outline.stages, own, received, of);
  const payloads = channel(pipeline, "payloads", outline.name);
  steps.push(step({ kind: "encode", title: "for the sink", out, whole: of, drops: [], facts: [] }), sink(pipeline, outline, own, of, payloads));
  return { name: outline.name, steps };
}

function none() {
  return { total: 0, rate: null };
}

function source(pipeline) {
  const { outline, lagBytes, lagSeconds, files, read, bytesRead } = pipeline;
  const facts = [
    ["behind", lagBytes === null ? null : lagBytes > 0 || lagSeconds > 0 ? `${bytes(lagBytes)}, ${time(lagSeconds)}` : "nothing"],
    ["files", files && `${grouped(files.followed)} followed`],
  ];
  const title = { stdin: "standard input", file: outline.follows ? "files, followed" : "files, read once" }[outline.source] ?? outline.source;
  return step({ kind: "source", title, out: read, volume: bytesRead, drops: [], facts, waits: waits(pipeline, `source.${outline.source}`) });
}

/** Returns the stages of a list, and what comes out of the last. */
function stages(verbs, numbers, arrives, whole) {
  let out = arrives;
  const steps = verbs.map((verb, n) => {
    const isLast = verbs.lastIndexOf(verb) === n;
    const same = verbs.filter((other) => other === verb).length;
    const reason = { filter: "filtered", sample: "sampled_out" }[verb];
    const count = reason && numbers.dropped.get(reason);
    const facts = [];
    if (same > 1) facts.push(["counted", isLast ? `for all ${same} of this kind` : `with stage ${verbs.lastIndexOf(verb) + 1}`]);
    if (verb === "truncate" && isLast) facts.push(...cuts(numbers));
    if (!isLast) return step({ kind: `stage ${n + 1}`, title: verb, out: null, drops: [], facts, whole });
    if (count) out = less(out, [count]);
    return step({ kind: `stage ${n + 1}`, title: verb, out, drops: count ? [[reason, count]] : [], facts, whole });
  });
  return { steps, out };
}

function cuts({ truncated, fields }) {
  const removed = [...fields].filter(([, count]) => count.total > 0);
  return [
    ["events cut", `${rate(truncated.rate)}/s, ${grouped(truncated.total)} in all`],
    ...removed.map(([field, count]) => [fieldName(field), `${rate(count.rate)}/s, ${grouped(count.total)} in all`]),
  ];
}

function deadLetters({ deadLetters }) {
  if (!deadLetters) return [];
  return [["dead letters", `${grouped(deadLetters.lines.total)} kept${deadLetters.isHolding ? "; the file holds the source" : ""}`]];
}

function sink(pipeline, outline, output, whole, before) {
  const failed = (outline.name === null ? pipeline : output).dropped.get("failed") ?? none();
  const upload = pipeline.uploads.find((upload) => upload.output === outline.name);
  const drops = [["failed", failed]];
  const titles = { stdout: "standard output", null: "nowhere", http: "HTTP" };
  const title = titles[outline.sink] ?? outline.sink;
  const facts = [
    ["in flight", things(output.inFlight, "event")],
    ["in the spool", upload && outline.uploads && `${things(upload.spoolBatches, "batch", "batches")}, ${bytes(upload.spoolBytes)}`],
    ["returned", output.returned.total > 0 && `${grouped(output.returned.total)}, to be read again`],
    ["kept", output.kept.total > 0 && `${grouped(output.kept.total)} for the next run`],
    ["absent", output.absent.total > 0 && `${grouped(output.absent.total)} before it was there`],
  ];
  return step({ kind: "sink", title, out: output.written, volume: output.bytesWritten, word: "written", drops, facts, whole, before, waits: waits(pipeline, outline.component) });
}

function waits({ waiting }, component) {
  return waiting.includes(component);
}

function channel({ channels }, name, output) {
  return channels.find((channel) => channel.name === name && channel.output === output) ?? null;
}

/** Returns a box, with the pipe that leads to it. */
function step({ kind, title, out, volume, drops, facts, whole, before, word = "events", waits: isWaiting }) {
  const shown = drops.filter(([reason, count]) => count.total > 0 || reason === "filtered" || reason === "sampled_out");
  return element(
    "li",
    { class: `step ${kind.split(" ")[0]}${isWaiting ? " held" : ""}` },
    kind === "source" ? null : pipe(before, out),
    element(
      "div",
      { class: "box" },
      element("p", { class: "what" }, element("span", { class: "kind" }, kind), " ", element("b", { class: "title" }, title)),
      out && element("p", { class: "out" }, element("b", {}, rate(out.rate)), ` ${word}/s`),
      volume && element("p", { class: "volume" }, `${bytes(volume.rate)}/s`),
      isWaiting ? element("p", { class: "alarm" }, "held up, and goes on trying") : null,
      element("dl", { class: "facts" }, facts.filter(([, text]) => text).map(([name, text]) => element("div", {}, element("dt", {}, name), element("dd", {}, text)))),
      shown.length > 0 ? element("ul", { class: "drops", "aria-label": "dropped here" }, shown.map(([reason, count]) => drop(reason, count, whole))) : null,
    ),
  );
}

function drop(reason, count, whole) {
  const isBad = reason === "failed" && count.total > 0;
  return element(
    "li",
    { class: isBad ? "bad" : null, "data-key": reason },
    element("span", { class: "reason" }, reasonName(reason)),
    element("span", { class: "drop-rate" }, `${rate(count.rate)}/s`),
    element("span", { class: "drop-share" }, `${grouped(count.total)} in all, ${share(count.total, whole.total)}`),
  );
}

/** Returns what leads to a box: a channel that may fill up, or a step within a lane. */
function pipe(channel, out) {
  const waited = channel?.waited ?? 0;
  const isStuck = channel?.isStuck ?? false;
  const isFull = isStuck || waited >= MUCH_WAITING;
  const isFlowing = out?.rate > 0;
  const percent = `${Math.round(waited * 100)} %`;
  const text = channel && `${things(channel.depth, "batch waits", "batches wait")}${isStuck ? "; nobody takes them" : isFull ? `; senders wait ${percent} of the time` : ""}`;
  return element(
    "div",
    { class: `pipe${isFull ? " full" : ""}${isFlowing ? " flowing" : ""}${channel ? " channel" : ""}`, title: text },
    channel && element("span", { class: "depth" }, element("span", { class: "unseen" }, `channel ${channel.name}: ${text}`), element("span", { "aria-hidden": "true" }, isStuck ? `${grouped(channel.depth)} stuck` : isFull ? `waits ${percent}` : channel.depth > 0 ? grouped(channel.depth) : "")),
  );
}
