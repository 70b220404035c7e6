const videos = [...document.querySelectorAll("video")];
const button = document.querySelector(".player button");
const slider = document.querySelector(".player input");
const label = document.querySelector(".player output");
if (button) {
  const { frames, fps } = document.querySelector(".player").dataset;
  const lead = videos[0];
  const show = (seconds) => {
    const frame = Math.min(frames - 1, Math.floor(seconds * fps + 1e-3));
    slider.value = frame;
    label.value = `frame ${frame} / ${frames - 1}`;
  };
  const follow = () => {
    for (const video of videos.slice(1)) {
      if (Math.abs(video.currentTime - lead.currentTime) > 0.06) video.currentTime = lead.currentTime;
    }
    show(lead.currentTime);
    if (!lead.paused) requestAnimationFrame(follow);
  };
  const play = () => { videos.forEach((v) => v.play()); button.textContent = "Pause"; requestAnimationFrame(follow); };
  const pause = () => { videos.forEach((v) => v.pause()); button.textContent = "Play"; };
  button.onclick = () => (lead.paused ? play() : pause());
  slider.oninput = () => {
    pause();
    videos.forEach((v) => { v.currentTime = (Number(slider.value) + 0.5) / fps; });
    label.value = `frame ${slider.value} / ${frames - 1}`;
  };
  lead.addEventListener("ended", () => { videos.forEach((v) => { v.currentTime = 0; }); play(); });
  show(0);
}
