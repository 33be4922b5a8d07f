// Where a video comes from: out of this file, from the server, or made by it on demand.

const POLL_MS = 300;
const opened = new Map(); // id of an embedded video -> its address, made once

function embeddedAddress(id) {
  if (!opened.has(id)) {
    const holder = byId(id);
    if (holder === null) return null; // the page is still loading
    const bytes = Uint8Array.from(atob(holder.textContent.trim()), (letter) => letter.charCodeAt(0));
    opened.set(id, URL.createObjectURL(new Blob([bytes], { type: "video/mp4" })));
    holder.remove();
  }
  return opened.get(id);
}

// The address of an episode's video, or null while there is none to play.
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

// Have the server make a video; `tell` hears {done, total}. Resolves when it is there or `wanted` says false.
async function makeVideo(episode, tell, wanted) {
  let reply = await fetch(`${episode.media.address}.mp4`, { method: "POST" });
  while (reply.ok && wanted()) {
    const state = await reply.json();
    if (state.error) throw new Error(state.error);
    if (state.ready) { episode.media.ready = true; return; }
    tell(state);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    reply = await fetch(`${episode.media.address}.json`);
  }
  if (!reply.ok) throw new Error(await reply.text());
}
