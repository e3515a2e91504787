// Judges what is seen: what is wrong now, what is to be looked at, and what to do about either.

import { bytes, grouped, share, things, time } from "./amount.js";
import { NO_EVENTS } from "./view.js";

/** From how much of the time on a sender that waits is worth a word. */
const MUCH_WAITING = 0.5;

/** From how old on what is not delivered is worth a word, in seconds. */
const LATE = 60;

/** From which share on lines that are no events are worth a word. */
const MANY_MALFORMED = 0.01;

/** What /readyz begins with where it tells of a reload; a pipeline may be called `configuration` too. */
const REFUSED = "configuration: the last reload was refused: ";

/** What statuses of uploads mean; others below 1000 are those of HTTP. */
const STATUSES = {
  1101: "nobody takes the connection",
  1102: "no connection in time",
  1103: "TLS did not come about",
  1104: "the connection was closed",
  1105: "the host has no address",
  1106: "nothing moved for too long",
  1107: "the answer is none of what was asked",
  1108: "this machine could not ask",
};

/** Returns what a status of an upload means. */
export function meaning(status) {
  if (STATUSES[status]) return STATUSES[status];
  const code = Number(status);
  if (code >= 200 && code < 300) return "taken";
  if (code === 401 || code === 403) return "the credentials are refused";
  if (code === 404) return "there is no such place";
  if (code === 408 || code === 429) return "the destination is busy";
  if (code >= 500 && code < 600) return "the destination itself fails";
  return "refused";
}

/**
 * Returns what is to be said of what is seen, the worst first, each with its level: `wrong` holds now and keeps something from
 * being done, `look` has happened and somebody should know of it, `note` is worth knowing. `readiness` is what /readyz says.
 */
export function findings(view, readiness) {
  const present = view.pipelines.filter((pipeline) => pipeline.state !== "gone");
  const found = [
    ...obstacles(view, readiness, present),
    ...reload(view, readiness),
    ...present.flatMap(ofPipeline),
    // What was lost stays lost when a reload takes the pipeline away.
    ...view.pipelines.flatMap((pipeline) => losses(pipeline)),
  ];
  const levels = ["wrong", "look", "note"];
  return found.sort((a, b) => levels.indexOf(a.level) - levels.indexOf(b.level));
}

/** Returns all in one sentence. */
export function headline(found, view) {
  const count = (level) => found.filter((finding) => finding.level === level).length;
  const [wrong, look] = [count("wrong"), count("look")];
  if (view.pipelines.length === 0) return { level: "wrong", text: "Nothing runs yet" };
  if (wrong > 0) return { level: "wrong", text: wrong === 1 ? "Something is wrong" : `${wrong} things are wrong` };
  if (look > 0) return { level: "look", text: look === 1 ? "It runs; one thing is to be looked at" : `It runs; ${look} things are to be looked at` };
  return { level: "well", text: "All is well" };
}

/** What to do about an obstacle, by what its text or its component says; the first that fits. */
const ADVICE = [
  [/^dead_letter/, "The source waits, so nothing is lost. Move or empty the dead-letter file, or make room on its disk: it is tried again every few seconds."],
  [/: circuit open since /, "Nothing is lost: batches wait on the disk, and then the source waits. Mend the destination; the oldest batch goes first, and the rest follow."],
  [/no space left|disk full|quota|ENOSPC/i, "Make room on that disk: it goes on within seconds."],
  [/permission denied/i, "Give the user that logweir runs as the right to it. Where it waits, it goes on by itself."],
  [/reject|refus/, "The destination will not take a batch as it is. Mend what the text says; it is tried again, and others go on."],
  [/waits to be started again/, "It is opened again from its last positions, after a pause. If this stays, the log says what fails each time."],
  [/not running/, "It has ended, or could not be opened. The log says why; start the process again, or reload, once that is mended."],
];

/** Returns the lines of /readyz that say what is in the way. */
function obstacles(view, { isReady, lines }, pipelines) {
  if (isReady === null) return [];
  const names = pipelines.map((pipeline) => pipeline.name).sort((a, b) => b.length - a.length);
  // Why a reload was refused comes last, and may take several lines.
  const at = refusal(view, lines);
  const told = (at < 0 ? lines : lines.slice(0, at)).filter((line) => line !== "ready" && line !== "nothing runs yet");
  return told.map((line) => {
    const pipeline = names.find((name) => line.startsWith(`${name}: `)) ?? null;
    const what = pipeline === null ? line : line.slice(pipeline.length + 2);
    const known = ADVICE.find(([pattern]) => pattern.test(what));
    return { level: "wrong", pipeline, what, advice: known?.[1] ?? "It goes on trying where that can help. The log has the same text, and what came before it." };
  });
}

/** Returns at which line /readyz begins to say why a reload was refused; -1 if it does not. */
function refusal(view, lines) {
  return view.isReloadRefused ? lines.findIndex((line) => line.startsWith(REFUSED)) : -1;
}

function reload(view, { lines }) {
  if (!view.isReloadRefused) return [];
  const at = refusal(view, lines);
  const why = at < 0 ? "the last reload was refused" : `the last reload was refused: ${lines.slice(at).join("\n").slice(REFUSED.length)}`;
  const advice = "What ran before still runs, as it was. Either a file has a mistake, which `logweir check` names too: mend it and send SIGHUP again. Or the change needs a restart, as the text says.";
  return [{ level: "wrong", pipeline: null, what: why, advice }];
}

/** Returns what holds now of a pipeline that runs. */
function ofPipeline(pipeline) {
  const { name, read, dropped, lagSeconds, lagBytes, uploads, files } = pipeline;
  const found = [];
  const say = (level, what, advice) => found.push({ level, pipeline: name, what, advice });
  if (!pipeline.isBalanced) {
    say("wrong", "the books do not add up", "This must not happen, whatever the input is: keep /metrics and the log, and report it.");
  }
  if (pipeline.deadLetters?.isHolding && !pipeline.waiting.includes("dead_letter")) {
    say("wrong", "the dead-letter file is full or cannot be written, and holds the source", ADVICE[0][1]);
  }
  uploads.filter((upload) => upload.lastError !== null && !upload.isCircuitOpen).forEach((upload) => {
    const failing = [...new Set(upload.attempts.filter(({ outcome, count }) => outcome !== "ok" && count.rate > 0).map(({ status }) => `${status}, ${meaning(status)}`))];
    const now = failing.length > 0 ? ` (${failing.join("; ")})` : "";
    say("look", `the last upload${of(upload.output)} failed${now}`, "It is tried again. The text of the error is below, for who has the token.");
  });
  if (pipeline.state === "running" && files?.followed === 0) {
    say("look", "no file is there that `include` matches", "A path may be wrong, or relative to another directory than was meant; or nothing has been written yet.");
  }
  if (lagSeconds > LATE) {
    say("look", `it is ${time(lagSeconds)} and ${bytes(lagBytes)} behind`, "Look for the part that others wait for: its sender is marked in the flow. What is behind is not lost.");
  }
  const malformed = NO_EVENTS.reduce((sum, reason) => sum + (dropped.get(reason)?.total ?? 0), 0);
  if (malformed > 0 && malformed >= read.total * MANY_MALFORMED) {
    say("look", `${things(malformed, "line is no event", "lines are no events")}, ${share(malformed, read.total)} of what was read`, "Something else writes to the same place, or cuts lines: a `dead_letter` file keeps them, and `logweir tap --after decode --dropped` shows them.");
  }
  slowest(pipeline).forEach(({ level, what, advice }) => say(level, what, advice));
  return found;
}

/** Returns which part others wait for, if they do for much of the time or for good. */
function slowest({ channels }) {
  const stuck = channels.filter(({ name, isStuck }) => name === "payloads" && isStuck);
  if (stuck.length > 0) {
    return stuck.map(({ output, depth }) => ({
      level: "look",
      what: `the sink${of(output)} takes nothing: ${things(depth, "batch waits", "batches wait")} for it, and the source waits too`,
      advice: "Standard output: its reader does not read. A file: the disk does not answer. What waits is not lost.",
    }));
  }
  const slow = channels.filter(({ name, waited }) => name === "payloads" && waited >= MUCH_WAITING);
  if (slow.length > 0) {
    return slow.map(({ output }) => ({
      level: "note",
      what: `the sink${of(output)} is the slowest part: others wait for it`,
      advice: "That is no fault as long as what is behind does not grow. Standard output: its reader is slow. A file: the disk. An upload: the destination.",
    }));
  }
  if (!channels.some(({ name, waited }) => name === "chunks" && waited >= MUCH_WAITING)) return [];
  return [{ level: "note", what: "decoding is the slowest part: the source waits for it", advice: "`limits.decoders` may be raised up to the cores that are free." }];
}

/** Returns what is lost, or may be, since the process was started. */
function losses({ name, allFailed, uploads, files, dropped, restarts }) {
  const found = [];
  const say = (level, what, advice) => found.push({ level, pipeline: name, what, advice });
  if (allFailed.total > 0) {
    say("look", `${things(allFailed.total, "event has failed", "events have failed")}: not written, and never will be`, "The log names the sink and the cause. Once that is gone, run their input again.");
  }
  if (files?.lost.total > 0) {
    say("look", `${things(files.lost.total, "file was lost", "files were lost")} before it was read to its end: ${bytes(files.lostBytes.total)}, as far as is known`, "Rotate less often, or keep a rotated file for longer than it may take to be read.");
  }
  if (dropped.get("oversized")?.total > 0) {
    say("look", `${things(dropped.get("oversized").total, "line is", "lines are")} longer than an event may be`, "Raise `limits.max_event_bytes`, and `held_bytes` with it.");
  }
  if (restarts.total > 0) {
    say("look", `it was opened again ${things(restarts.total, "time")} after a failure`, "The disk failed to sync: look at the kernel's log. What was acked is not affected.");
  }
  for (const { output, batches, damaged } of uploads) {
    const rejected = batches.get("rejected")?.total ?? 0;
    if (rejected > 0) {
      say("look", `${things(rejected, "batch", "batches")}${of(output)} ${rejected === 1 ? "was" : "were"} refused for good, and given up`, "Their events have failed. `on_reject: hold` keeps such batches instead.");
    }
    if (damaged.total > 0) {
      say("look", `${things(damaged.total, "batch", "batches")} in the spool${of(output)} ${damaged.total === 1 ? "was" : "were"} found damaged`, "Where files are followed, their events were read again. The damaged files lie beside, as `.damaged`.");
    }
  }
  return found;
}

function of(output) {
  return output === null ? "" : ` of output ${output}`;
}

/** Returns that nothing is wrong, with the numbers that say so. */
export function reassurance(view) {
  const running = view.pipelines.filter((pipeline) => pipeline.state === "running");
  const books = view.pipelines.reduce((sum, pipeline) => sum + pipeline.read.total, 0);
  return `${things(running.length, "pipeline runs", "pipelines run")}; ${grouped(books)} events read, and every one accounted for.`;
}
