// Addresses of videos: embedded in this file, on the server, or made by the server on request.

const POLL_MS = 300;
const objectUrls = new Map(); // id of an embedded video -> its address, created once

function embeddedAddress(id) {
  if (!objectUrls.has(id)) {
    const holder = byId(id);
    if (holder === null) return null; // the page is still loading
    const bytes = Uint8Array.from(atob(holder.textContent.trim()), (letter) => letter.charCodeAt(0));
    objectUrls.set(id, URL.createObjectURL(new Blob([bytes], { type: "video/mp4" })));
    holder.remove();
  }
  return objectUrls.get(id);
}

// The address of an episode's video, or null if there is none to play.
function videoAddress(episode) {
  const media = episode.media;
  if (media.kind === "embedded") return embeddedAddress(media.address);
  return media.kind === "served" && media.ready ? `${media.address}.mp4` : null;
}

function posterAddress(episode) {
  if (episode.media.poster) return episode.media.poster;
  return episode.media.kind === "served" ? `${episode.media.address}.jpg` : null;
}

const canBeMade = (episode) => episode.media.kind === "served" && !episode.media.ready;

// Has the server make a video and calls onProgress({done, total}). Returns when it is ready or isWanted() is false.
async function makeVideo(episode, onProgress, isWanted) {
  let reply = await fetch(`${episode.media.address}.mp4`, { method: "POST" });
  while (reply.ok && isWanted()) {
    const state = await reply.json();
    if (state.error) throw new Error(state.error);
    if (state.ready) { episode.media.ready = true; return; }
    onProgress(state);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    reply = await fetch(`${episode.media.address}.json`);
  }
  if (!reply.ok) throw new Error(await reply.text());
}
