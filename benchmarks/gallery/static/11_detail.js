// One episode, large: its videos, and what is known about it.

const DWELL_MS = 350; // stepping past an episode does not have its video made
let openItem = null;

const dialog = byId("detail");

function openDetail(item) {
  openItem = item;
  byId("detail-title").replaceChildren(breakable(item.task), `, seed ${item.seed}`);
  const at = shown.indexOf(item);
  byId("detail-place").textContent = at < 0 ? "" : `${at + 1} of ${shown.length}`;
  byId("previous").setAttribute("aria-disabled", at <= 0); // disabled, it would lose the focus
  byId("next").setAttribute("aria-disabled", at < 0 || at >= shown.length - 1);
  byId("speed").value = String(transport.speed);
  dialog.classList.toggle("two", comparing);
  if (!dialog.open) {
    dialog.showModal();
    dialog.focus(); // so that Space plays; on a button it would press that
  }
  dialog.scrollTop = 0;
  drawPanels(item);
  drawCodes(item);
  drawScreens(item);
  writeAddress(item);
}

function drawPanels(item) {
  byId("panels").replaceChildren(...item.episodes.map(panel));
}

function drawScreens(item) {
  for (const video of transport.videos) video.removeAttribute("src");
  transport.use([]);
  byId("screens").replaceChildren(...item.episodes.map((episode, index) => screenOf(item, episode, index)));
  gather(item);
}

function screenOf(item, episode, index) {
  const box = make("div", { class: `screen run-${index}` });
  if (comparing) box.append(make("span", { class: "run-name", text: model.runs[index].label }));
  if (episode === null) {
    box.append(make("p", { class: "blank", text: "Not attempted." }));
  } else if (canBeMade(episode)) {
    box.append(makingBox(item, episode));
  } else if (videoAddress(episode) === null) {
    box.append(make("div", { class: "blank" }, posterImage(episode), make("p", { text: episode.media.why ?? "The page is still loading." })));
  } else {
    const video = make("video", {
      src: videoAddress(episode), playsinline: true, preload: "auto", poster: posterAddress(episode),
      "aria-label": `${episode.task}, seed ${episode.seed}, ${episode.outcome}`, tabindex: "-1",
    });
    video.muted = true;
    video.addEventListener("click", () => transport.toggle());
    video.addEventListener("error", () => {
      if (video.hasAttribute("src")) video.replaceWith(make("p", { class: "blank", text: "The video cannot be played." }));
    });
    box.append(video);
  }
  return box;
}

function posterImage(episode) {
  const poster = posterAddress(episode);
  if (poster === null) return null;
  const image = make("img", { src: poster, alt: "" });
  image.addEventListener("error", () => image.remove());
  return image;
}

function makingBox(item, episode) {
  const bar = make("progress", { "aria-label": "Making the video" });
  const words = make("p", { role: "status", text: "The video is being made from the stored states." });
  const box = make("div", { class: "blank" }, posterImage(episode), words, bar);
  const wanted = () => openItem === item && dialog.open && box.isConnected;
  setTimeout(async () => {
    if (!wanted()) return;
    try {
      await makeVideo(episode, ({ done, total }) => {
        if (total) { bar.max = total; bar.value = done; }
        words.textContent = total ? `Making the video: frame ${done} of ${total}.` : "Waiting for another video to be made.";
      }, wanted);
      if (wanted()) { drawPanels(item); drawScreens(item); }
    } catch (problem) {
      words.textContent = problem instanceof TypeError
        ? "The server does not answer. Is watch-rollouts still running?" : problem.message;
      bar.remove();
    }
  }, DWELL_MS);
  return box;
}

// Wait until all videos of an item can be played, then play them together.
function gather(item) {
  const videos = [...byId("screens").querySelectorAll("video")];
  transport.use(videos);
  const start = () => {
    if (openItem !== item || videos.some((video) => video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA)) return;
    for (const video of videos) video.removeEventListener("canplay", start);
    const aspect = Math.max(...videos.map((video) => video.videoWidth / video.videoHeight));
    dialog.classList.toggle("wide", aspect > WIDE);
    transport.show();
    transport.play();
  };
  for (const video of videos) video.addEventListener("canplay", start);
}

function stepDetail(by) {
  const at = shown.indexOf(openItem);
  const next = at < 0 ? undefined : shown[at + by];
  if (next) openDetail(next);
}

function closed() {
  for (const video of transport.videos) video.removeAttribute("src");
  transport.use([]);
  byId("screens").replaceChildren();
  const item = openItem;
  openItem = null;
  writeAddress(null);
  focusTile(item);
}

function detailKey(event) {
  if (!dialog.open || event.altKey || event.ctrlKey || event.metaKey || event.target.matches("select")) return;
  const onSlider = event.target.matches("input");
  if (event.key === "ArrowLeft" && !onSlider) stepDetail(-1);
  else if (event.key === "ArrowRight" && !onSlider) stepDetail(1);
  else if (event.key === " " && !event.target.matches("button:not(#play), a")) transport.toggle();
  else return;
  event.preventDefault();
}

function startDetail() {
  for (const [id, by] of [["previous", -1], ["next", 1]]) {
    byId(id).addEventListener("click", (event) => {
      stepDetail(by);
      if (event.detail) dialog.focus(); // with a mouse
    });
  }
  byId("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", closed);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.addEventListener("keydown", detailKey);
}
