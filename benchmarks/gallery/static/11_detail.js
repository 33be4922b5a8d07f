// The dialog with one item: its videos, their controls and the text about its episodes.

const DWELL_MS = 350; // a video is made only for an episode that stays open this long
let openItem = null;

const dialog = byId("detail");

function openDetail(item) {
  openItem = item;
  byId("detail-title").replaceChildren(breakable(item.task), `, seed ${item.seed}`,
    ...(ofPairs ? [`, ${item.cell} `, lossBadge(item)] : []));
  const at = shownItems.indexOf(item);
  byId("detail-place").textContent = at < 0 ? "" : `${at + 1} of ${shownItems.length}`;
  byId("previous").setAttribute("aria-disabled", at <= 0); // `disabled` would lose the focus
  byId("next").setAttribute("aria-disabled", at < 0 || at >= shownItems.length - 1);
  byId("speed").value = String(player.speed);
  dialog.classList.toggle("two", comparing);
  if (!dialog.open) {
    dialog.showModal();
    dialog.focus(); // so that Space plays instead of pressing a button
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

function unloadVideos() {
  for (const video of player.videos) video.removeAttribute("src");
  player.load([]);
}

function drawScreens(item) {
  unloadVideos();
  byId("screens").replaceChildren(...item.episodes.map((episode, index) => screenOf(item, episode, index)));
  playWhenReady(item);
}

function screenOf(item, episode, index) {
  const box = make("div", { class: `screen run-${index}` });
  if (comparing) box.append(make("span", { class: "run-name", text: model.runs[index].label }));
  if (episode === null) {
    box.append(make("p", { class: "blank", text: "Not attempted." }));
  } else if (canBeMade(episode)) {
    box.append(progressBox(item, episode));
  } else if (videoAddress(episode) === null) {
    box.append(make("div", { class: "blank" }, posterImage(episode), make("p", { text: episode.media.why ?? "The page is still loading." })));
  } else {
    box.append(videoElement(episode));
  }
  return box;
}

function videoElement(episode) {
  const video = make("video", {
    src: videoAddress(episode), playsinline: true, preload: "auto", poster: posterAddress(episode),
    "aria-label": `${episode.task}, seed ${episode.seed}, ${episode.outcome}`, tabindex: "-1",
  });
  video.muted = true;
  video.addEventListener("click", () => player.toggle());
  video.addEventListener("error", () => {
    if (video.hasAttribute("src")) video.replaceWith(make("p", { class: "blank", text: "The video cannot be played." }));
  });
  return video;
}

function posterImage(episode) {
  const poster = posterAddress(episode);
  if (poster === null) return null;
  const image = make("img", { src: poster, alt: "" });
  image.addEventListener("error", () => image.remove());
  return image;
}

function progressBox(item, episode) {
  const bar = make("progress", { "aria-label": "Making the video" });
  const status = make("p", { role: "status", text: "The video is being made from the stored states." });
  const box = make("div", { class: "blank" }, posterImage(episode), status, bar);
  const isWanted = () => openItem === item && dialog.open && box.isConnected;
  setTimeout(async () => {
    if (!isWanted()) return;
    try {
      await makeVideo(episode, ({ done, total }) => {
        if (total) { bar.max = total; bar.value = done; }
        status.textContent = total ? `Making the video: frame ${done} of ${total}.` : "Waiting for another video to be made.";
      }, isWanted);
      if (isWanted()) { drawPanels(item); drawScreens(item); }
    } catch (problem) {
      status.textContent = problem instanceof TypeError
        ? "The server does not answer. Is watch-rollouts still running?" : problem.message;
      bar.remove();
    }
  }, DWELL_MS);
  return box;
}

// Plays the videos of an item together once all of them can be played.
function playWhenReady(item) {
  const videos = [...byId("screens").querySelectorAll("video")];
  player.load(videos);
  const start = () => {
    if (openItem !== item || videos.some((video) => video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA)) return;
    for (const video of videos) video.removeEventListener("canplay", start);
    const aspect = Math.max(...videos.map((video) => video.videoWidth / video.videoHeight));
    dialog.classList.toggle("wide", aspect > WIDE);
    player.show();
    player.play();
  };
  for (const video of videos) video.addEventListener("canplay", start);
}

function stepDetail(by) {
  const at = shownItems.indexOf(openItem);
  const next = at < 0 ? undefined : shownItems[at + by];
  if (next) openDetail(next);
}

function onClose() {
  unloadVideos();
  byId("screens").replaceChildren();
  const item = openItem;
  openItem = null;
  writeAddress(null);
  focusTile(item);
}

function onDetailKey(event) {
  if (!dialog.open || event.altKey || event.ctrlKey || event.metaKey || event.target.matches("select")) return;
  const onSlider = event.target.matches("input");
  if (event.key === "ArrowLeft" && !onSlider) stepDetail(-1);
  else if (event.key === "ArrowRight" && !onSlider) stepDetail(1);
  else if (event.key === " " && !event.target.matches("button:not(#play), a")) player.toggle();
  else return;
  event.preventDefault();
}

function setUpDetail() {
  for (const [id, by] of [["previous", -1], ["next", 1]]) {
    byId(id).addEventListener("click", (event) => {
      stepDetail(by);
      if (event.detail) dialog.focus(); // after a mouse click, Space plays
    });
  }
  byId("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", onClose);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.addEventListener("keydown", onDetailKey);
}
