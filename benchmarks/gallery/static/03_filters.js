// Filters and order of the episodes. They are stored in the address, so a reload or a shared link shows the same.

const DEFAULTS = { task: "", axis: "", level: "", outcome: "", stage: "", seed: "", sort: "seed" };
const SELECTS = ["task", "axis", "level", "outcome", "stage", "sort"];
const filters = { ...DEFAULTS };

const OUTCOMES = [["success", "Success"], ["failure", "Failure"], ["error", "Error"]];
const SORTS = [
  ["seed", ofPairs ? "Axis, level and seed" : "Task and seed"],
  ["least", "Failures first, lowest stage first"],
  ["most", "Failures first, highest stage first"],
];

function outcomeOptions() {
  if (!comparing) return [["", "All"], ...OUTCOMES];
  if (ofPairs) return [["", "Lost or won"], ["first", "Lost: only clean succeeds"], ["second", "Won: only perturbed succeeds"]];
  const [a, b] = model.runs.map((run) => run.label);
  return [
    ["", "All"], ["both", "Both succeed"], ["first", `Only ${a} succeeds`], ["second", `Only ${b} succeeds`],
    ["neither", "Neither succeeds"], ["error", "Error in either"], ["unpaired", "Attempted by one only"],
  ];
}

function stageOptions() {
  const tasks = filters.task ? [filters.task] : taskNames;
  return [["", "Any stage"], ...[...new Set(tasks.flatMap(stagesOf))].map((name) => [name, name])];
}

function cellOptions(name, all) {
  const values = [...new Set((model.cells ?? []).map((cell) => cell[name]))].sort((a, b) => a - b || 0);
  return [["", all], ...values.map((value) => [String(value), String(value)])];
}

// "7, 10-19" as a predicate of seeds; null if the text is malformed.
function seedPredicate(text) {
  if (!text.trim()) return () => true;
  const ranges = text.trim().split(/\s*[,;\s]\s*/).map((part) => part.match(/^(\d+)(?:-(\d+))?$/));
  if (ranges.some((range) => range === null)) return null;
  return (seed) => ranges.some(([, low, high]) => Number(low) <= seed && seed <= Number(high ?? low));
}

function outcomeMatches(item) {
  if (!filters.outcome) return true;
  if (!comparing || filters.outcome === "error") return episodesOf(item).some((e) => e.outcome === filters.outcome);
  return pairOutcome(item) === filters.outcome;
}

function filteredItems() {
  const seedMatches = seedPredicate(filters.seed) ?? (() => false);
  const filtered = items.filter((item) =>
    (!filters.task || item.task === filters.task) && (!filters.axis || item.axis === filters.axis) &&
    (!filters.level || String(item.level) === filters.level) && outcomeMatches(item) && seedMatches(item.seed) &&
    (!filters.stage || episodesOf(item).some((episode) => stageName(episode) === filters.stage)));
  return filtered.sort(compareItems);
}

// The lowest stage of an item's episodes that did not succeed; null if all did.
function failedStage(item) {
  const failed = episodesOf(item).filter((episode) => !succeeded(episode));
  return failed.length ? Math.min(...failed.map((episode) => episode.stage)) : null;
}

function compareItems(a, b) {
  if (filters.sort !== "seed") {
    const [x, y] = [failedStage(a), failedStage(b)];
    if ((x === null) !== (y === null)) return x === null ? 1 : -1;
    if (x !== y) return filters.sort === "least" ? x - y : y - x;
  }
  if (ofPairs) return a.order - b.order;
  return taskNames.indexOf(a.task) - taskNames.indexOf(b.task) || a.seed - b.seed;
}

// Takes the filters from the address; returns the key of the episode to open, or null.
function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of Object.keys(DEFAULTS)) filters[name] = given.get(name) ?? DEFAULTS[name];
  return given.get("episode");
}

function writeAddress(openItem) {
  const values = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) if (value !== DEFAULTS[name]) values.set(name, value);
  if (openItem) values.set("episode", openItem.key);
  const hash = values.toString();
  history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
}

function drawFilters() {
  byId("filter-task").parentElement.hidden = taskNames.length < 2;
  fillSelect(byId("filter-task"), [["", "All"], ...taskNames.map((name) => [name, name])], filters.task);
  for (const name of ["axis", "level"]) byId(`filter-${name}`).parentElement.hidden = !ofPairs;
  fillSelect(byId("filter-axis"), cellOptions("axis", "All"), filters.axis);
  fillSelect(byId("filter-level"), cellOptions("level", "All"), filters.level);
  fillSelect(byId("filter-outcome"), outcomeOptions(), filters.outcome);
  fillSelect(byId("filter-stage"), stageOptions(), filters.stage);
  fillSelect(byId("filter-sort"), SORTS, filters.sort);
  if (byId("filter-seed").value !== filters.seed) byId("filter-seed").value = filters.seed;
  const malformed = seedPredicate(filters.seed) === null;
  byId("filter-seed").setAttribute("aria-invalid", malformed);
  byId("seed-problem").textContent = malformed ? "Expected seeds and ranges of seeds, e.g. 7, 10-19" : "";
  for (const name of SELECTS) filters[name] = byId(`filter-${name}`).value;
}

function setFilters(changes) {
  Object.assign(filters, changes);
  if ("task" in changes && !stageOptions().some(([name]) => name === filters.stage)) filters.stage = "";
  drawFilters();
  writeAddress(null);
  drawTiles();
}

function setUpFilters() {
  const form = byId("filters");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => { event.preventDefault(); setFilters({ ...DEFAULTS }); });
  for (const name of SELECTS) {
    byId(`filter-${name}`).addEventListener("change", (event) => setFilters({ [name]: event.target.value }));
  }
  byId("filter-seed").addEventListener("input", (event) => setFilters({ seed: event.target.value }));
}
