// Which code each action was made from: a strip over time for each episode that has codes, in step with the video.

const LEGEND_CODES = 16; // listed in a legend; the others are counted
const LIGHTNESS = [0.58, 0.82, 0.46, 0.7];
let strips = []; // functions that show a time of the video, one for each strip

// A code has the same colour on every page; steps of the golden angle make those of neighbouring codes very different.
function codeColour(code) {
  return `oklch(${LIGHTNESS[code % LIGHTNESS.length]} 0.14 ${((code * 137.508) % 360).toFixed(1)})`;
}

const codeName = (code) => (code < 0 ? "no code" : `code ${code}`);

// [code, steps] pairs with the first step of each run, and its start and end [s].
function codeRuns(codes) {
  let first = 0;
  return codes.runs.map(([code, steps]) => {
    const run = { code, steps, first, from: first * codes.step_s, until: (first + steps) * codes.step_s };
    first += steps;
    return run;
  });
}

function runText(run) {
  const steps = run.steps === 1 ? `step ${run.first}` : `steps ${run.first} to ${run.first + run.steps - 1}`;
  return `${codeName(run.code)}, ${steps}, ${run.from.toFixed(2)} to ${run.until.toFixed(2)} s`;
}

function coloured(element, code) {
  if (code >= 0) element.style.background = codeColour(code);
  return element;
}

function runElement(run) {
  const element = coloured(make("span", { class: "run", "data-code": run.code, title: runText(run) }), run.code);
  element.style.flexGrow = String(run.steps);
  return element;
}

// A click on the strip seeks the videos to this time.
function stripElement(runs, total) {
  const now = make("span", { class: "now" });
  const label = `Codes over time: ${plural(new Set(runs.map((run) => run.code)).size, "code", "codes")}, ` +
    plural(runs.length - 1, "change", "changes");
  const strip = make("div", { class: "strip", role: "img", "aria-label": label }, ...runs.map(runElement), now);
  strip.addEventListener("click", (event) => {
    const { left, width } = strip.getBoundingClientRect();
    player.seek((total * (event.clientX - left)) / width);
  });
  return strip;
}

// The codes by their share of the steps, each a button.
function legend(runs, strip) {
  const total = runs.reduce((sum, run) => sum + run.steps, 0);
  const steps = new Map();
  for (const run of runs) steps.set(run.code, (steps.get(run.code) ?? 0) + run.steps);
  const ordered = [...steps].sort((a, b) => b[1] - a[1]);
  const rest = ordered.length - LEGEND_CODES;
  return make("ul", { class: "legend", "aria-label": "Codes by their share of the steps" },
    ...ordered.slice(0, LEGEND_CODES).map(([code, count]) => make("li", {}, legendButton(code, count / total, runs, strip))),
    rest > 0 ? make("li", { class: "note", text: `and ${plural(rest, "other", "others")}` }) : null);
}

// Seeks to where the code is used next; hovering or focus highlights its runs in the strip.
function legendButton(code, share, runs, strip) {
  const own = runs.filter((run) => run.code === code);
  const button = make("button", {
    type: "button", "data-code": code, title: `Go to the next use of ${codeName(code)}`,
    click: (event) => {
      const now = player.leader()?.currentTime ?? 0;
      const next = own.find((run) => run.from > now) ?? own[0];
      player.seek(next.from + (0.5 * (next.until - next.from)) / next.steps); // the middle of its first step
      if (event.detail) dialog.focus(); // after a mouse click, Space plays again
    },
  }, coloured(make("span", { class: "swatch", "aria-hidden": "true" }), code),
  `${codeName(code)} `, make("span", { class: "note", text: `${percent(share)} %` }));
  const highlight = (on) => {
    for (const run of strip.querySelectorAll(".run")) run.classList.toggle("other", on && run.dataset.code !== String(code));
  };
  for (const [name, on] of [["pointerenter", true], ["focus", true], ["pointerleave", false], ["blur", false]]) {
    button.addEventListener(name, () => highlight(on));
  }
  return button;
}

function codesOf(episode, runIndex) {
  if (!episode?.codes) return comparing ? make("div", {}) : null;
  const runs = codeRuns(episode.codes);
  const total = runs.at(-1).until;
  const strip = stripElement(runs, total);
  const current = make("output", { class: "note" });
  const list = legend(runs, strip);
  strips.push((time) => {
    const run = runs.find((candidate) => time < candidate.until) ?? runs.at(-1);
    strip.querySelector(".now").style.left = `${100 * Math.min(time / total, 1)}%`;
    current.textContent = runText(run);
    for (const button of list.querySelectorAll("button")) {
      button.setAttribute("aria-current", button.dataset.code === String(run.code));
    }
  });
  return make("div", { class: "codes" },
    make("div", { class: "line" }, make("h3", { text: "Codes over time" }),
      comparing ? make("span", { class: `run-name run-${runIndex}`, text: model.runs[runIndex].label }) : null, current),
    strip, list);
}

function drawCodes(item) {
  strips = [];
  const parts = item.episodes.map(codesOf);
  byId("codes").hidden = strips.length === 0;
  byId("codes").replaceChildren(...parts.filter((part) => part !== null));
  showCodes(0);
}

function showCodes(time) {
  for (const show of strips) show(time);
}
