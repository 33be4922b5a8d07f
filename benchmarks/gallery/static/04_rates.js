// The table of success rates. A rate never stands without its interval.

function percent(rate) {
  return (100 * rate).toFixed(1);
}

function rateWords(summary) {
  if (summary.n === 0) return "unknown: no episode yet";
  return `${percent(summary.successes / summary.n)} % (${percent(summary.low)} to ${percent(summary.high)})`;
}

function rangeDrawing(summary, runIndex) {
  const interval = make("span", { class: "interval" });
  interval.style.left = `${100 * summary.low}%`;
  interval.style.width = `${100 * (summary.high - summary.low)}%`;
  const drawing = make("div", { class: `range run-${runIndex}`, "aria-hidden": "true" }, interval);
  if (summary.n) {
    const point = make("span", { class: "point" });
    point.style.left = `${(100 * summary.successes) / summary.n}%`;
    drawing.append(point);
  }
  return drawing;
}

function rateRow(summary, runIndex, words) {
  return make("tr", { class: words && runIndex === 0 ? "all" : "", role: "row" },
    make("th", { scope: "row", role: "rowheader" }, make("span", {}, breakable(words || summary.task)),
      comparing ? make("div", { class: `run-name run-${runIndex}`, text: model.runs[runIndex].label }) : null),
    make("td", { role: "cell", class: "amount" }, `${summary.successes} of ${summary.n}`, missingNote(summary)),
    make("td", { role: "cell", class: "rate" }, rangeDrawing(summary, runIndex), make("span", { text: rateWords(summary) })),
    make("td", { role: "cell", "data-unit": summary.errors === 1 ? "error" : "errors" }, summary.errors ? make("span", { class: "badge error", text: summary.errors }) : "0"));
}

function missingNote({ n, missing }) {
  return missing ? make("span", { class: "note short", text: `${missing} of ${n + missing} missing` }) : null;
}

function drawRates() {
  const rows = taskNames.flatMap((task) => model.runs.flatMap((run, index) =>
    run.tasks.filter((summary) => summary.task === task).map((summary) => rateRow(summary, index, ""))));
  const totals = model.runs.map((run, index) => (run.total ? rateRow(run.total, index, "all tasks") : null));
  byId("rates").replaceChildren(
    make("table", { class: "rates card", role: "table" },
      make("caption", { class: "unseen", text: "Successes, success rate with its interval, and errors of each task" }),
      make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...["Task", "Successes", "Success rate with 95 % Wilson interval", "Errors"]
        .map((text) => make("th", { scope: "col", role: "columnheader", text })))),
      make("tbody", { role: "rowgroup" }, ...rows, ...totals)));
  if (comparing) byId("rates").append(pairTable());
}

// How two policies did on the seeds both attempted; the test itself is compare-policies' business.
function pairTable() {
  const [a, b] = model.runs.map((run) => run.label);
  const list = make("ul", { class: "note common" });
  for (const task of taskNames) {
    const count = (outcome) => items.filter((item) => item.task === task && pairOutcome(item) === outcome).length;
    const [both, first, second, neither] = ["both", "first", "second", "neither"].map(count);
    const common = both + first + second + neither;
    list.append(make("li", {}, breakable(task), `, ${plural(common, "seed", "seeds")} attempted by both: both succeed on ` +
      `${both}, only ${a} on ${first}, only ${b} on ${second}, neither on ${neither}.`));
  }
  return list;
}
