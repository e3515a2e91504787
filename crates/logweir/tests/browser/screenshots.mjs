// Makes the pictures of docs/status-page.md: of real pipelines with traffic, in light and dark, wide and narrow.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

import { open, Place, startBrowser, TOKEN, traffic, until } from "./rig.mjs";

const [target, warmUp = "45"] = process.argv.slice(2);
fs.mkdirSync(target, { recursive: true });

const follow = (name) => `source: {file: {include: ["in/${name}*.ndjson"]}}\nstate_dir: state\n`;

const SHOP = `${follow("shop")}
stages:
  - filter: {where: {key: ScriptName, operator: "!eq", value: geo-router}}
  - sample: {rate: 0.25, key: Event.RayID, always_keep: {where: {key: Outcome, operator: "!eq", value: ok}}}
  - truncate: {limit: 2048, max_scripts: 20}
sink: {file: {path: out/shop.ndjson}}
dead_letter: {file: {path: out/no-events.txt}}
`;

const edge = (url) => `${follow("edge")}
stages:
  - truncate: {limit: 16384}
outputs:
  - name: archive
    sink: {http: {url: "${url}/in", upload: {max_events: 1500, max_interval: 2s, first_pause: 200ms, longest_pause: 1s}}}
  - name: on-call
    stages:
      - filter: {where: {key: Outcome, operator: "!eq", value: ok}}
    sink: {file: {path: out/on-call.ndjson}}
`;

const place = new Place();
const browser = await startBrowser();
let answer = () => ({ status: 200 });
try {
  let n = 0;
  // Now and then it is busy, as destinations are.
  const url = await place.destination(() => (answer === well && ++n % 13 === 0 ? { status: 503, text: "SlowDown" } : answer()));
  function well() {
    return { status: 200 };
  }
  answer = well;
  const daemon = await place.daemon({ "shop.yaml": SHOP, "edge.yaml": edge(url) });
  traffic(place, "in/shop.ndjson", 2400);
  traffic(place, "in/edge.ndjson", 700);
  await until("it flows", async () => (await daemon.metric("logweir_events_read_total")) > 20_000);
  const { page } = await open(browser, daemon, { viewport: { width: 1360, height: 900 }, deviceScaleFactor: 1 });
  await page.waitForTimeout(Number(warmUp) * 1000);
  await shot(page, "light-wide", "light", 1360);
  await shot(page, "dark-wide", "dark", 1360);
  await shot(page, "light-narrow", "light", 390, 1900);
  await shot(page, "dark-narrow", "dark", 390, 1900);

  answer = () => ({ status: 503, text: "the bucket is read-only while it is moved" });
  await until("it fails", async () => (await daemon.metric("logweir_upload_circuit_open")) === 1);
  await page.setViewportSize({ width: 1360, height: 900 });
  await page.locator("#token-text").fill(TOKEN);
  await page.keyboard.press("Enter");
  await page.locator(".error-text").waitFor();
  await page.setViewportSize({ width: 1360, height: 900 });
  await page.waitForTimeout(6000);
  await page.evaluate(() => window.scrollTo(0, 0));
  await shot(page, "wrong-light", "light", 1360, 700);
  await shot(page, "wrong-dark", "dark", 1360, 700);
} finally {
  await browser.close();
  await place.end();
}

/** Takes a picture of the page, of all of it or of what is above `height`. */
async function shot(page, name, colorScheme, width, height) {
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height: 900 });
  await page.waitForTimeout(1200);
  const file = path.join(target, `status-page-${name}.png`);
  const clip = height && { x: 0, y: 0, width, height };
  await page.screenshot({ path: file, fullPage: true, clip });
  // Few colours, and many pictures.
  execFileSync("pngquant", ["--force", "--skip-if-larger", "--speed", "1", "--output", file, "128", file]);
  console.log(`${file}: ${Math.round(fs.statSync(file).size / 1024)} KiB`);
}
