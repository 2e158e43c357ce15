// One player for the whole page: a clip, a take, a reference, or several clips in a row.
//
// Takes are compared at the same loudness. Where the page is served, a gain can lift a quiet take; a page opened from a
// disk may not touch the sound of files (browsers mute it), so there the louder takes are turned down instead.
const replikkPlayer = (() => {
  const audio = new Audio();
  audio.preload = "auto";
  const listeners = new Set();
  let queue = [];
  let current = null; // { name, path, fallback, gain_db, line }
  let gain = null;
  let ticking = 0;
  const mayAmplify = /^https?:$/.test(location.protocol) && typeof AudioContext === "function";

  const changed = () => { for (const listener of listeners) listener(state()); };
  const state = () => ({
    name: current && current.name,
    line: current && current.line,
    playing: Boolean(current) && !audio.paused && !audio.ended,
    time_s: current ? audio.currentTime : 0,
    duration_s: current && Number.isFinite(audio.duration) ? audio.duration : null,
  });

  const tick = () => {
    cancelAnimationFrame(ticking);
    changed();
    if (current && !audio.paused) ticking = requestAnimationFrame(tick);
  };

  const setLoudness = (wanted_db) => {
    if (mayAmplify && wanted_db > 0 && !gain) {
      const context = new AudioContext();
      gain = context.createGain();
      context.createMediaElementSource(audio).connect(gain);
      gain.connect(context.destination);
    }
    const factor = 10 ** (wanted_db / 20);
    if (gain) {
      gain.context.resume();
      gain.gain.value = factor;
      audio.volume = 1;
    } else {
      audio.volume = Math.min(1, factor);
    }
  };

  const start = (item, from_s = 0) => {
    current = item;
    audio.src = item.path;
    setLoudness(item.gain_db || 0);
    if (from_s) audio.currentTime = from_s;
    audio.play().catch((error) => {
      if (error.name === "AbortError" || current !== item) return;
      if (item.fallback) {
        start({ ...item, path: item.fallback, fallback: "" }, 0);
        return;
      }
      stop();
      replikkShared.tell(error.name === "NotAllowedError"
        ? "The browser wants a click or a key first: press space again."
        : `${item.label} cannot be played: are the folders assets and store still beside the folder report?`);
    });
    tick();
  };

  const stop = () => {
    queue = [];
    current = null;
    audio.pause();
    changed();
  };

  audio.addEventListener("ended", () => {
    const next = queue.shift();
    if (next) start(next);
    else {
      const ended = current;
      current = null;
      changed();
      if (ended && ended.onEnd) ended.onEnd();
    }
  });
  audio.addEventListener("playing", tick);
  audio.addEventListener("pause", changed);
  // The players of the voices' references are their own; one at a time all the same.
  document.addEventListener("play", () => stop(), true);

  return {
    audio,
    mayAmplify,
    state,
    stop,
    listen(listener) { listeners.add(listener); },
    play(item, from_s = 0) {
      for (const other of document.querySelectorAll("audio")) other.pause();
      queue = [];
      start(item, from_s);
    },
    inARow(items) {
      if (!items.length) return;
      this.play(items[0]);
      queue = items.slice(1);
    },
    // The same again pauses and goes on; another one starts.
    toggle(item) {
      if (!current || current.name !== item.name) this.play(item);
      else if (audio.paused) { audio.play().catch(() => stop()); tick(); } else audio.pause();
    },
    seek(item, time_s) {
      if (current && current.name === item.name) { audio.currentTime = time_s; if (audio.paused) audio.play().catch(() => {}); tick(); }
      else this.play(item, time_s);
    },
  };
})();
