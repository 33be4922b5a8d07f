// Bars of how many episodes reached each stage, and the list of errors.

function bar(count, total, runIndex) {
  const fill = make("div", { class: "fill" });
  fill.style.width = `${total ? (100 * count) / total : 0}%`;
  return make("div", { class: `bar run-${runIndex}` },
    make("div", { class: "track", "aria-hidden": "true" }, fill),
    make("span", { class: "amount", text: `${count} of ${total}` }));
}

function funnelRow(name, tallies, countOf, changes) {
  const bars = tallies.map(([tally, index]) => bar(countOf(tally), tally.n, index));
  return make("li", {},
    make("button", { type: "button", click: () => { setFilters({ ...DEFAULTS, ...changes }); scrollToEpisodes(); } },
      make("span", { text: name }), make("span", { class: "bars" }, ...bars)));
}

function funnelOf(task) {
  const tallies = model.runs.flatMap((run, index) =>
    run.tasks.filter((tally) => tally.task === task).map((tally) => [tally, index]));
  const rows = stagesOf(task).map((stage, level) => [stage, level]).slice(1).map(([stage, level]) =>
    funnelRow(stage, tallies, (tally) => tally.reached[level], { task, stage }));
  const success = funnelRow("success", tallies, (tally) => tally.successes,
    { task, outcome: comparing ? "" : "success" });
  return make("div", { class: "card funnel" },
    make("h3", {}, breakable(task)),
    comparing ? make("p", { class: "note" }, ...model.runs.map((run, index) =>
      make("span", { class: `run-name run-${index}`, text: `${run.label} ` }))) : null,
    make("ol", {}, ...rows, success));
}

function drawFunnel() {
  byId("funnel").replaceChildren(...taskNames.map(funnelOf));
}

function drawErrors() {
  const errors = items.flatMap((item) => item.episodes.map((episode, index) => [item, episode, index]))
    .filter(([, episode]) => episode !== null && episode.outcome === "error")
    .filter(([, episode], at, all) => all.findIndex(([, other]) => other === episode) === at); // of several pairs
  byId("errors").hidden = errors.length === 0;
  byId("error-list").replaceChildren(...errors.map(([item, episode, index]) => make("li", { class: "card" },
    make("button", { type: "button", click: () => openDetail(item) }, breakable(item.task), `, seed ${item.seed}`),
    comparing ? make("span", { class: `run-name run-${index}`, text: model.runs[index].label }) : null,
    make("pre", { text: episode.reason || "No message is stored." }))));
}

function scrollToEpisodes() {
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
  byId("episodes").scrollIntoView({ behavior: reducedMotion ? "auto" : "smooth" });
  byId("episodes").focus({ preventScroll: true });
}
