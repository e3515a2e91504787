// The status page in a browser, beside real pipelines: what it shows is what they do, for everybody who looks.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { AXE, event, events, open, Place, startBrowser, TOKEN, traffic, until, untilText } from "./rig.mjs";

const NULL = 'sink: {"null": {}}\n';
const FILE = "sink: {file: {path: out/out.ndjson}}\n";
const FOLLOW = 'source: {file: {include: ["in/*"]}}\nstate_dir: state\n';

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser.close());

/** Runs a test in a place of its own, which is cleared away whatever comes of it. */
function inPlace(name, run) {
  test(name, async () => {
    const place = new Place();
    try {
      await run(place);
    } finally {
      await place.end();
    }
  });
}

/** Returns the box of a step, given what it is. */
const box = (page, kind) => page.locator(".step").filter({ has: page.locator(".kind", { hasText: new RegExp(`^${kind}$`) }) });

/** Returns a row of a table, given its heading. */
const row = (page, name) => page.getByRole("row").filter({ has: page.getByRole("rowheader", { name, exact: true }) }).first();

/** Checks that the browser had nothing to complain of and asked nobody else. */
function checkQuiet(seen, daemon, allowed = []) {
  const complaints = seen.complaints.filter((text) => !allowed.some((pattern) => pattern.test(text)));
  assert.deepEqual(complaints, []);
  assert.deepEqual([...seen.hosts], [daemon.url]);
}

inPlace("at rest each number is that of the metrics, and the books add up", async (place) => {
  place.write("in/a.ndjson", events(0, 5000) + "no event\n[]\n" + `{"long":"${"x".repeat(30_000)}"}\n`);
  const stages = `stages:
  - filter: {where: {key: ScriptName, operator: "!eq", value: geo-router}}
  - sample: {rate: 0.5, key: Event.RayID}
  - truncate: {limit: 1000, max_scripts: 10}
limits: {max_event_bytes: 20 KiB, chunk_bytes: 16 KiB}
`;
  const daemon = await place.daemon({ "shop.yaml": FOLLOW + stages + FILE });
  await daemon.waitFor("logweir_events_read_total", 5003);
  await daemon.waitFor("logweir_events_in_flight", 0);
  const { page, seen } = await open(browser, daemon);
  const dropped = (reason) => daemon.metric("logweir_events_dropped_total", `reason="${reason}"`);
  const grouped = (n) => n.toString().replace(/\B(?=(\d{3})+$)/g, ",");

  for (const [kind, reason, name] of [["decode", "not_json", "not JSON"], ["decode", "not_object", "no object"], ["decode", "oversized", "oversized"], ["stage 1", "filtered", "filtered"], ["stage 2", "sampled_out", "sampled out"]]) {
    const n = await dropped(reason);
    assert.ok(n > 0, reason);
    const drop = box(page, kind).locator(".drops li").filter({ hasText: name });
    await untilText(drop, (text) => text.includes(`${grouped(n)} in all`));
    await untilText(row(page, name), (text) => text.includes(grouped(n)));
  }
  const written = await daemon.metric("logweir_events_written_total");
  const cut = await daemon.metric("logweir_events_truncated_total");
  const removed = await daemon.metric("logweir_truncated_characters_total", 'field="log_messages"');
  assert.ok(written > 0 && cut > 0 && removed > 0);
  await untilText(row(page, "read"), (text) => text.includes("5,003"));
  await untilText(row(page, "written"), (text) => text.includes(grouped(written)));
  await untilText(row(page, "events cut"), (text) => text.includes(grouped(cut)));
  await untilText(box(page, "stage 3"), (text) => text.includes(`${grouped(cut)} in all`) && text.includes(`${grouped(removed)} in all`));
  await untilText(row(page, "checkout"), (text) => /\d/.test(text));
  await untilText(page.locator(".adds"), (text) => text.includes("adds up"));
  assert.deepEqual(await page.locator(".step .kind").allInnerTexts(), ["source", "decode", "stage 1", "stage 2", "stage 3", "encode", "sink"]);
  // Lines of another program are no fault of the daemon's, but one in a thousand of them is none to tell of.
  await untilText(page.locator("#verdict h2"), (text) => text.includes("to be looked at"));
  assert.match(await page.locator(".finding").first().innerText(), /1 line is longer than an event may be/);
  checkQuiet(seen, daemon);
});

inPlace("while events flow the numbers move, and fall to nothing when they stop", async (place) => {
  const daemon = await place.daemon({ "shop.yaml": FOLLOW + FILE });
  const stop = traffic(place, "in/a.ndjson", 800);
  const { page, seen } = await open(browser, daemon);
  const rateOf = async () => Number((await box(page, "source").locator(".out b").innerText()).replaceAll(",", ""));
  await until("events are seen to be read", async () => (await rateOf()) > 100);
  const first = await row(page, "read").innerText();
  await untilText(row(page, "read"), (text) => text !== first);
  await page.locator(".pipe.flowing").first().waitFor();
  await until("the curve grows", async () => (await page.locator(".tile.read polyline").getAttribute("points"))?.split(" ").length > 3);
  await untilText(page.locator("#verdict h2"), (text) => text === "All is well");
  stop();
  await until("nothing is read", async () => (await rateOf()) === 0);
  await until("nothing moves", async () => (await page.locator(".pipe.flowing").count()) === 0);

  await page.getByRole("button", { name: "Pause" }).click();
  await untilText(page.locator(".live"), (text) => text === "paused");
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  const written = await daemon.metric("logweir_events_written_total");
  place.append("in/a.ndjson", events(0, 10));
  await daemon.waitFor("logweir_events_written_total", written + 10);
  assert.deepEqual(asked, []);
  await page.getByRole("button", { name: "Pause" }).click();
  await untilText(row(page, "written"), (text) => text.includes((written + 10).toLocaleString("en")));
  checkQuiet(seen, daemon);
});

inPlace("each output is drawn with its own stages, and adds up for itself", async (place) => {
  place.write("in/a.ndjson", events(0, 1000));
  const outputs = `outputs:
- name: all
  sink: {"null": {}}
- name: on-call
  stages: [filter: {where: {key: Outcome, operator: "!eq", value: ok}}]
  sink: {file: {path: out/on-call.ndjson}}
`;
  const daemon = await place.daemon({ "shop.yaml": FOLLOW + outputs });
  await daemon.waitFor("logweir_events_read_total", 1000);
  const { page, seen } = await open(browser, daemon);
  const branches = page.locator(".branch");
  assert.deepEqual(await branches.nth(0).locator(".kind").allInnerTexts(), ["output", "encode", "sink"]);
  assert.deepEqual(await branches.nth(1).locator(".kind").allInnerTexts(), ["output", "stage 1", "encode", "sink"]);
  const filtered = await daemon.metric("logweir_events_dropped_total", 'output="on-call"', 'reason="filtered"');
  await untilText(branches.nth(1).locator(".drops"), (text) => filtered > 0 && text.includes(`${filtered} in all`));
  assert.equal(await page.locator(".adds").count(), 3);
  assert.equal(await page.locator(".adds.bad").count(), 0);

  // What a reload brings is drawn; what it takes away keeps its numbers.
  daemon.reload("shop.yaml", FOLLOW + outputs.replace("name: all", "name: every"));
  await untilText(branches.nth(0).locator(".branch-name"), (text) => text.includes("every"));
  await untilText(page.locator(".card.books"), (text) => text.includes("all (taken away by a reload)"));
  daemon.reload("shop.yaml", "sink: 7\n");
  await untilText(page.locator("#verdict"), (text) => text.includes("the last reload was refused") && text.includes("send SIGHUP again"));
  assert.equal(await page.locator(".finding.wrong").count(), 1);
  checkQuiet(seen, daemon);
});

inPlace("a sink that nobody reads is seen to hold up all others", async (place) => {
  const yaml = "source: {stdin: {}}\nlimits: {chunk_bytes: 16 KiB, held_bytes: 1 MiB}\nsink: {stdout: {}}\n";
  const daemon = await place.daemon({ "shop.yaml": yaml });
  // Nobody takes what it writes.
  daemon.child.stdout.pause();
  daemon.child.stdin.write(events(0, 40_000));
  const { page, seen } = await open(browser, daemon);
  await untilText(page.locator(".step.sink .pipe.full"), (text) => /\d+ stuck/.test(text));
  await untilText(page.locator("#verdict"), (text) => /the sink takes nothing: \d+ batches wait for it/.test(text));
  await until("the batches that wait are shown", async () => {
    const waiting = await daemon.metric("logweir_channel_depth_batches", 'channel="payloads"');
    return waiting > 0 && (await row(page, "payloads").innerText()).includes(waiting.toString()) && (await row(page, "payloads").innerText()).includes("all the time");
  });
  assert.match(await page.locator(".step.sink .pipe .unseen").innerText(), /channel payloads: \d+ batches wait; nobody takes them/);
  daemon.child.stdout.resume();
  await untilText(row(page, "written"), (text) => text.includes("40,000"));
  await untilText(page.locator("#verdict h2"), (text) => text === "All is well");
  checkQuiet(seen, daemon);
});

inPlace("an upload that fails is told, and why only to who has the token", async (place) => {
  let answer = { status: 500, text: "<img src=x onerror=alert(1)> the disk of the destination is full" };
  const url = await place.destination(() => answer);
  const upload = "upload: {max_events: 100, max_interval: 50ms, first_pause: 5ms, longest_pause: 50ms}";
  place.write("in/a.ndjson", events(0, 300));
  // What /readyz says of such a pipeline looks like what it says of a reload that was refused.
  const daemon = await place.daemon({ "shop.yaml": `name: configuration\n${FOLLOW}sink: {http: {url: "${url}/in", ${upload}}}\n` });
  const { page, seen } = await open(browser, daemon);
  await untilText(page.locator("#verdict h2"), (text) => text === "Something is wrong");
  await untilText(page.locator(".finding.wrong"), (text) => text.includes("circuit open") && text.includes("Nothing is lost"));
  const uploads = page.locator(".card.uploads");
  await untilText(uploads, (text) => text.includes("retry attempts") && text.includes("500, the destination itself fails"));
  await untilText(page.locator(".step.sink"), (text) => text.includes("held up"));
  assert.equal(await page.locator(".error-text").count(), 0);

  await page.getByLabel("Token").fill("not-the-token-at-all");
  await page.getByRole("button", { name: "Show the texts" }).click();
  await untilText(page.locator("#token-state"), (text) => text.includes("That is not the token"));
  assert.equal(await page.locator(".error-text").count(), 0);
  await page.getByLabel("Token").fill(TOKEN);
  await page.keyboard.press("Enter");
  await untilText(page.locator(".error-text"), (text) => text.includes("<img src=x onerror=alert(1)> the disk"));
  assert.equal(await page.locator("#pipelines img").count(), 0);
  const kept = await page.evaluate(() => [...Object.values(localStorage), ...Object.values(sessionStorage), document.cookie, location.href, document.documentElement.outerHTML].join(" "));
  assert.ok(!kept.includes(TOKEN));
  await page.getByRole("button", { name: "Forget the token" }).click();
  await until("the text is gone", async () => (await page.locator(".error-text").count()) === 0);

  answer = { status: 200 };
  await untilText(page.locator("#verdict h2"), (text) => text === "All is well");
  await untilText(uploads, (text) => text.includes("none since the last success") && text.includes("100 % of 3 batches") && text.includes("300 uploaded"));
  // The browser says of the answers it is refused, and of those that /readyz has while something is wrong, that they failed.
  checkQuiet(seen, daemon, [/the server responded with a status of (401|503)/]);
});

inPlace("a daemon that is killed is missed, and one that is started again is known", async (place) => {
  place.write("in/a.ndjson", events(0, 500));
  const listener = await freePort();
  const daemon = await place.daemon({ "shop.yaml": FOLLOW + FILE }, { listen: `127.0.0.1:${listener}` });
  await daemon.waitFor("logweir_events_written_total", 500);
  const { page } = await open(browser, daemon);
  await untilText(row(page, "written"), (text) => text.includes("500"));
  await daemon.kill();
  await untilText(page.locator("#verdict"), (text) => text.includes("The daemon does not answer") && text.includes("The numbers below are the last ones"));
  assert.match(await row(page, "written").innerText(), /500/);
  await until("what is old is dimmed", () => page.evaluate(() => Number(getComputedStyle(document.getElementById("totals")).opacity) < 1));
  await untilText(page.locator(".live"), (text) => text === "no answer");
  assert.equal(await page.locator("#said").innerText(), "The daemon does not answer");

  await daemon.start();
  await untilText(page.locator("#verdict"), (text) => text.includes("The process was started again"));
  await untilText(page.locator("#verdict h2"), (text) => text === "All is well");
  await until("it is bright again", () => page.evaluate(() => getComputedStyle(document.getElementById("totals")).opacity === "1"));
});

/** Returns a port that nobody listens on. */
async function freePort() {
  const { createServer } = await import("node:net");
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.on("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

inPlace("everybody can use it: accessible, by keyboard, light and dark, on a phone", async (place) => {
  place.write("in/a.ndjson", events(0, 2000) + "no event\n");
  const name = `a-pipeline-with-${"a-very-".repeat(14)}long-name`;
  const yaml = `name: ${name}\n${FOLLOW}stages: [truncate: {limit: 100, max_scripts: 5}]\noutputs:\n- {name: one-${"long-".repeat(20)}name, sink: {"null": {}}}\n- {name: two, sink: {directory: {path: objects, upload: {max_events: 500}}}}\ndead_letter: {file: {path: dead}}\n`;
  place.write("objects/.keep", "");
  const daemon = await place.daemon({ "shop.yaml": yaml });
  await daemon.waitFor("logweir_upload_events_total", 2000, 'outcome="uploaded"');
  const { page, seen } = await open(browser, daemon, { reducedMotion: "reduce" });
  await page.locator(".card.uploads .bars").waitFor();

  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 700, 360]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      const [scrolled, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(scrolled <= shown, `${width}: ${scrolled} wide`);
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
      const found = violations.map(({ id, nodes }) => `${colorScheme} ${width} ${id}: ${nodes.map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ""}`).join("\n")}`);
      assert.deepEqual(found, []);
    }
  }
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.emulateMedia({ colorScheme: "light" });
  const light = await ground();
  assert.notEqual(dark, light);
  const theme = page.getByRole("button", { name: /^Theme/ });
  await theme.click();
  await theme.click();
  assert.equal(await theme.innerText(), "Theme: dark");
  assert.equal(await ground(), dark);
  await page.reload();
  assert.equal(await ground(), dark);
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);

  // All that can be used is reached by Tab, in the order in which it stands, and the focus stays while numbers change.
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.locator(".head button.name").waitFor();
  const walked = [];
  for (let n = 0; n < 12; n += 1) {
    await page.keyboard.press("Tab");
    const where = await page.evaluate(() => {
      const { tagName, id, className, textContent, href } = document.activeElement;
      return tagName === "BODY" ? null : id || (href ?? (className || textContent));
    });
    if (where === null) break;
    walked.push(where);
  }
  assert.deepEqual(walked.slice(0, 4), [`${daemon.url}/#pipelines`, "pause", "theme", "name"]);
  assert.ok(walked.includes("token-text"), walked.join());
  const button = page.locator(".head button.name");
  await button.focus();
  const read = await row(page, "read").innerText();
  place.append("in/a.ndjson", event(7) + "\n");
  await untilText(row(page, "read"), (text) => text !== read);
  assert.ok(await button.evaluate((button) => button === document.activeElement));
  await page.keyboard.press("Enter");
  assert.equal(await button.getAttribute("aria-expanded"), "false");
  assert.equal(await page.locator(".flow").count(), 0);
  await page.keyboard.press("Space");
  assert.equal(await button.getAttribute("aria-expanded"), "true");
  await page.locator(".flow").waitFor();
  checkQuiet(seen, daemon);
});

inPlace("names are only ever texts, whatever stands in them", async (place) => {
  const hostile = ['<img src=x onerror="window.hit=1">', "</script><script>window.hit=1</script>", '"} 1\nlogweir_events_read_total{pipeline="fake"} 9', "\\", "‮evil"];
  const lines = hostile.map((name) => JSON.stringify({ ScriptName: name, Outcome: "ok", Logs: [{ Message: ["a long text"] }] }));
  place.write("in/a.ndjson", `${lines.join("\n")}\n`.repeat(50));
  const daemon = await place.daemon({ "shop.yaml": `${FOLLOW}stages: [truncate: {limit: 2, max_scripts: 9}]\n${NULL}` });
  await daemon.waitFor("logweir_events_written_total", 250);
  const { page, seen } = await open(browser, daemon);
  await untilText(page.locator(".card.truncated"), (text) => hostile.slice(0, 2).every((name) => text.includes(name)));
  await untilText(page.locator(".card.truncated"), (text) => text.includes("50"));
  assert.equal(await page.locator(".pipeline").count(), 1);
  assert.equal(await page.evaluate(() => window.hit), undefined);
  assert.equal(await page.locator("#pipelines img, #pipelines script").count(), 0);
  // The policy would keep even a mistake from becoming a script.
  const refused = await page.evaluate(() => {
    try {
      document.body.innerHTML = "<p>no</p>";
      return false;
    } catch {
      return true;
    }
  });
  assert.ok(refused);
  checkQuiet(seen, daemon, [/Trusted ?(Types|HTML|Type)/i]);
});

inPlace("dozens of pipelines are a list, each opened by who wants to see it", async (place) => {
  const files = {};
  for (let n = 10; n < 50; n += 1) {
    files[`p${n}.yaml`] = `source: {file: {include: ["in/${n}"]}}\nstate_dir: state\n${NULL}`;
    place.write(`in/${n}`, events(n, n));
  }
  const daemon = await place.daemon(files);
  await daemon.waitFor("logweir_events_written_total", 30 * 40 - 20);
  const { page, seen } = await open(browser, daemon);
  assert.equal(await page.locator(".pipeline").count(), 40);
  assert.equal(await page.locator(".flow").count(), 0);
  await untilText(page.locator("#verdict"), (text) => text.includes("40 pipelines run"));
  await page.getByRole("button", { name: "p42", exact: true }).click();
  await untilText(row(page, "written"), (text) => text.includes("42"));
  assert.equal(await page.locator(".flow").count(), 1);
  checkQuiet(seen, daemon);
});

inPlace("nobody reads it through a name that he made mean this machine", async (place) => {
  const daemon = await place.daemon({ "shop.yaml": FOLLOW + NULL });
  const { port } = new URL(daemon.url);
  const { chromium } = browser.browserType ? { chromium: browser.browserType() } : {};
  const rebound = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"],
  });
  try {
    const page = await rebound.newPage();
    const answer = await page.goto(`http://evil.example:${port}/`);
    assert.equal(answer.status(), 421);
    const read = await page.evaluate(async () => (await fetch("/metrics")).text());
    assert.ok(!read.includes("logweir_events"), read);
    // Nor does a page of another site that asks by the right name.
    const foreign = await page.evaluate(async (url) => fetch(`${url}/metrics`).then(() => "read", () => "refused"), daemon.url);
    assert.equal(foreign, "refused");
  } finally {
    await rebound.close();
  }
});
