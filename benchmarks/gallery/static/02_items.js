// The page's data as items: one for each task and seed, with the episode of each run, or null. Of a robustness
// benchmark they are pairs: one for each perturbed episode, with the clean one of its task and seed.

const model = JSON.parse(byId("model").textContent);
const comparing = model.runs.length > 1;
const ofPairs = model.cells !== null;

const pairs = () => {
  const [clean, perturbed] = model.runs.map((run) => run.episodes);
  const twins = new Map(clean.map((episode) => [`${episode.task} ${episode.seed}`, episode]));
  return perturbed.map((episode, order) => {
    const { task, seed, axis, level } = episode;
    const cell = `${axis}:${level}`;
    return { key: `${cell} ${task} ${seed}`, task, seed, axis, level, cell, order, episodes: [twins.get(`${task} ${seed}`), episode] };
  });
};

const items = ofPairs ? pairs() : (() => {
  const byKey = new Map();
  model.runs.forEach((run, index) => {
    for (const episode of run.episodes) {
      const key = `${episode.task} ${episode.seed}`;
      if (!byKey.has(key)) {
        byKey.set(key, { key, task: episode.task, seed: episode.seed, episodes: model.runs.map(() => null) });
      }
      byKey.get(key).episodes[index] = episode;
    }
  });
  return [...byKey.values()];
})();

const taskNames = [...new Set(model.runs.flatMap((run) => run.tasks.map((task) => task.task)))];

const NO_STAGE = "no stage reached"; // shown instead of "none", the name in the files

function stagesOf(task) {
  const tally = model.runs.flatMap((run) => run.tasks).find((candidate) => candidate.task === task);
  return tally ? [NO_STAGE, ...tally.stages.slice(1)] : [];
}

function stageName(episode) {
  return stagesOf(episode.task)[episode.stage] ?? `stage ${episode.stage}`;
}

const episodesOf = (item) => item.episodes.filter((episode) => episode !== null);
const succeeded = (episode) => episode !== null && episode.outcome === "success";

// Which of two policies succeeded, if both have an episode of the item.
function pairOutcome(item) {
  const [a, b] = item.episodes;
  if (a === null || b === null) return "unpaired";
  if (succeeded(a)) return succeeded(b) ? "both" : "first";
  return succeeded(b) ? "second" : "neither";
}

// What perturbing an episode changed, for pairs of a robustness benchmark.
const lostOrWon = (item) => (pairOutcome(item) === "first" ? "lost" : "won");
