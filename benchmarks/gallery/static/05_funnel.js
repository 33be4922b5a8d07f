// How many episodes reached each stage, drawn; and the episodes that broke.

function bar(count, total, runIndex) {
  const fill = make("div", { class: "fill" });
  fill.style.width = `${total ? (100 * count) / total : 0}%`;
  return make("div", { class: `bar run-${runIndex}` },
    make("div", { class: "track", "aria-hidden": "true" }, fill),
    make("span", { class: "amount", text: `${count} of ${total}` }));
}

function funnelRow(name, summaries, countOf, filter) {
  const bars = summaries.map(([summary, index]) => bar(countOf(summary), summary.n, index));
  return make("li", {},
    make("button", { type: "button", click: () => { choose({ ...EVERYTHING, ...filter }); showEpisodes(); } },
      make("span", { text: name }), make("span", { class: "bars" }, ...bars)));
}

function funnelOf(task) {
  const summaries = model.runs.flatMap((run, index) =>
    run.tasks.filter((summary) => summary.task === task).map((summary) => [summary, index]));
  const rows = stagesOf(task).map((stage, level) => [stage, level]).slice(1).map(([stage, level]) =>
    funnelRow(stage, summaries, (summary) => summary.reached[level], { task, stage }));
  const success = funnelRow("success", summaries, (summary) => summary.successes,
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
  const broken = items.flatMap((item) => item.episodes.map((episode, index) => [item, episode, index]))
    .filter(([, episode]) => episode !== null && episode.outcome === "error");
  byId("errors").hidden = broken.length === 0;
  byId("error-list").replaceChildren(...broken.map(([item, episode, index]) => make("li", { class: "card" },
    make("button", { type: "button", click: () => openDetail(item) }, breakable(item.task), `, seed ${item.seed}`),
    comparing ? make("span", { class: `run-name run-${index}`, text: model.runs[index].label }) : null,
    make("pre", { text: episode.reason || "No message was kept." }))));
}

function showEpisodes() {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  byId("episodes").scrollIntoView({ behavior: still ? "auto" : "smooth" });
  byId("episodes").focus({ preventScroll: true });
}
