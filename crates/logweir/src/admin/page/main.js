// The status page: asks the process each second how it is, and shows it. It never tells the process anything.

import { element, morph } from "./element.js";
import { pipelines, processLine, totals, verdict } from "./layout.js";
import { Secrets } from "./uploads.js";
import { Watch } from "./watch.js";

/** Up to so many pipelines are shown in full at first. */
const SHOWN_IN_FULL = 2;

const THEMES = ["system", "light", "dark"];
const THEME_KEY = "logweir-theme";

const at = (id) => document.getElementById(id);

/** The names of the pipelines that are shown in full; null before any was seen. */
let open = null;

const watch = new Watch(show);
const secrets = new Secrets(show);

/** Makes an element hold these children. */
function fill(id, children) {
  const next = at(id).cloneNode(false);
  next.append(...children.flat(Infinity).filter((child) => child instanceof Node));
  morph(at(id), next);
}

function show() {
  const judged = verdict(watch);
  document.documentElement.classList.toggle("stale", watch.lost !== null && watch.view !== null);
  document.title = title(judged);
  // Set only when it is another one, so that it is read out once.
  if (at("said").textContent !== judged.said) at("said").textContent = judged.said;
  fill("process", processLine(watch));
  fill("verdict", [judged.drawn]);
  if (!watch.view) return;
  open ??= new Set(watch.view.pipelines.length <= SHOWN_IN_FULL ? watch.view.pipelines.map(({ name }) => name) : []);
  fill("totals", totals(watch));
  fill("pipelines", pipelines(watch, open, secrets));
  showToken();
}

function title({ level, text }) {
  const signs = { well: "✓", look: "!", wrong: "✕", lost: "…" };
  return `${signs[level]} ${text} · logweir at ${location.host}`;
}

function showToken() {
  const uploading = watch.view.pipelines.some(({ uploads }) => uploads.length > 0);
  at("token").hidden = !uploading && !secrets.hasToken();
  at("token-forget").hidden = !secrets.hasToken();
  const failing = secrets.told?.filter(({ error_message }) => error_message !== null).length ?? 0;
  const told = secrets.told && (failing > 0 ? "The texts of the last errors stand with the uploads above." : "No upload fails now: there are no texts to show.");
  fill("token-state", [element("span", { class: secrets.problem ? "alarm" : null }, secrets.problem ?? told ?? "")]);
}

function isOnThisMachine() {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(location.hostname);
}

/** Shows light, dark, or what the system has. */
function useTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  at("theme").textContent = `Theme: ${theme}`;
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // Where nothing may be stored, it holds for this page.
  }
}

function knownTheme() {
  try {
    const known = localStorage.getItem(THEME_KEY);
    return THEMES.includes(known) ? known : "system";
  } catch {
    return "system";
  }
}

at("theme").addEventListener("click", () => {
  const now = document.documentElement.dataset.theme ?? "system";
  useTheme(THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]);
});

at("pause").addEventListener("click", () => {
  watch.pause(!watch.isPaused);
  at("pause").setAttribute("aria-pressed", String(watch.isPaused));
  show();
});

at("pipelines").addEventListener("click", ({ target }) => {
  const name = target.closest("button[data-pipeline]")?.dataset.pipeline;
  if (name === undefined || !open) return;
  if (!open.delete(name)) open.add(name);
  show();
});

at("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = at("token-text").value.trim();
  at("token-text").value = "";
  if (text !== "") secrets.use(text);
});

at("token-forget").addEventListener("click", () => secrets.use(null));

at("token-warning").hidden = location.protocol !== "http:" || isOnThisMachine();
useTheme(knownTheme());
watch.start();
