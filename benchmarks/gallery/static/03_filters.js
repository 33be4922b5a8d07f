// Which episodes are shown and in which order; kept in the address, so that a reload or a shared link shows the same.

const EVERYTHING = { task: "", outcome: "", stage: "", seed: "", sort: "seed" };
const chosen = { ...EVERYTHING };

const OUTCOMES = [["success", "Success"], ["failure", "Failure"], ["error", "Error"]];
const SORTS = [
  ["seed", "Task and seed"],
  ["least", "Failures first, least far first"],
  ["most", "Failures first, furthest first"],
];

function outcomeChoices() {
  if (!comparing) return [["", "All"], ...OUTCOMES];
  const [a, b] = model.runs.map((run) => run.label);
  return [
    ["", "All"], ["both", "Both succeed"], ["first", `Only ${a} succeeds`], ["second", `Only ${b} succeeds`],
    ["neither", "Neither succeeds"], ["error", "An error in either"], ["unpaired", "Attempted by one only"],
  ];
}

function stageChoices() {
  const tasks = chosen.task ? [chosen.task] : taskNames;
  return [["", "Any stage"], ...[...new Set(tasks.flatMap(stagesOf))].map((name) => [name, name])];
}

// "7, 10-19" as a test of a seed; null if it cannot be understood.
function seedTest(text) {
  if (!text.trim()) return () => true;
  const ranges = text.trim().split(/\s*[,;\s]\s*/).map((part) => part.match(/^(\d+)(?:-(\d+))?$/));
  if (ranges.some((range) => range === null)) return null;
  return (seed) => ranges.some(([, low, high]) => Number(low) <= seed && seed <= Number(high ?? low));
}

function outcomeMatches(item) {
  if (!chosen.outcome) return true;
  if (!comparing || chosen.outcome === "error") return present(item).some((e) => e.outcome === chosen.outcome);
  return pairOutcome(item) === chosen.outcome;
}

function shownItems() {
  const seedMatches = seedTest(chosen.seed) ?? (() => false);
  const shown = items.filter((item) =>
    (!chosen.task || item.task === chosen.task) && outcomeMatches(item) && seedMatches(item.seed) &&
    (!chosen.stage || present(item).some((episode) => stageName(episode) === chosen.stage)));
  return shown.sort(compareItems);
}

// Items that every policy solved come last; among the others the worst stage of an unsolved episode counts.
function unsolvedStage(item) {
  const unsolved = present(item).filter((episode) => !succeeded(episode));
  return unsolved.length ? Math.min(...unsolved.map((episode) => episode.stage)) : null;
}

function compareItems(a, b) {
  if (chosen.sort !== "seed") {
    const [x, y] = [unsolvedStage(a), unsolvedStage(b)];
    if ((x === null) !== (y === null)) return x === null ? 1 : -1;
    if (x !== y) return chosen.sort === "least" ? x - y : y - x;
  }
  return taskNames.indexOf(a.task) - taskNames.indexOf(b.task) || a.seed - b.seed;
}

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of Object.keys(EVERYTHING)) chosen[name] = given.get(name) ?? EVERYTHING[name];
  return given.get("episode");
}

function writeAddress(openItem) {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(chosen)) if (value !== EVERYTHING[name]) given.set(name, value);
  if (openItem) given.set("episode", openItem.key);
  const words = given.toString();
  history.replaceState(null, "", words ? `#${words}` : location.pathname + location.search);
}

function drawFilters() {
  byId("filter-task").parentElement.hidden = taskNames.length < 2;
  fillSelect(byId("filter-task"), [["", "All"], ...taskNames.map((name) => [name, name])], chosen.task);
  fillSelect(byId("filter-outcome"), outcomeChoices(), chosen.outcome);
  fillSelect(byId("filter-stage"), stageChoices(), chosen.stage);
  fillSelect(byId("filter-sort"), SORTS, chosen.sort);
  if (byId("filter-seed").value !== chosen.seed) byId("filter-seed").value = chosen.seed;
  const wrong = seedTest(chosen.seed) === null;
  byId("filter-seed").setAttribute("aria-invalid", wrong);
  byId("seed-problem").textContent = wrong ? "Seeds are numbers and ranges, as in: 7, 10-19" : "";
  for (const name of ["task", "outcome", "stage", "sort"]) chosen[name] = byId(`filter-${name}`).value;
}

function choose(changes) {
  Object.assign(chosen, changes);
  if ("task" in changes && !stageChoices().some(([name]) => name === chosen.stage)) chosen.stage = "";
  drawFilters();
  writeAddress(null);
  drawTiles();
}

function startFilters() {
  const form = byId("filters");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => { event.preventDefault(); choose({ ...EVERYTHING }); });
  for (const name of ["task", "outcome", "stage", "sort"]) {
    byId(`filter-${name}`).addEventListener("change", (event) => choose({ [name]: event.target.value }));
  }
  byId("filter-seed").addEventListener("input", (event) => choose({ seed: event.target.value }));
}
