// Which code a policy made its actions from: a strip over time for each episode that has them, in step with the video.

const MOST_CODES = 16; // in a legend; of the others it says how many they are
const LIGHTNESS = [0.58, 0.82, 0.46, 0.7];
let strips = []; // each: a function that hears the time of the video

// A code has the same colour on every page, and its neighbours have very different ones: steps of the golden angle.
function codeColour(code) {
  return `oklch(${LIGHTNESS[code % LIGHTNESS.length]} 0.14 ${((code * 137.508) % 360).toFixed(1)})`;
}

const codeName = (code) => (code < 0 ? "no code" : `code ${code}`);

// [code, steps] pairs with the step at which each begins.
function codeRuns(codes) {
  let first = 0;
  return codes.runs.map(([code, steps]) => {
    const run = { code, steps, first, from: first * codes.step_s, until: (first + steps) * codes.step_s };
    first += steps;
    return run;
  });
}

function runWords(run) {
  const steps = run.steps === 1 ? `step ${run.first}` : `steps ${run.first} to ${run.first + run.steps - 1}`;
  return `${codeName(run.code)}, ${steps}, ${run.from.toFixed(2)} to ${run.until.toFixed(2)} s`;
}

function coloured(element, code) {
  if (code >= 0) element.style.background = codeColour(code);
  return element;
}

function runElement(run) {
  const element = coloured(make("span", { class: "run", "data-code": run.code, title: runWords(run) }), run.code);
  element.style.flexGrow = String(run.steps);
  return element;
}

// Where the pointer is on the strip is where the videos go.
function stripElement(runs, whole) {
  const now = make("span", { class: "now" });
  const words = `Codes over time: ${plural(new Set(runs.map((run) => run.code)).size, "code", "codes")}, ` +
    plural(runs.length - 1, "change", "changes");
  const strip = make("div", { class: "strip", role: "img", "aria-label": words }, ...runs.map(runElement), now);
  strip.addEventListener("click", (event) => {
    const { left, width } = strip.getBoundingClientRect();
    transport.seek((whole * (event.clientX - left)) / width);
  });
  return strip;
}

// The codes by their share of the steps. One of them leads to where it is played next; resting on it shows where it is.
function legend(runs, strip) {
  const total = runs.reduce((sum, run) => sum + run.steps, 0);
  const steps = new Map();
  for (const run of runs) steps.set(run.code, (steps.get(run.code) ?? 0) + run.steps);
  const ordered = [...steps].sort((a, b) => b[1] - a[1]);
  const rest = ordered.length - MOST_CODES;
  return make("ul", { class: "legend", "aria-label": "Codes by their share of the steps" },
    ...ordered.slice(0, MOST_CODES).map(([code, count]) => make("li", {}, legendButton(code, count / total, runs, strip))),
    rest > 0 ? make("li", { class: "note", text: `and ${plural(rest, "other", "others")}` }) : null);
}

function legendButton(code, share, runs, strip) {
  const own = runs.filter((run) => run.code === code);
  const button = make("button", {
    type: "button", "data-code": code, title: `Go to where ${codeName(code)} is played next`,
    click: (event) => {
      const now = transport.leader()?.currentTime ?? 0;
      const next = own.find((run) => run.from > now) ?? own[0];
      transport.seek(next.from + (0.5 * (next.until - next.from)) / next.steps); // the middle of its first step
      if (event.detail) dialog.focus(); // with a mouse: Space plays again
    },
  }, coloured(make("span", { class: "swatch", "aria-hidden": "true" }), code),
  `${codeName(code)} `, make("span", { class: "note", text: `${percent(share)} %` }));
  const only = (is) => {
    for (const run of strip.querySelectorAll(".run")) run.classList.toggle("other", is && run.dataset.code !== String(code));
  };
  for (const [name, is] of [["pointerenter", true], ["focus", true], ["pointerleave", false], ["blur", false]]) {
    button.addEventListener(name, () => only(is));
  }
  return button;
}

function codesOf(episode, runIndex) {
  if (!episode?.codes) return comparing ? make("div", {}) : null;
  const runs = codeRuns(episode.codes);
  const whole = runs.at(-1).until;
  const strip = stripElement(runs, whole);
  const words = make("output", { class: "note" });
  const list = legend(runs, strip);
  strips.push((time) => {
    const run = runs.find((candidate) => time < candidate.until) ?? runs.at(-1);
    strip.querySelector(".now").style.left = `${100 * Math.min(time / whole, 1)}%`;
    words.textContent = runWords(run);
    for (const button of list.querySelectorAll("button")) {
      button.setAttribute("aria-current", button.dataset.code === String(run.code));
    }
  });
  return make("div", { class: "codes" },
    make("div", { class: "line" }, make("h3", { text: "Codes over time" }),
      comparing ? make("span", { class: `run-name run-${runIndex}`, text: model.runs[runIndex].label }) : null, words),
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
