// The table of success rates, each with its interval, and the counts of pairs.

function percent(rate) {
  return (100 * rate).toFixed(1);
}

function rateText(tally) {
  if (tally.n === 0) return "unknown: no episode yet";
  const exact = tally.exact ? `, exact ${tally.exact.map((end) => (100 * end).toFixed(2)).join(" to ")}` : "";
  return `${percent(tally.successes / tally.n)} % (${percent(tally.low)} to ${percent(tally.high)}${exact})`;
}

function intervalBar(tally, runIndex) {
  const interval = make("span", { class: "interval" });
  interval.style.left = `${100 * tally.low}%`;
  interval.style.width = `${100 * (tally.high - tally.low)}%`;
  const bar = make("div", { class: `range run-${runIndex}`, "aria-hidden": "true" }, interval);
  if (tally.n) {
    const point = make("span", { class: "point" });
    point.style.left = `${(100 * tally.successes) / tally.n}%`;
    bar.append(point);
  }
  return bar;
}

function rateRow(tally, runIndex, name) {
  const errors = tally.errors ? make("span", { class: "badge error", text: tally.errors }) : "0";
  return make("tr", { class: name && runIndex === 0 ? "all" : "", role: "row" },
    make("th", { scope: "row", role: "rowheader" }, make("span", {}, breakable(name || tally.task)),
      comparing ? make("div", { class: `run-name run-${runIndex}`, text: model.runs[runIndex].label }) : null),
    make("td", { role: "cell", class: "amount" }, `${tally.successes} of ${tally.n}`, missingNote(tally)),
    make("td", { role: "cell", class: "rate" }, intervalBar(tally, runIndex), make("span", { text: rateText(tally) })),
    make("td", { role: "cell", "data-unit": tally.errors === 1 ? "error" : "errors" }, errors));
}

function missingNote({ n, missing }) {
  return missing ? make("span", { class: "note short", text: `${missing} of ${n + missing} missing` }) : null;
}

function drawRates() {
  const rows = taskNames.flatMap((task) => model.runs.flatMap((run, index) =>
    run.tasks.filter((tally) => tally.task === task).map((tally) => rateRow(tally, index, ""))));
  const totals = model.runs.map((run, index) => (run.total ? rateRow(run.total, index, "all tasks") : null));
  const header = ["Task", "Successes", "Success rate with 95 % Wilson interval", "Errors"]
    .map((text) => make("th", { scope: "col", role: "columnheader", text }));
  byId("rates").replaceChildren(
    make("table", { class: "rates card", role: "table" },
      make("caption", { class: "visually-hidden", text: "Successes, success rate with its interval, and errors of each task" }),
      make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...header)),
      make("tbody", { role: "rowgroup" }, ...rows, ...totals)));
  if (comparing) byId("rates").append(pairList());
}

// How two policies did on the seeds that both attempted; compare-policies has the statistical test.
function pairList() {
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
