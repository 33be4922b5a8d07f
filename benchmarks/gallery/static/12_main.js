// Draws the page.

byId("title").replaceChildren(breakable(byId("title").textContent));
byId("source").replaceChildren(breakable(model.source));
byId("notice").textContent = model.notice;
byId("notice").hidden = !model.notice;
byId("notice").classList.toggle("short", model.short);
byId("about").replaceChildren(...model.runs.map((run, index) => make("div", {},
  comparing ? make("p", { class: `run-name run-${index}`, text: run.label }) : null, factTable(run.facts))));

const keyInAddress = readAddress();
if (ofPairs) {
  drawCells();
} else {
  drawRates();
  drawFunnel();
}
drawErrors();
setUpFilters();
setUpTiles();
setUpPlayer();
setUpDetail();
drawFilters();
drawTiles();

const itemInAddress = items.find((item) => item.key === keyInAddress);
if (itemInAddress) document.addEventListener("DOMContentLoaded", () => openDetail(itemInAddress));
addEventListener("hashchange", () => { readAddress(); drawFilters(); drawTiles(); });
