// The model, and its episodes as items: one per task and seed, with the episode of each run or null.

const model = JSON.parse(byId("model").textContent);
const comparing = model.runs.length > 1;

const items = (() => {
  const found = new Map();
  model.runs.forEach((run, index) => {
    for (const episode of run.episodes) {
      const key = `${episode.task} ${episode.seed}`;
      if (!found.has(key)) {
        found.set(key, { key, task: episode.task, seed: episode.seed, episodes: model.runs.map(() => null) });
      }
      found.get(key).episodes[index] = episode;
    }
  });
  return [...found.values()];
})();

const taskNames = [...new Set(model.runs.flatMap((run) => run.tasks.map((task) => task.task)))];

const NO_STAGE = "no stage reached"; // in words that explain themselves; in files it is called "none"

function stagesOf(task) {
  const summary = model.runs.flatMap((run) => run.tasks).find((candidate) => candidate.task === task);
  return summary ? [NO_STAGE, ...summary.stages.slice(1)] : [];
}

function stageName(episode) {
  return stagesOf(episode.task)[episode.stage] ?? `stage ${episode.stage}`;
}

const present = (item) => item.episodes.filter((episode) => episode !== null);
const succeeded = (episode) => episode !== null && episode.outcome === "success";

// Which of two policies solved an item that both attempted.
function pairOutcome(item) {
  const [a, b] = item.episodes;
  if (a === null || b === null) return "unpaired";
  if (succeeded(a)) return succeeded(b) ? "both" : "first";
  return succeeded(b) ? "second" : "neither";
}
