// What is known about an episode, in words.

function stageTrack(episode) {
  const reached = (level) => level <= episode.stage;
  const stages = stagesOf(episode.task).map((name, level) => [name, reached(level)]).slice(1);
  return make("div", {}, make("h3", { text: "Stages" }),
    make("ol", { class: "stages" }, ...stages.map(([name, is]) => make("li", { class: is ? "reached" : "", text: name },
      make("span", { class: "unseen", text: is ? " reached" : " not reached" })))));
}

function checkList(episode) {
  if (!episode.checks.length) return null;
  return make("div", {}, make("h3", { text: "Checks at the end" }),
    make("ul", { class: "checks" }, ...episode.checks.map(([name, holds]) => make("li", { class: holds ? "holds" : "fails", text: name },
      make("span", { class: "unseen", text: holds ? " holds" : " does not hold" })))));
}

function factTable(facts) {
  return make("dl", {}, ...facts.flatMap(([name, value]) => [make("dt", { text: name }), make("dd", { text: value })]));
}

function factList(episode) {
  return make("div", {}, make("h3", { text: "Facts" }), factTable(episode.facts));
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
      button.textContent = "Selected"; // without leave to copy, a keystroke does it
    }
  });
  return make("div", {}, make("h3", { text: "Run it again" }), make("div", { class: "command" }, make("pre", {}, text), button));
}

function panel(episode, runIndex) {
  const name = comparing ? make("span", { class: `run-name run-${runIndex}`, text: model.runs[runIndex].label }) : null;
  if (episode === null) return make("div", { class: "panel" }, name, make("p", { text: "Not attempted." }));
  const address = videoAddress(episode);
  const file = `${episode.task}_${episode.seed}_${episode.outcome}.mp4`.replaceAll("/", "_");
  return make("div", { class: "panel" },
    make("p", { class: "reason" }, name, name ? " " : null,
      make("span", { class: `badge ${episode.outcome}`, text: episode.outcome }),
      episode.reason ? `  ${episode.reason}` : null),
    make("div", { class: "facts" }, stageTrack(episode), checkList(episode), factList(episode)),
    commandBox(episode),
    address ? make("p", {}, make("a", { href: address, download: file, text: "Download the video" })) : null);
}
