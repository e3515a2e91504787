// What two scrapes say together: totals from the later one, rates from their difference.

const READ = "logweir_events_read_total";

/** Counters of which at least one goes back, or is gone, when another process answers. */
const TELLTALES = [READ, "logweir_bytes_read_total", "logweir_config_reloads_total"];

/** Drops that decode decides on: lines that are no events, and lines that are too long. */
export const NO_EVENTS = ["not_utf8", "not_json", "not_object", "oversized"];

/** Returns when the process was started, in Unix seconds. */
export function started(scrape) {
  return scrape.of("logweir_start_time_seconds")[0]?.value ?? null;
}

/** Tells whether a scrape is of a process that was started after the one of the scrape before. */
export function wasRestarted(before, now) {
  if (started(before) !== started(now)) return true;
  const same = (was) => (is) => Object.keys(was.labels).every((name) => was.labels[name] === is.labels[name]);
  return TELLTALES.some((name) =>
    ["", ...before.pipelines(name)].some((pipeline) =>
      before.of(name, pipeline).some((was) => {
        const is = now.of(name, pipeline).find(same(was));
        return !is || is.value < was.value;
      }),
    ),
  );
}

/** Two scrapes of a process, to be asked about together. */
class Pair {
  constructor(now, before, elapsed) {
    Object.assign(this, { now, before, elapsed });
  }

  /** Returns the sum of a counter over all series with these labels, and how fast it grows; null is a label that must be absent. */
  count(name, pipeline, labels = {}) {
    const total = sum(this.now.of(name, pipeline), labels);
    if (!this.before) return { total, rate: null };
    return { total, rate: Math.max(total - sum(this.before.of(name, pipeline), labels), 0) / this.elapsed };
  }

  /** Returns the sum of a gauge over all series with these labels; null if there are none. */
  gauge(name, pipeline, labels = {}) {
    const found = this.now.of(name, pipeline).filter((sample) => matches(sample, labels));
    return found.length === 0 ? null : sum(found, {});
  }

  /** Returns the values that a label has in series with these labels. */
  values(name, label, pipeline, labels = {}) {
    const found = this.now.of(name, pipeline).filter((sample) => matches(sample, labels));
    return [...new Set(found.map((sample) => sample.labels[label] ?? null))];
  }

  /** Returns the counts of a counter by the values of a label. */
  countsBy(name, label, pipeline, labels = {}) {
    const values = this.values(name, label, pipeline, labels).filter((value) => value !== null);
    return new Map(values.map((value) => [value, this.count(name, pipeline, { ...labels, [label]: value })]));
  }
}

function matches(sample, labels) {
  return Object.entries(labels).every(([name, value]) => (sample.labels[name] ?? null) === value);
}

function sum(samples, labels) {
  return samples.reduce((sum, sample) => (matches(sample, labels) ? sum + sample.value : sum), 0);
}

/** Returns several counts as one. */
export function added(counts) {
  const rates = counts.map((count) => count.rate);
  const rate = rates.some((rate) => rate === null) ? null : rates.reduce((sum, rate) => sum + rate, 0);
  return { total: counts.reduce((sum, count) => sum + count.total, 0), rate };
}

/** Returns what is left of a count when others are taken off. */
export function less(count, others) {
  const off = added(others);
  const rate = count.rate === null || off.rate === null ? null : Math.max(count.rate - off.rate, 0);
  return { total: Math.max(count.total - off.total, 0), rate };
}

/**
 * Returns all there is to see of a process: `outlines` is what /pipelines says, `before` a scrape that came `elapsed` seconds
 * earlier, or null.
 */
export function look(now, before, elapsed, outlines) {
  const pair = new Pair(now, before, elapsed);
  const known = new Map(outlines.map((outline) => [outline.name, outline]));
  const names = now.pipelines(READ);
  const rank = (name) => (known.get(name)?.state === "gone" ? 1 : 0);
  names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return {
    version: now.of("logweir_build_info")[0]?.labels.version ?? null,
    started: started(now),
    resident: pair.gauge("logweir_resident_memory_bytes", "") || null,
    reloads: pair.countsBy("logweir_config_reloads_total", "outcome", ""),
    isReloadRefused: pair.gauge("logweir_config_reload_success", "") === 0,
    taps: pair.gauge("logweir_taps", "") ?? 0,
    pipelines: names.map((name) => pipeline(pair, name, known.get(name) ?? null)),
  };
}

function pipeline(pair, name, outline) {
  const shared = { output: null };
  const count = (metric, labels) => pair.count(metric, name, labels);
  const gauge = (metric) => pair.gauge(metric, name);
  const state = outline?.state ?? (gauge("logweir_pipeline_running") ? "running" : gauge("logweir_pipeline_done") ? "finished" : "ended");
  const order = (output) => outline?.outputs.findIndex((known) => known.name === output) ?? -1;
  const inOrder = (outputs) => outputs.sort((a, b) => (order(a) < 0) - (order(b) < 0) || order(a) - order(b));
  const names = inOrder(pair.values("logweir_events_written_total", "output", name));
  const all = {
    name,
    outline,
    state,
    restarts: count("logweir_pipeline_restarts_total"),
    read: count(READ),
    bytesRead: count("logweir_bytes_read_total"),
    dropped: pair.countsBy("logweir_events_dropped_total", "reason", name, shared),
    ...cut(pair, name, null),
    lagBytes: gauge("logweir_source_lag_bytes"),
    lagSeconds: gauge("logweir_source_lag_seconds"),
    held: gauge("logweir_held_bytes"),
    heldLimit: gauge("logweir_held_limit_bytes"),
    waiting: pair.now.of("logweir_component_waiting", name).filter(({ value }) => value > 0).map(({ labels }) => labels.component),
    errors: errors(pair, name),
    undelivered: count("logweir_chunks_undelivered_total"),
    uploads: inOrder(pair.values("logweir_spool_batches", "output", name)).map((output) => upload(pair, name, output)),
    files: files(pair, name),
    deadLetters: deadLetters(pair, name),
  };
  const isSingle = names.includes(null);
  all.forwarded = isSingle ? null : count("logweir_events_forwarded_total", shared);
  all.outputs = names.map((output) => branch(pair, name, output, outline));
  all.channels = channels(pair, name, all);
  all.written = added(all.outputs.map((output) => output.written));
  all.inFlight = all.outputs.reduce((most, output) => Math.max(most, output.inFlight), 0);
  const own = all.outputs.filter((output) => output.name !== null);
  all.allDropped = added([...all.dropped.values(), ...own.flatMap((output) => [...output.dropped.values()])]);
  all.allFailed = added([all, ...own].map((part) => part.dropped.get("failed") ?? { total: 0, rate: 0 }));
  all.isBalanced = balance(all) === 0 && own.every((output) => outputBalance(output, all.forwarded) === 0);
  return all;
}

/** Returns what truncate stages did. */
function cut(pair, name, output) {
  const of = (metric, label) => pair.countsBy(metric, label, name, { output });
  return {
    truncated: pair.count("logweir_events_truncated_total", name, { output }),
    fields: of("logweir_truncated_characters_total", "field"),
    scripts: of("logweir_script_events_truncated_total", "script"),
  };
}

function branch(pair, name, output, outline) {
  const count = (metric) => pair.count(metric, name, { output });
  return {
    name: output,
    outline: outline?.outputs.find((known) => known.name === output) ?? null,
    received: count("logweir_events_received_total"),
    absent: count("logweir_events_absent_total"),
    written: count("logweir_events_written_total"),
    bytesWritten: count("logweir_bytes_written_total"),
    dropped: pair.countsBy("logweir_events_dropped_total", "reason", name, { output }),
    ...cut(pair, name, output),
    returned: count("logweir_events_returned_total"),
    kept: count("logweir_events_kept_total"),
    inFlight: pair.gauge("logweir_events_in_flight", name, { output }) ?? 0,
  };
}

/** Returns by how much the books of a pipeline, without those of its outputs, do not add up: 0 always. */
export function balance({ read, dropped, forwarded, outputs }) {
  const off = added([...dropped.values()]).total;
  if (forwarded) return read.total - off - forwarded.total;
  return outputs.reduce((rest, output) => rest - settled(output), read.total - off);
}

/** Returns by how much the books of an output do not add up: 0 always. */
export function outputBalance(output, forwarded) {
  const off = added([...output.dropped.values()]).total;
  const between = output.received.total + output.absent.total - forwarded.total;
  return between || output.received.total - off - settled(output);
}

function settled({ written, returned, kept, inFlight }) {
  return written.total + returned.total + kept.total + inFlight;
}

/**
 * Returns the channels of a pipeline. A wait is counted once it is over, so one that does not end is seen by this: batches lie
 * in the channel, and nothing comes out of what is to take them.
 */
function channels(pair, name, { read, outputs }) {
  const kinds = ["chunks", "payloads", "dead_letters"];
  const found = [...pair.now.of("logweir_channel_depth_batches", name)];
  found.sort((a, b) => kinds.indexOf(a.labels.channel) - kinds.indexOf(b.labels.channel));
  return found.map(({ labels, value }) => {
    const same = { channel: labels.channel, output: labels.output ?? null };
    const { rate } = pair.count("logweir_channel_wait_microseconds_total", name, same);
    const lay = pair.before?.of("logweir_channel_depth_batches", name).some((was) => matches(was, same) && was.value > 0) ?? false;
    const taken = labels.channel === "chunks" ? read : outputs.find((output) => output.name === same.output)?.written;
    const isStuck = labels.channel !== "dead_letters" && lay && value > 0 && taken?.rate === 0;
    return { name: same.channel, output: same.output, depth: value, waited: rate === null ? null : rate / 1e6, isStuck };
  });
}

function errors(pair, name) {
  return pair.now.of("logweir_component_errors_total", name).map(({ labels: { component, kind } }) => ({
    component,
    kind,
    count: pair.count("logweir_component_errors_total", name, { component, kind }),
  }));
}

function upload(pair, name, output) {
  const labels = { output };
  const gauge = (metric) => pair.gauge(metric, name, labels);
  const by = (metric, label) => pair.countsBy(metric, label, name, labels);
  const attempts = pair.now.of("logweir_uploads_total", name).filter((sample) => matches(sample, labels));
  const { sum, count, buckets } = durations(pair.now, name, labels);
  return {
    output,
    attempts: attempts.map(({ labels: { outcome, status } }) => ({
      outcome,
      status,
      count: pair.count("logweir_uploads_total", name, { output, outcome, status }),
    })),
    outcomes: by("logweir_uploads_total", "outcome"),
    batches: by("logweir_upload_batches_total", "outcome"),
    events: by("logweir_upload_events_total", "outcome"),
    recovered: pair.count("logweir_upload_recovered_events_total", name, labels),
    bytes: by("logweir_upload_bytes_total", "form"),
    isCircuitOpen: gauge("logweir_upload_circuit_open") === 1,
    lastComplete: gauge("logweir_upload_last_complete_timestamp_seconds") || null,
    lastError: gauge("logweir_upload_last_error_timestamp_seconds") || null,
    spoolBatches: gauge("logweir_spool_batches") ?? 0,
    spoolBytes: gauge("logweir_spool_bytes") ?? 0,
    damaged: pair.count("logweir_spool_damaged_batches_total", name, labels),
    duration: { sum, count, buckets },
  };
}

/** Returns a histogram: how many attempts took longer than the bound before and no longer than this one. */
function durations(now, name, labels) {
  const of = (suffix) => now.of(`logweir_upload_duration_seconds_${suffix}`, name).filter((sample) => matches(sample, labels));
  const cumulated = of("bucket").map((sample) => ({ bound: sample.labels.le === "+Inf" ? Infinity : Number(sample.labels.le), n: sample.value }));
  cumulated.sort((a, b) => a.bound - b.bound);
  const buckets = cumulated.map(({ bound, n }, i) => ({ bound, n: n - (cumulated[i - 1]?.n ?? 0) }));
  return { sum: of("sum")[0]?.value ?? 0, count: of("count")[0]?.value ?? 0, buckets };
}

/** Returns the bound under which a share of what a histogram counted lies; null if it counted nothing. */
export function quantile({ buckets, count }, share) {
  if (count === 0) return null;
  let n = 0;
  for (const bucket of buckets) {
    n += bucket.n;
    if (n >= share * count) return bucket.bound;
  }
  return Infinity;
}

function files(pair, name) {
  const followed = pair.gauge("logweir_followed_files", name);
  if (followed === null) return null;
  return {
    followed,
    open: pair.gauge("logweir_followed_files_open", name) ?? 0,
    rotations: pair.countsBy("logweir_file_rotations_total", "kind", name),
    lost: pair.count("logweir_files_lost_total", name),
    lostBytes: pair.count("logweir_files_lost_bytes_total", name),
    reread: pair.count("logweir_files_reread_total", name),
    unfinished: pair.count("logweir_lines_unfinished_total", name),
    skipped: pair.count("logweir_files_skipped_zero_bytes_total", name),
  };
}

function deadLetters(pair, name) {
  const holding = pair.gauge("logweir_dead_letter_holding", name);
  if (holding === null) return null;
  const count = (metric) => pair.count(metric, name);
  return {
    isHolding: holding > 0,
    lines: count("logweir_dead_letter_lines_total"),
    bytes: count("logweir_dead_letter_bytes_total"),
  };
}
