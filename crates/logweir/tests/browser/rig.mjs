// Starts the real program, gives it something to read, and looks at its page with a real browser.

import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

// What is installed lies elsewhere: nothing is written into the sources.
const installed = createRequire(path.join(process.env.LOGWEIR_NODE_MODULES, "node_modules/"));
const { chromium } = installed("playwright-core");

/** The text of axe-core, which judges how accessible a page is. */
export const AXE = fs.readFileSync(installed.resolve("axe-core/axe.min.js"), "utf8");

/** How long anything may take, in milliseconds: far more than it needs, on a busy machine. */
const SOON = 60_000;

/** What opens `/uploads`. */
export const TOKEN = "a-token-of-tests";

/** Waits until `look` returns something. */
export async function until(what, look) {
  const deadline = Date.now() + SOON;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A directory of a test, and what runs in it. */
export class Place {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "logweir-page-"));
  #ends = [];

  path(name) {
    return path.join(this.dir, name);
  }

  write(name, text) {
    fs.mkdirSync(path.dirname(this.path(name)), { recursive: true });
    fs.writeFileSync(this.path(name), text);
  }

  append(name, text) {
    fs.mkdirSync(path.dirname(this.path(name)), { recursive: true });
    fs.appendFileSync(this.path(name), text);
  }

  /** Has something done when the test is over. */
  after(end) {
    this.#ends.push(end);
  }

  /** Ends all that was begun, the latest first. */
  async end() {
    for (const end of this.#ends.reverse()) await end();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  /** Starts the program with pipeline files, given by their names, and waits for its endpoint. */
  async daemon(files, { listen = "127.0.0.1:0" } = {}) {
    const names = Object.keys(files);
    const admin = `admin: {listen: "${listen}", token: ${TOKEN}}\n`;
    names.forEach((name) => this.write(name, `${files[name]}\n${admin}`));
    const daemon = new Daemon(this, names, admin);
    await daemon.start();
    this.after(() => daemon.kill());
    return daemon;
  }

  /** Starts a destination for uploads, whose answers are those of `answer`: a status and a text. */
  async destination(answer) {
    const server = http.createServer((request, response) => {
      request.resume().on("end", () => {
        const { status = 200, text = "" } = answer();
        response.writeHead(status, { "content-type": "text/plain" }).end(text);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    this.after(() => server.closeAllConnections() ?? server.close());
    return `http://127.0.0.1:${server.address().port}`;
  }
}

/** A run of the program. */
export class Daemon {
  #log = "";

  constructor(place, names, admin) {
    Object.assign(this, { place, names, admin });
  }

  async start() {
    const args = ["run", "--log-format", "json", "--summary", "json", ...this.names];
    const env = { ...process.env, RUST_LOG: "info" };
    this.#log = "";
    this.child = spawn(process.env.LOGWEIR, args, { cwd: this.place.dir, env, stdio: ["pipe", "pipe", "pipe"] });
    this.child.stderr.on("data", (data) => (this.#log += data));
    // Who has gone takes no more of what it is to read.
    this.child.stdin.on("error", () => {});
    const line = await until("it listens", () => {
      if (this.child.exitCode !== null) throw new Error(this.#log);
      return this.#log.split("\n").find((line) => line.includes("the admin endpoint listens"));
    });
    this.url = `http://${JSON.parse(line).address}`;
  }

  /** Returns what a path answers. */
  async get(path, headers = {}) {
    return fetch(this.url + path, { headers });
  }

  /** Returns the sum of a metric over all series with these labels. */
  async metric(name, ...labels) {
    const lines = (await (await this.get("/metrics")).text()).split("\n");
    const found = lines.filter((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)));
    return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  }

  /** Waits until a metric has a value. */
  async waitFor(name, value, ...labels) {
    await until(`${name} is ${value}`, async () => (await this.metric(name, ...labels)) === value);
  }

  /** Has it read a changed configuration. */
  reload(name, text) {
    this.place.write("new", `${text}\n${this.admin}`);
    fs.renameSync(this.place.path("new"), this.place.path(name));
    this.child.kill("SIGHUP");
  }

  async kill() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill("SIGKILL");
    await once(this.child, "exit");
  }
}

/** Starts a browser, which is the system's. */
export async function startBrowser() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** Opens the page, and keeps what the browser complains of and whom it asks. */
export async function open(browser, daemon, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const seen = { complaints: [], hosts: new Set() };
  page.on("console", (said) => {
    if (["error", "warning"].includes(said.type())) seen.complaints.push(said.text());
  });
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  page.on("request", (request) => seen.hosts.add(new URL(request.url()).origin));
  page.setDefaultTimeout(SOON);
  await page.goto(daemon.url);
  await page.locator("#verdict h2").waitFor();
  await page.locator("#totals .tile").first().waitFor();
  return { page, context, seen };
}

/** Waits until an element of the page has a text that `fits`. */
export async function untilText(locator, fits) {
  let text = "";
  try {
    return await until("the text", async () => {
      text = (await locator.count()) > 0 ? await locator.first().innerText() : "(not there)";
      return fits(text) ? text : null;
    });
  } catch {
    throw new Error(`in vain, it is: ${text}`);
  }
}

const WORKERS = ["checkout", "catalog-api", "image-resizer", "auth-gateway", "session-store", "geo-router"];

/** Returns an event as Workers have it; what it is hangs on its number alone. */
export function event(n) {
  const random = (salt) => ((Math.imul(n ^ (salt * 0x9e3779b1), 0x85ebca6b) >>> 0) % 1000) / 1000;
  const script = WORKERS[Math.floor(random(1) ** 1.6 * WORKERS.length)];
  const [isBad, isLong] = [random(2) < 0.06, random(3) < 0.05];
  const log = (text) => ({ Level: "log", Message: [text], TimestampMs: 1_790_000_000_000 + n });
  return JSON.stringify({
    DispatchNamespace: "",
    Event: {
      RayID: `8f${n.toString(16).padStart(14, "0")}`,
      Request: { Method: random(4) < 0.7 ? "GET" : "POST", URL: `https://shop.example/${script}/${n % 997}` },
      Response: { Status: isBad ? 500 : 200 },
    },
    EventTimestampMs: Date.now(),
    EventType: "fetch",
    Exceptions: isBad ? [{ Name: "TypeError", Message: "x is not a function ".repeat(isLong ? 60 : 2), TimestampMs: 1_790_000_000_000 }] : [],
    Logs: [log(`served in ${n % 40} ms`), ...(isLong ? [log("cart: item ".repeat(400))] : [])],
    Outcome: isBad ? "exception" : "ok",
    ScriptName: script,
    ScriptTags: [],
  });
}

/** Returns numbered events, each on a line. */
export function events(from, n) {
  return Array.from({ length: n }, (_, i) => `${event(from + i)}\n`).join("");
}

/** Appends events to a file, so many a second, until the test is over; now and then a line that is none. */
export function traffic(place, name, perSecond) {
  let n = 0;
  place.append(name, "");
  const timer = setInterval(() => {
    const wave = 1 + 0.25 * Math.sin(Date.now() / 9000) + 0.12 * Math.sin(Date.now() / 1300);
    const many = Math.round((perSecond / 10) * wave);
    place.append(name, events(n, many) + (n % 7 === 0 ? "GET / 200 plain text of some other program\n" : ""));
    n += many;
  }, 100);
  place.after(() => clearInterval(timer));
  return () => clearInterval(timer);
}
