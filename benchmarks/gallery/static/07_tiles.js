// The grid of episodes. A tile shows the end of each episode, and plays its video while the pointer is over it.

const BATCH = 240;
const HOVER_MS = 180;
const WIDE = 2.2; // aspect ratio above which two thumbnails stand one above the other
let limit = BATCH;
let shownItems = [];

function thumbnail(episode, runIndex) {
  const box = make("span", { class: "thumbnail" });
  const poster = episode === null ? null : posterAddress(episode);
  if (poster === null) {
    const text = episode === null ? `not attempted by ${model.runs[runIndex].label}` : episode.media.why;
    box.append(make("span", { class: "blank", text }));
    return box;
  }
  const image = make("img", { src: poster, alt: "", loading: "lazy", decoding: "async" });
  image.addEventListener("load", () => adoptAspect(image), { once: true });
  image.addEventListener("error", () => image.replaceWith(make("span", { class: "blank", text: "no image" })));
  box.append(image);
  playOnHover(box, episode);
  return box;
}

// All tiles take the aspect ratio of the first image; with three cameras side by side it is wide.
let aspectKnown = false;
function adoptAspect(image) {
  if (aspectKnown || !image.naturalHeight) return;
  aspectKnown = true;
  const aspect = Math.min(Math.max(image.naturalWidth / image.naturalHeight, 1), 4);
  const wide = aspect > WIDE;
  byId("tiles").classList.toggle("wide", wide);
  const sizes = {
    "--aspect": aspect, "--tile": `${Math.min(Math.max(11 * aspect, 15), 32)}rem`,
    "--pair": wide ? "32rem" : "28rem", "--small-tile": wide ? "100%" : "9.5rem",
  };
  for (const [name, value] of Object.entries(sizes)) byId("tiles").style.setProperty(name, String(value));
}

function playOnHover(box, episode) {
  let timer = 0;
  let video = null;
  box.addEventListener("pointerenter", (event) => {
    if (event.pointerType !== "mouse" || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    timer = setTimeout(() => {
      const address = videoAddress(episode);
      if (address === null || video !== null) return;
      video = make("video", { src: address, muted: true, loop: true, playsinline: true, "aria-hidden": "true" });
      video.muted = true;
      box.append(video);
      video.play().catch(() => {}); // removed before it started
    }, HOVER_MS);
  });
  box.addEventListener("pointerleave", () => {
    clearTimeout(timer);
    if (video !== null) { video.removeAttribute("src"); video.load(); video.remove(); }
    video = null;
  });
}

function outcomeLine(episode, runIndex) {
  const run = comparing ? make("span", { class: `run-name run-${runIndex}`, text: model.runs[runIndex].label }) : null;
  if (episode === null) return make("span", { class: "line" }, run, make("span", { class: "badge missing", text: "not attempted" }));
  return make("span", { class: "line" }, run,
    make("span", { class: `badge ${episode.outcome}`, text: episode.outcome }),
    make("span", { class: "note", text: stageName(episode) }));
}

// The text for screen readers, most useful parts first.
function tileLabel(item) {
  const parts = item.episodes.map((episode, index) => {
    const run = comparing ? `${model.runs[index].label}: ` : "";
    return run + (episode === null ? "not attempted" : `${episode.outcome}, ${stageName(episode)}`);
  });
  const cell = ofPairs ? `, ${item.cell}, ${lostOrWon(item)}` : "";
  return `seed ${item.seed}, ${item.task}${cell}, ${parts.join("; ")}`;
}

function lossBadge(item) {
  const text = lostOrWon(item);
  return make("span", { class: `badge ${text === "won" ? "success" : "failure"}`, text });
}

function tile(item) {
  const button = { type: "button", class: "tile", "data-key": item.key, "aria-label": tileLabel(item) };
  return make("li", {}, make("button", { ...button, click: () => openDetail(item) },
    make("span", { class: "thumbnails" }, ...item.episodes.map(thumbnail)),
    make("span", { class: "caption" },
      make("span", { class: "line" }, make("span", { class: "seed", text: `seed ${item.seed}` }),
        taskNames.length > 1 ? make("span", { class: "note" }, breakable(item.task)) : null,
        ...(ofPairs ? [make("span", { class: "note", text: item.cell }), lossBadge(item)] : [])),
      make("span", { class: "outcomes" }, ...item.episodes.map(outcomeLine)))));
}

function drawTiles(keepLimit = false) {
  if (!keepLimit) limit = BATCH;
  shownItems = filteredItems();
  const all = ofPairs ? plural(items.length, "pair", "pairs") : plural(items.length, "episode", "episodes");
  byId("count").textContent = shownItems.length === items.length ? all : `${shownItems.length} of ${all}`;
  byId("tiles").replaceChildren(...shownItems.slice(0, limit).map(tile));
  byId("more").hidden = shownItems.length <= limit;
  byId("more").textContent = `Show ${Math.min(BATCH, shownItems.length - limit)} more`;
}

function focusTile(item) {
  const index = shownItems.indexOf(item);
  if (index >= limit) { limit = index + BATCH; drawTiles(true); }
  byId("tiles").children[index]?.firstChild.focus();
}

// Left and right move the focus by one tile, up and down by one row.
function moveFocus(event) {
  const tiles = [...byId("tiles").children];
  const at = tiles.indexOf(document.activeElement.closest("li"));
  const columns = tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -at, End: tiles.length - 1 - at }[event.key];
  if (step === undefined || at < 0) return;
  event.preventDefault();
  tiles[at + step]?.firstChild.focus();
}

// If nothing has the focus, left and right move it to the first tile; up and down scroll the page.
function focusFirstTile(event) {
  const unfocused = [document.body, byId("episodes")].includes(document.activeElement);
  const modified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
  if (!unfocused || modified || dialog.open || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  event.preventDefault();
  byId("tiles").firstChild?.firstChild.focus();
}

function setUpTiles() {
  byId("tiles").classList.toggle("pairs", comparing);
  byId("tiles").addEventListener("keydown", moveFocus);
  document.addEventListener("keydown", focusFirstTile);
  byId("more").addEventListener("click", () => {
    const first = limit;
    limit += BATCH;
    drawTiles(true);
    byId("tiles").children[first]?.firstChild.focus();
  });
}
