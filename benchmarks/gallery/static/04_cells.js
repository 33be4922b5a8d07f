// The table of a robustness benchmark: for each axis and level how many pairs were lost and won. A click shows them.

function cellButton(cell) {
  if (!cell) return "";
  const { axis, level, pairs, lost, won } = cell;
  const show = () => { setFilters({ ...DEFAULTS, axis, level: String(level) }); scrollToEpisodes(); };
  const counts = [lost && `${lost} lost`, won && `${won} won`].filter(Boolean).join(", ");
  return make("span", {}, counts ? make("button", { type: "button", class: "plain", click: show, text: counts }) : "none",
    make("span", { class: "note", text: ` of ${pairs}` }));
}

function cellRow(axis, levels) {
  const of = (level) => model.cells.find((cell) => cell.axis === axis && String(cell.level) === level);
  const show = () => { setFilters({ ...DEFAULTS, axis }); scrollToEpisodes(); };
  return make("tr", {},
    make("th", { scope: "row" }, make("button", { type: "button", class: "plain", click: show, text: axis })),
    ...levels.map((level) => make("td", {}, cellButton(of(level)))));
}

function drawCells() {
  byId("rates-title").textContent = "Pairs by axis and level";
  byId("funnel-title").parentElement.hidden = true;
  const [axes, levels] = ["axis", "level"].map((name) => cellOptions(name, "").slice(1).map(([value]) => value));
  const header = ["Axis", ...levels.map((level) => `Level ${level}`)].map((text) => make("th", { scope: "col", text }));
  byId("rates").replaceChildren(
    make("p", { class: "note", text: "Perturbed episodes beside the clean ones of the same seeds. Lost: only the clean one " +
      "succeeds. Won: only the perturbed one does. Only these pairs are on the page; report-robustness has all rates." }),
    make("div", { class: "card cells" }, make("table", {}, make("thead", {}, make("tr", {}, ...header)),
      make("tbody", {}, ...axes.map((axis) => cellRow(axis, levels))))));
}
