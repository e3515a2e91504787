// Numbers as a person reads them in passing: the same in each country, and the same as `logweir top` shows.

/** What is shown where there is no number yet. */
export const NONE = "–";

/** Returns a rate of things, short: 0, 0.5, 37, 9,999, 12.3k, 4.56M. */
export function rate(value) {
  if (value === null || value === undefined) return NONE;
  if (value === 0) return "0";
  if (value < 9.95) return value.toFixed(1);
  if (value < 9999.5) return grouped(value);
  return scaled(value, 1000, ["", "k", "M", "G", "T", "P"]);
}

/** Returns a number of bytes, short: 512 B, 12.3 KiB, 4.00 GiB. */
export function bytes(value) {
  if (value === null || value === undefined) return NONE;
  if (value < 999.5) return `${value.toFixed(0)} B`;
  return scaled(value, 1024, [" B", " KiB", " MiB", " GiB", " TiB", " PiB"]);
}

/** Returns a whole number with commas between its thousands. */
export function grouped(value) {
  if (value === null || value === undefined) return NONE;
  const whole = value < 1e15 ? Math.round(value).toString() : BigInt(Math.round(value)).toString();
  return whole.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Returns a span of time in seconds, short: 0.3 s, 12 s, 4 min 05 s, 3 h 07 min, 2 d 04 h. */
export function time(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  const two = (value) => Math.floor(value).toString().padStart(2, "0");
  if (seconds < 9.95) return `${Math.max(seconds, 0).toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${two((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${two((seconds % 86400) / 3600)} h`;
}

/** Returns how long something took, as precise as such times are: 4 ms, 120 ms, 2.5 s. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  return seconds < 1 ? `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms` : time(seconds);
}

/** Returns a part of a whole in per cent: never 0 % of what is there, and never 100 % of what is not all. */
export function share(part, whole) {
  if (!(whole > 0)) return NONE;
  const percent = (part / whole) * 100;
  if (part === 0) return "0 %";
  if (percent < 0.01) return "< 0.01 %";
  if (percent > 99.99 && part < whole) return "> 99.99 %";
  const digits = percent < 10 ? 2 : percent < 100 ? 1 : 0;
  return `${percent.toFixed(digits)} %`.replace(/^100\.0 %/, "99.9 %");
}

/** Returns a moment in Unix seconds as a date and a time, in UTC. */
export function moment(unix) {
  const date = new Date(unix * 1000);
  if (Number.isNaN(date.getTime())) return NONE;
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Returns a number of things with their name: 1 batch, 2 batches. */
export function things(value, one, many = `${one}s`) {
  return `${grouped(value)} ${Math.round(value) === 1 ? one : many}`;
}

function scaled(value, base, units) {
  let unit = 0;
  // 999.5 would be shown with four digits.
  while (value >= 999.5 && unit + 1 < units.length) {
    value /= base;
    unit += 1;
  }
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return value.toFixed(digits) + units[unit];
}
