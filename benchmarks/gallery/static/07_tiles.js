// The grid of episodes: a picture each, which plays while the pointer rests on it.

const BATCH = 240;
const REST_MS = 180;
const WIDE = 2.2; // width by height from which two pictures stand above each other
let limit = BATCH;
let shown = [];

function picture(episode, runIndex) {
  const box = make("span", { class: "picture" });
  if (episode === null) {
    box.append(make("span", { class: "blank", text: `not attempted by ${model.runs[runIndex].label}` }));
    return box;
  }
  const poster = posterAddress(episode);
  if (poster === null) {
    box.append(make("span", { class: "blank", text: episode.media.why }));
    return box;
  }
  const image = make("img", { src: poster, alt: "", loading: "lazy", decoding: "async" });
  image.addEventListener("load", () => adoptShape(image), { once: true });
  image.addEventListener("error", () => image.replaceWith(make("span", { class: "blank", text: "no picture" })));
  box.append(image);
  playWhileResting(box, episode);
  return box;
}

// Tiles take the shape of the first picture: three cameras side by side are wide.
let shaped = false;
function adoptShape(image) {
  if (shaped || !image.naturalHeight) return;
  shaped = true;
  const aspect = Math.min(Math.max(image.naturalWidth / image.naturalHeight, 1), 4);
  const wide = aspect > WIDE;
  byId("tiles").classList.toggle("wide", wide);
  const shape = {
    "--aspect": aspect, "--tile": `${Math.min(Math.max(11 * aspect, 15), 32)}rem`,
    "--pair": wide ? "32rem" : "28rem", "--small-tile": wide ? "100%" : "9.5rem",
  };
  for (const [name, value] of Object.entries(shape)) byId("tiles").style.setProperty(name, String(value));
}

function playWhileResting(box, episode) {
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
      video.play().catch(() => {}); // taken away before it began
    }, REST_MS);
  });
  box.addEventListener("pointerleave", () => {
    clearTimeout(timer);
    if (video !== null) { video.removeAttribute("src"); video.load(); video.remove(); }
    video = null;
  });
}

function outcomeLine(episode, runIndex) {
  const who = comparing ? make("span", { class: `run-name run-${runIndex}`, text: model.runs[runIndex].label }) : null;
  if (episode === null) return make("span", { class: "line" }, who, make("span", { class: "badge missing", text: "not attempted" }));
  return make("span", { class: "line" }, who,
    make("span", { class: `badge ${episode.outcome}`, text: episode.outcome }),
    make("span", { class: "note", text: stageName(episode) }));
}

// What a screen reader says, in the order in which it helps.
function tileName(item) {
  const parts = item.episodes.map((episode, index) => {
    const who = comparing ? `${model.runs[index].label}: ` : "";
    return who + (episode === null ? "not attempted" : `${episode.outcome}, ${stageName(episode)}`);
  });
  return `seed ${item.seed}, ${item.task}, ${parts.join("; ")}`;
}

function tile(item) {
  const button = { type: "button", class: "tile", "data-key": item.key, "aria-label": tileName(item) };
  return make("li", {}, make("button", { ...button, click: () => openDetail(item) },
    make("span", { class: "pictures" }, ...item.episodes.map(picture)),
    make("span", { class: "words" },
      make("span", { class: "line" }, make("span", { class: "seed", text: `seed ${item.seed}` }),
        taskNames.length > 1 ? make("span", { class: "note" }, breakable(item.task)) : null),
      make("span", { class: "outcomes" }, ...item.episodes.map(outcomeLine)))));
}

function drawTiles(keepLimit = false) {
  if (!keepLimit) limit = BATCH;
  shown = shownItems();
  byId("count").textContent = shown.length === items.length
    ? plural(items.length, "episode", "episodes") : `${shown.length} of ${plural(items.length, "episode", "episodes")}`;
  byId("tiles").replaceChildren(...shown.slice(0, limit).map(tile));
  byId("more").hidden = shown.length <= limit;
  byId("more").textContent = `Show ${Math.min(BATCH, shown.length - limit)} more`;
}

function focusTile(item) {
  const index = shown.indexOf(item);
  if (index >= limit) { limit = index + BATCH; drawTiles(true); }
  byId("tiles").children[index]?.firstChild.focus();
}

// Left and right step through, up and down go by rows.
function moveFocus(event) {
  const tiles = [...byId("tiles").children];
  const at = tiles.indexOf(document.activeElement.closest("li"));
  const columns = tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -at, End: tiles.length - 1 - at }[event.key];
  if (step === undefined || at < 0) return;
  event.preventDefault();
  tiles[at + step]?.firstChild.focus();
}

// While nothing has the focus, right or left go to the first tile; up and down go on scrolling.
function beginMoving(event) {
  const nothing = [document.body, byId("episodes")].includes(document.activeElement);
  const other = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
  if (!nothing || other || dialog.open || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  event.preventDefault();
  byId("tiles").firstChild?.firstChild.focus();
}

function startTiles() {
  byId("tiles").classList.toggle("pairs", comparing);
  byId("tiles").addEventListener("keydown", moveFocus);
  document.addEventListener("keydown", beginMoving);
  byId("more").addEventListener("click", () => {
    const first = limit;
    limit += BATCH;
    drawTiles(true);
    byId("tiles").children[first]?.firstChild.focus();
  });
}
