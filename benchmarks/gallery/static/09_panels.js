// The text about an episode: outcome, stages, checks, facts and the command that runs it again.

function stageList(episode) {
  const reached = (level) => level <= episode.stage;
  const stages = stagesOf(episode.task).map((name, level) => [name, reached(level)]).slice(1);
  return make("div", {}, make("h3", { text: "Stages" }),
    make("ol", { class: "stages" }, ...stages.map(([name, is]) => make("li", { class: is ? "reached" : "", text: name },
      make("span", { class: "visually-hidden", text: is ? " reached" : " not reached" })))));
}

function checkList(episode) {
  if (!episode.checks.length) return null;
  return make("div", {}, make("h3", { text: "Checks at the end" }),
    make("ul", { class: "checks" }, ...episode.checks.map(([name, holds]) => make("li", { class: holds ? "holds" : "fails", text: name },
      make("span", { class: "visually-hidden", text: holds ? " holds" : " does not hold" })))));
}

function factTable(facts) {
  const shown = (name, value) => value.startsWith("data:image/") ? make("dd", {}, make("img", { src: value, alt: name })) : make("dd", { text: value });
  return make("dl", {}, ...facts.flatMap(([name, value]) => [make("dt", { text: name }), shown(name, value)]));
}

function factList(episode) {
  return make("div", { class: "details" }, make("h3", { text: "Details" }), factTable(episode.facts));
}

function commandBox(episode) {
  if (!episode.command) return null;
  const text = make("code", { text: episode.command });
  const button = make("button", { type: "button", text: "Copy" });
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(text);
    try {
      await navigator.clipboard.writeText(episode.command);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected"; // the browser does not allow to copy, but a keystroke can
    }
  });
  return make("div", {}, make("h3", { text: "Run it again" }), make("div", { class: "command" }, make("pre", {}, text), button));
}

function panel(episode, runIndex) {
  const run = comparing ? make("span", { class: `run-name run-${runIndex}`, text: model.runs[runIndex].label }) : null;
  if (episode === null) return make("div", { class: "panel" }, run, make("p", { text: "Not attempted." }));
  const address = videoAddress(episode);
  const file = `${episode.task}_${episode.seed}_${episode.outcome}.mp4`.replaceAll("/", "_");
  return make("div", { class: "panel" },
    make("p", { class: "reason" }, run, run ? " " : null,
      make("span", { class: `badge ${episode.outcome}`, text: episode.outcome }),
      episode.reason ? `  ${episode.reason}` : null),
    make("div", { class: "facts" }, stageList(episode), checkList(episode), factList(episode)),
    commandBox(episode),
    address ? make("p", {}, make("a", { href: address, download: file, text: "Download the video" })) : null);
}
