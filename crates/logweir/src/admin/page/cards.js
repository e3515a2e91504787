// What stands below the flow of a pipeline: its books, its last minutes, its source and memory, what was cut, what failed.

import { bytes, grouped, rate, share, things, time } from "./amount.js";
import { drawing, element } from "./element.js";
import { FIELDS, fieldName, reasonName, REASONS } from "./flow.js";
import { curve, most } from "./history.js";
import { added, balance, outputBalance } from "./view.js";

/** The most scripts that are listed; /metrics has them all. */
const MAX_SCRIPTS = 8;

/** Returns a card with a heading. */
export function card(title, key, ...children) {
  return element("section", { class: `card ${key.split(" ")[0]}`, "data-key": key, "aria-label": title }, element("h4", {}, title), children);
}

/** Returns a table: `head` and each row are lists of cells, of which the first is a heading. */
export function table(caption, head, rows) {
  const cells = ([first, ...rest]) => [element("th", { scope: "row" }, first), rest.map((cell) => element("td", {}, cell))];
  return element(
    "div",
    { class: "scroll" },
    element(
      "table",
      {},
      element("caption", { class: "unseen" }, caption),
      element("thead", {}, element("tr", {}, head.map((cell) => element("th", { scope: "col" }, cell)))),
      element("tbody", {}, rows.map(({ cells: row, tone }) => element("tr", { class: tone }, cells(row)))),
    ),
  );
}

/** Returns a heading for those who cannot see what stands below it. */
function unseen(text) {
  return element("span", { class: "unseen" }, text);
}

/** Returns a list of names and what they are; what is null or undefined is left out. */
export function list(facts) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== false);
  return element("dl", { class: "list" }, known.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

/** Returns what became of every event that was read. */
export function books(pipeline) {
  const { read, dropped, forwarded, outputs } = pipeline;
  const head = () => [unseen("what"), "events", "share", "a second"];
  const row = (name, count, whole, tone) => ({ cells: [name, grouped(count.total), share(count.total, whole.total), rate(count.rate)], tone });
  const drops = (part, stages, whole) => worthRows(part, stages).map(([reason, count]) => row(reasonName(reason), count, whole));
  const verbs = pipeline.outline?.stages ?? [];
  const own = pipeline.outline?.outputs.find(({ name }) => name === null)?.stages ?? [];
  const shared = [row("read", read, read, "whole"), ...drops(dropped, [...verbs, ...own], read)];
  if (forwarded === null) {
    const rows = [...shared, ...outputs.flatMap((output) => settled(output, read, row))];
    return card("The books", "books", table(`What became of the events of ${pipeline.name}`, head(), rows), adds(balance(pipeline)));
  }
  const tables = outputs.map((output) => [
    element("h5", {}, output.name, output.outline ? "" : " (taken away by a reload)"),
    table(`What became of the events that came to output ${output.name}`, head(), [
      row("received", output.received, output.received, "whole"),
      ...drops(output.dropped, output.outline?.stages ?? [], output.received),
      ...settled(output, output.received, row),
      ...(output.absent.total > 0 ? [row("absent: forwarded while it was not there", output.absent, forwarded)] : []),
    ]),
    adds(outputBalance(output, forwarded)),
  ]);
  const rows = [...shared, row("forwarded to the outputs", forwarded, read)];
  return card("The books", "books", table(`What became of the events of ${pipeline.name}`, head(), rows), adds(balance(pipeline)), tables);
}

/** Returns the drops that are worth a row, in the order in which they happen: what a stage decides, and what has happened. */
function worthRows(dropped, stages) {
  const known = [...REASONS.keys()].filter((reason) => dropped.has(reason)).map((reason) => [reason, dropped.get(reason)]);
  const rest = [...dropped].filter(([reason]) => !REASONS.has(reason));
  const decides = { filtered: "filter", sampled_out: "sample" };
  return [...known, ...rest].filter(([reason, count]) => count.total > 0 || stages.includes(decides[reason]));
}

function settled(output, whole, row) {
  const { written, returned, kept, inFlight } = output;
  return [
    row("written", written, whole),
    ...(returned.total > 0 ? [row("returned, to be read again", returned, whole)] : []),
    ...(kept.total > 0 ? [row("kept for the next run", kept, whole)] : []),
    { cells: ["in flight", grouped(inFlight), share(inFlight, whole.total), ""] },
  ];
}

function adds(rest) {
  if (rest === 0) return element("p", { class: "adds" }, element("span", { "aria-hidden": "true" }, "✓ "), "It adds up, to the event.");
  return element("p", { class: "adds bad" }, element("span", { "aria-hidden": "true" }, "✕ "), `It does not add up: ${things(Math.abs(rest), "event")} ${rest > 0 ? "missing" : "too many"}.`);
}

/** Returns the curves of the last minutes. */
export function minutes(pipeline, history, now) {
  const rows = [
    ["read", "read", "events read a second"],
    ["written", "written", "events written a second"],
    ["dropped", "dropped", "events dropped a second"],
  ].map(([tone, what, title]) => {
    const points = history.points(`${what} ${pipeline.name}`, now);
    return element("div", { class: "minute" }, element("p", {}, `${what}/s`, element("span", { class: "quiet" }, `at most ${rate(most(points))}`)), curve(points, now, { title, tone }));
  });
  return card("The last minutes", "minutes", rows);
}

/** Returns how the source is, what of it waits, and what that takes. */
export function source(pipeline) {
  const { lagBytes, lagSeconds, held, heldLimit, files, undelivered, deadLetters, channels } = pipeline;
  const isPlain = files === null && deadLetters === null;
  return card(
    "Source and memory",
    "source",
    list([
      ["not delivered yet", lagBytes === null ? null : bytes(lagBytes)],
      ["the oldest of it", lagSeconds === null ? null : lagSeconds > 0 ? `${time(lagSeconds)} old` : "nothing waits"],
      ["chunks undelivered", undelivered.total > 0 ? grouped(undelivered.total) : null],
      ["held in memory", held === null ? null : [`${bytes(held)} of ${bytes(heldLimit)}`, meter(held, heldLimit)]],
    ]),
    channels.length > 0 && table("Channels: batches that wait, and how much of the time senders wait because they are full", ["channel", "waiting", "senders wait"], channels.map(channelRow)),
    isPlain ? null : list([...followed(files), ...dead(deadLetters)]),
  );
}

function channelRow({ name, output, depth, waited, isStuck }) {
  const isSlow = isStuck || waited >= 0.05;
  const text = isStuck ? "all the time" : waited === null ? rate(null) : `${Math.round(waited * 100)} %`;
  return { cells: [output === null ? name : `${name}: ${output}`, grouped(depth), text], tone: isSlow ? "slow" : null };
}

/** Returns how full something is, as a bar. */
function meter(value, limit) {
  const width = limit > 0 ? Math.min(value / limit, 1) * 100 : 0;
  return drawing("svg", { class: "meter", viewBox: "0 0 100 4", preserveAspectRatio: "none", role: "img", "aria-label": `${share(value, limit)} full` }, drawing("rect", { class: "ground", width: 100, height: 4 }), drawing("rect", { class: "fill", width: width.toFixed(2), height: 4 }));
}

function followed(files) {
  if (!files) return [];
  const seen = [...files.rotations].filter(([, count]) => count.total > 0).map(([kind, count]) => `${kind.replace("_", " ")} ${grouped(count.total)}`);
  return [
    ["files followed", `${grouped(files.followed)}, ${grouped(files.open)} of them open`],
    ["rotations", seen.length > 0 ? seen.join(", ") : "none"],
    ["files lost", files.lost.total > 0 ? `${grouped(files.lost.total)}, ${bytes(files.lostBytes.total)}` : "none"],
    ["read again", files.reread.total > 0 ? things(files.reread.total, "file") : null],
    ["lines cut off", files.unfinished.total > 0 ? grouped(files.unfinished.total) : null],
    ["zero bytes skipped", files.skipped.total > 0 ? bytes(files.skipped.total) : null],
  ];
}

function dead(deadLetters) {
  if (!deadLetters) return [];
  const { lines, bytes: size, isHolding } = deadLetters;
  return [["dead letters", `${things(lines.total, "line")}, ${bytes(size.total)}${isHolding ? ": FULL OR FAILING, and holds the source" : ""}`]];
}

/** Returns what truncate cut; null where there is no such stage. */
export function truncation(pipeline) {
  const { outline, outputs } = pipeline;
  const parts = [pipeline, ...outputs.filter(({ name }) => name !== null)];
  const has = (part) => part.truncated.total > 0 || (part.outline?.stages ?? []).includes("truncate");
  const cutting = parts.filter((part) => has(part) || (part === pipeline && outline?.outputs.some(({ name, stages }) => name === null && stages.includes("truncate"))));
  if (cutting.length === 0) return null;
  return card("Truncated", "truncated", cutting.map((part) => [part === pipeline ? null : element("h5", {}, part.name), cuts(part, part === pipeline ? pipeline.read : part.received)]));
}

function cuts({ truncated, fields, scripts }, whole) {
  const row = (name, count, of) => ({ cells: [name, grouped(count.total), of ? share(count.total, of.total) : "", rate(count.rate)] });
  const removed = [...FIELDS.keys()].map((field) => [field, fields.get(field)]).filter(([, count]) => count?.total > 0);
  const rows = [row("events cut", truncated, whole), ...removed.map(([field, count]) => row(`removed of ${fieldName(field)}`, count))];
  const list = [...scripts].filter(([, count]) => count.total > 0).sort(([, a], [, b]) => b.total - a.total);
  const all = added(list.map(([, count]) => count));
  const more = list.length > MAX_SCRIPTS ? element("p", { class: "quiet" }, `and ${things(list.length - MAX_SCRIPTS, "script")} more; /metrics has them all`) : null;
  return [
    table("What truncate has cut", [unseen("what"), "in all", "share", "a second"], rows),
    list.length > 0 && table("Events cut, by script", ["script", "events cut", "of those cut", "a second"], list.slice(0, MAX_SCRIPTS).map(([script, count]) => row(script, count, all))),
    more,
  ];
}

/** Returns what has failed in components; null if nothing has. */
export function failures({ errors, waiting, name }) {
  const seen = errors.filter(({ count }) => count.total > 0);
  if (seen.length === 0 && waiting.length === 0) return null;
  const rows = seen.map(({ component, kind, count }) => ({ cells: [component, kind, grouped(count.total), rate(count.rate)] }));
  return card(
    "Failures",
    "failures",
    waiting.map((component) => element("p", { class: "alarm" }, `${component} is held up, and goes on trying.`)),
    rows.length > 0 && table(`Failures of components of ${name}, troubles that were waited out included`, ["component", "kind", "times", "a second"], rows),
  );
}
