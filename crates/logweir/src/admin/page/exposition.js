// Reads the text format of Prometheus, as /metrics answers in it.

const LABEL = /([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES = { "\\n": "\n", '\\"': '"', "\\\\": "\\" };

/** The values of one scrape. */
export class Scrape {
  /** By metric, and by pipeline within it; what is of no pipeline stands under "". */
  #families = new Map();

  /** Reads a scrape; a line that is no sample is passed over. */
  constructor(text) {
    for (const line of text.split("\n")) {
      const sample = line === "" || line.startsWith("#") ? null : parseSample(line);
      if (sample) this.#add(sample);
    }
  }

  #add({ name, labels, value }) {
    let family = this.#families.get(name);
    if (!family) this.#families.set(name, (family = new Map()));
    const pipeline = labels.pipeline ?? "";
    if (!family.has(pipeline)) family.set(pipeline, []);
    family.get(pipeline).push({ labels, value });
  }

  /** Returns the samples of a metric that are of a pipeline, or of none. */
  of(name, pipeline = "") {
    return this.#families.get(name)?.get(pipeline) ?? [];
  }

  /** Returns the pipelines that a metric tells of. */
  pipelines(name) {
    return [...(this.#families.get(name)?.keys() ?? [])];
  }

  /** Tells whether there is anything in it. */
  isEmpty() {
    return this.#families.size === 0;
  }
}

/** Returns a sample, or null if the line is none. */
function parseSample(line) {
  const space = line.lastIndexOf(" ");
  const value = number(line.slice(space + 1));
  const brace = line.indexOf("{");
  if (space <= 0 || value === null) return null;
  if (brace < 0 || brace > space) return { name: line.slice(0, space), labels: {}, value };
  const labels = Object.create(null);
  for (const [, name, text] of line.slice(brace + 1, space).matchAll(LABEL)) {
    labels[name] = text.replace(/\\[\\n"]/g, (escape) => ESCAPES[escape]);
  }
  return { name: line.slice(0, brace), labels, value };
}

function number(text) {
  if (text === "+Inf") return Infinity;
  const value = Number(text);
  return text === "" || Number.isNaN(value) ? null : value;
}
