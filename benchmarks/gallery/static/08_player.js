// Plays one or two videos together: one button, one position, one speed. The others follow the longest video.

const JUMP_S = 0.4; // a follower that is off by more jumps to the leader; by less, it changes its speed [s]
const MAX_CORRECTION = 0.3; // of the speed, as a share
const SLIDER_MAX = 1000;
const SPEEDS = [["0.25", "0.25 x"], ["0.5", "0.5 x"], ["1", "1 x"], ["2", "2 x"], ["4", "4 x"]];

const player = {
  videos: [],
  playing: false,
  speed: 1,

  load(videos) {
    this.pause();
    for (const video of this.videos) video.ontimeupdate = video.onended = null;
    this.videos = videos;
    for (const video of videos) {
      video.playbackRate = this.speed;
      video.ontimeupdate = () => this.show();
      video.onended = () => { if (video === this.leader()) this.pause(); };
    }
    byId("player").hidden = videos.length === 0;
    this.show();
  },

  leader() {
    return this.videos.reduce((longest, video) => (duration(video) > duration(longest) ? video : longest), this.videos[0]);
  },

  followers() {
    const leader = this.leader();
    return this.videos.filter((video) => video !== leader);
  },

  seekOne(video, time) {
    const target = Math.min(time, duration(video));
    if (Math.abs(video.currentTime - target) > 0.001) video.currentTime = target;
  },

  seek(time) {
    for (const video of this.videos) this.seekOne(video, time);
    this.show();
  },

  toggle() {
    if (this.playing) this.pause(); else this.play();
  },

  play() {
    if (!this.videos.length) return;
    const leader = this.leader();
    if (leader.ended || leader.currentTime >= duration(leader)) this.seek(0);
    this.setPlaying(true);
    for (const video of this.videos) if (!video.ended) video.play().catch(() => this.onRejected(video));
    requestAnimationFrame(() => this.follow());
  },

  // The browser does not allow to play. A video that was removed or paused before it started is rejected too.
  onRejected(video) {
    if (this.videos.includes(video) && video.paused) this.setPlaying(false);
  },

  pause() {
    this.setPlaying(false);
    for (const video of this.videos) video.pause();
    const leader = this.leader();
    for (const video of this.followers()) this.seekOne(video, leader.currentTime);
    this.show();
  },

  setSpeed(speed) {
    this.speed = speed;
    for (const video of this.videos) video.playbackRate = speed;
  },

  follow() {
    if (!this.playing) return;
    for (const video of this.followers()) this.synchronize(video, this.leader().currentTime);
    this.show();
    requestAnimationFrame(() => this.follow());
  },

  // Seeking at every small difference would make a follower stutter, so it runs a little faster or slower.
  synchronize(video, time) {
    const behind = Math.min(time, duration(video)) - video.currentTime;
    if (video.seeking) return;
    if (Math.abs(behind) > JUMP_S) this.seekOne(video, time);
    video.playbackRate = this.speed * (1 + Math.min(Math.max(2 * behind, -MAX_CORRECTION), MAX_CORRECTION));
    if (video.paused && !video.ended && time < duration(video)) video.play().catch(() => {}); // removed meanwhile
  },

  show() {
    const leader = this.leader();
    const [now, total] = leader ? [leader.currentTime, duration(leader)] : [0, 0];
    byId("position").value = sliderValue(now, total);
    byId("time").textContent = `${now.toFixed(1)} of ${total.toFixed(1)} s`;
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

// Only the very start and end have the slider's first and last value: a key that does not change it is no input event.
function sliderValue(now, total) {
  if (now <= 0 || !total) return 0;
  return now < total ? Math.min(Math.max(Math.round((SLIDER_MAX * now) / total), 1), SLIDER_MAX - 1) : SLIDER_MAX;
}

function setUpPlayer() {
  fillSelect(byId("speed"), SPEEDS, "1");
  byId("position").max = SLIDER_MAX;
  byId("speed").addEventListener("change", (event) => player.setSpeed(Number(event.target.value)));
  byId("play").addEventListener("click", () => player.toggle());
  byId("position").addEventListener("input", (event) => {
    const leader = player.leader();
    if (leader) player.seek((duration(leader) * Number(event.target.value)) / SLIDER_MAX);
  });
}
