// Plays one or two videos as one: one button, one position, one speed. The longest video leads.

const JUMP_S = 0.4; // a video further than this from the leader jumps to it; a nearer one hurries or tarries [s]
const HURRY = 0.3; // how much faster or slower at most, as a share of the speed
const SPEEDS = [["0.25", "0.25 x"], ["0.5", "0.5 x"], ["1", "1 x"], ["2", "2 x"], ["4", "4 x"]];

const transport = {
  videos: [],
  playing: false,
  speed: 1,

  use(videos) {
    this.pause();
    for (const video of this.videos) video.ontimeupdate = video.onended = null;
    this.videos = videos;
    for (const video of videos) {
      video.playbackRate = this.speed;
      video.ontimeupdate = () => this.show();
      video.onended = () => { if (video === this.leader()) this.pause(); };
    }
    byId("transport").hidden = videos.length === 0;
    this.show();
  },

  leader() {
    return this.videos.reduce((longest, video) => (duration(video) > duration(longest) ? video : longest), this.videos[0]);
  },

  followers() {
    const leader = this.leader();
    return this.videos.filter((video) => video !== leader);
  },

  place(video, time) {
    const within = Math.min(time, duration(video));
    if (Math.abs(video.currentTime - within) > 0.001) video.currentTime = within;
  },

  toggle() {
    if (this.playing) this.pause(); else this.play();
  },

  play() {
    if (!this.videos.length) return;
    const leader = this.leader();
    if (leader.ended || leader.currentTime >= duration(leader)) this.seek(0);
    this.setPlaying(true);
    for (const video of this.videos) if (!video.ended) video.play().catch(() => this.refused(video));
    requestAnimationFrame(() => this.follow());
  },

  // The browser forbids to play, or the video was taken away or paused before it began: only the first is news.
  refused(video) {
    if (this.videos.includes(video) && video.paused) this.setPlaying(false);
  },

  pause() {
    this.setPlaying(false);
    for (const video of this.videos) video.pause();
    const leader = this.leader();
    for (const video of this.followers()) this.place(video, leader.currentTime);
  },

  seek(time) {
    for (const video of this.videos) this.place(video, time);
    this.show();
  },

  setSpeed(speed) {
    this.speed = speed;
    for (const video of this.videos) video.playbackRate = speed;
  },

  follow() {
    if (!this.playing) return;
    for (const video of this.followers()) this.keepUp(video, this.leader().currentTime);
    this.show();
    requestAnimationFrame(() => this.follow());
  },

  // Seeking at every small difference would make it stutter, so a follower runs a little faster or slower.
  keepUp(video, time) {
    const behind = Math.min(time, duration(video)) - video.currentTime;
    if (video.seeking) return;
    if (Math.abs(behind) > JUMP_S) this.place(video, time);
    video.playbackRate = this.speed * (1 + Math.min(Math.max(2 * behind, -HURRY), HURRY));
    if (video.paused && !video.ended && time < duration(video)) video.play().catch(() => {}); // it was taken away
  },

  show() {
    const leader = this.leader();
    const [now, whole] = leader ? [leader.currentTime, duration(leader)] : [0, 0];
    byId("position").value = whole ? Math.round((1000 * now) / whole) : 0;
    byId("time").textContent = `${now.toFixed(1)} of ${whole.toFixed(1)} s`;
    byId("position").setAttribute("aria-valuetext", byId("time").textContent);
    showCodes(now);
  },

  setPlaying(playing) {
    this.playing = playing;
    byId("play").classList.toggle("playing", playing);
    byId("play").setAttribute("aria-label", playing ? "Pause" : "Play");
  },
};

function duration(video) {
  return Number.isFinite(video.duration) ? video.duration : 0;
}

function startTransport() {
  fillSelect(byId("speed"), SPEEDS, "1");
  byId("speed").addEventListener("change", (event) => transport.setSpeed(Number(event.target.value)));
  byId("play").addEventListener("click", () => transport.toggle());
  byId("position").addEventListener("input", (event) => {
    const leader = transport.leader();
    if (leader) transport.seek((duration(leader) * Number(event.target.value)) / 1000);
  });
}
