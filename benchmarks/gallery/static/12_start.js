// Draws the page.

byId("title").replaceChildren(breakable(byId("title").textContent));
byId("source").replaceChildren(breakable(model.source));
byId("notice").textContent = model.notice;
byId("notice").hidden = !model.notice;
byId("notice").classList.toggle("short", model.short);
byId("about").replaceChildren(...model.runs.map((run, index) => make("div", {},
  comparing ? make("p", { class: `run-name run-${index}`, text: run.label }) : null, factTable(run.facts))));

const asked = readAddress();
drawRates();
drawFunnel();
drawErrors();
startFilters();
startTiles();
startTransport();
startDetail();
drawFilters();
drawTiles();

const openAtStart = items.find((item) => item.key === asked);
if (openAtStart) document.addEventListener("DOMContentLoaded", () => openDetail(openAtStart));
addEventListener("hashchange", () => { readAddress(); drawFilters(); drawTiles(); });
