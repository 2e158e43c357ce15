// A take to look at: its wave, the stretches to listen to, the words under it, and where the player is.
const replikkWaveform = (() => {
  const { make, draw, words, seconds } = replikkShared;
  const PIXELS_PER_S = 64; // enough for the words of quick speech in two or three rows
  const MOST_PIXELS = 12000;
  const [LEVEL_PIXELS, MOST_LEVELS] = [20, 4];
  const MARKS = { ok: "", sub: "≠ ", del: "✕ ", ins: "+ " };
  const TOLD = { sub: "heard instead of", del: "missing", ins: "extra" };

  const outlineOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

  // Both halves of the wave as one closed path over 1000 × 100 units.
  const pathOf = (bins) => {
    if (!bins.length) return "";
    const x = (place) => ((place + 0.5) / bins.length * 1000).toFixed(1);
    const upper = [...bins].map((bin, place) => `${x(place)} ${(50 - bin / 255 * 47 - 0.6).toFixed(1)}`);
    const lower = [...bins].map((bin, place) => `${x(place)} ${(50 + bin / 255 * 47 + 0.6).toFixed(1)}`).reverse();
    return `M${upper.join("L")}L${lower.join("L")}Z`;
  };

  // A clip whose outline is not in the page is drawn when it is looked at; from a disk the browser does not allow that.
  const computed = new Map();
  const compute = (path) => {
    if (!computed.has(path)) {
      computed.set(path, (async () => {
        const answer = await fetch(path);
        if (!answer.ok) return null;
        const context = new OfflineAudioContext(1, 1, 22050);
        const sound = await context.decodeAudioData(await answer.arrayBuffer());
        const samples = sound.getChannelData(0);
        const count = Math.min(600, Math.max(60, Math.round(sound.duration * 50)), samples.length);
        const bins = new Float32Array(count);
        for (let i = 0; i < samples.length; i += 1) {
          const bin = Math.floor(i / samples.length * count);
          bins[bin] = Math.max(bins[bin], Math.abs(samples[i]));
        }
        const loudest = bins.reduce((most, bin) => Math.max(most, bin), 1e-6);
        return Uint8Array.from(bins, (bin) => Math.round(bin / loudest * 255));
      })().catch(() => null));
    }
    return computed.get(path);
  };
  const mayCompute = /^https?:$/.test(location.protocol);

  // `given`: { outline, path, duration, words, stretches, locale, label, onSeek(time_s), small }.
  // The element has show(time_s or null), which moves the playhead.
  const waveform = (given) => {
    const duration = given.duration || 0;
    const percent = (time_s) => (duration ? Math.min(100, Math.max(0, time_s / duration * 100)) : 0);
    const shape = draw("path", { class: "wave" });
    const played = draw("path", { class: "wave played" });
    const clip = draw("rect", { x: 0, y: 0, width: 0, height: 100 });
    const name = `played-${waveform.count = (waveform.count || 0) + 1}`;
    played.setAttribute("clip-path", `url(#${name})`);
    const svg = draw("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true" },
      draw("clipPath", { id: name }, clip), shape, played);
    const fill = (bins) => { shape.setAttribute("d", pathOf(bins)); played.setAttribute("d", pathOf(bins)); };
    const head = make("span", { class: "playhead", hidden: true });
    const strip = make("div", { class: "strip" });
    for (const [start_s, end_s, label] of given.stretches) {
      const stretch = make("span", { class: "stretch", title: label }, make("span", { class: "flag", dir: "auto" }, label));
      stretch.style.left = `${percent(start_s)}%`;
      stretch.style.width = `${Math.max(0.4, percent(end_s) - percent(start_s))}%`;
      if (percent(start_s) > 60) stretch.classList.add("late");
      strip.append(stretch);
    }
    strip.append(svg, head);
    const inner = make("div", { class: "inner" }, strip);
    const box = make("div", { class: given.small ? "waveform small" : "waveform" }, inner);

    if (given.small) box.setAttribute("aria-hidden", "true");
    else {
      Object.assign(strip, { tabIndex: 0 });
      strip.setAttribute("role", "slider");
      strip.setAttribute("aria-label", `Place in ${given.label}`);
      strip.setAttribute("aria-valuemin", "0");
      strip.setAttribute("aria-valuemax", duration.toFixed(2));
      strip.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -0.25, ArrowRight: 0.25, Home: -Infinity }[event.key];
        if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        event.stopPropagation();
        given.onSeek(Math.min(duration, Math.max(0, at + step)));
      });
      if (duration * PIXELS_PER_S > 300 && given.words.length) {
        inner.style.minWidth = `${Math.min(MOST_PIXELS, duration * PIXELS_PER_S)}px`;
      }
      if (given.words.length) inner.append(underWords(given, percent));
      new ResizeObserver(() => arrangeFlags(strip)).observe(strip);
    }
    strip.addEventListener("pointerdown", (event) => {
      const place = strip.getBoundingClientRect();
      if (event.button === 0) given.onSeek(Math.max(0, (event.clientX - place.left) / place.width * duration));
    });

    let at = 0;
    box.show = (time_s) => {
      at = time_s || 0;
      head.hidden = time_s === null;
      head.style.left = `${percent(at)}%`;
      clip.setAttribute("width", percent(at) * 10);
      if (given.small) return;
      strip.setAttribute("aria-valuenow", at.toFixed(2));
      strip.setAttribute("aria-valuetext", seconds(at));
      if (time_s !== null && box.scrollWidth > box.clientWidth) {
        const wanted = percent(at) / 100 * box.scrollWidth;
        if (wanted < box.scrollLeft + 20 || wanted > box.scrollLeft + box.clientWidth - 60) box.scrollLeft = wanted - 60;
      }
    };
    box.show(null);
    if (!given.small && given.stretches.length) {
      requestAnimationFrame(() => { box.scrollLeft = percent(given.stretches[0][0]) / 100 * box.scrollWidth - box.clientWidth / 3; });
    }
    if (given.outline) fill(outlineOf(given.outline));
    else if (mayCompute && given.path) compute(given.path).then((bins) => { if (bins) fill(bins); else box.classList.add("empty"); });
    else box.classList.add("empty");
    return box;
  };

  // Neighbours that are missing, or extra, are one label.
  const joined = (steps) => steps.reduce((found, [op, expected, heard, start_s, end_s]) => {
    const last = found[found.length - 1];
    if (last && last[0] === op && (op === "del" || op === "ins")) {
      found.splice(-1, 1, [op, `${last[1]} ${expected}`.trim(), `${last[2]} ${heard}`.trim(), last[3], end_s]);
    } else found.push([op, expected, heard, start_s, end_s]);
    return found;
  }, []);

  // The labels of the stretches, where there is room for them; the words below and the reasons say the rest.
  const arrangeFlags = (strip) => {
    let end = -Infinity;
    for (const stretch of strip.querySelectorAll(".stretch")) {
      const flag = stretch.firstElementChild;
      const left = stretch.offsetLeft + (stretch.classList.contains("late") ? stretch.offsetWidth - flag.offsetWidth : 0);
      flag.style.visibility = left < end + 6 ? "hidden" : "visible";
      if (left >= end + 6) end = left + flag.offsetWidth;
    }
  };

  const underWords = (given, percent) => {
    const row = make("div", { class: "under", "aria-hidden": "true" }); // the comparison tells screen readers the same
    const placed = joined(given.words).map(([op, expected, heard, start_s, end_s]) => {
      const word = words("span", `word ${op}`, `${MARKS[op]}${op === "del" ? expected : heard}`, given.locale);
      word.title = op === "ok" ? expected : `${TOLD[op]}${op === "sub" ? ` «${expected}»` : ""}`;
      word.addEventListener("pointerdown", () => given.onSeek(Math.max(0, start_s - 0.05)));
      row.append(word);
      return { word, middle: percent((start_s + end_s) / 2) / 100 };
    });
    // Each word stands under its sound; one that would cover its neighbour goes a row down.
    const arrange = () => {
      const width = row.clientWidth;
      if (!width) return;
      const widths = placed.map(({ word }) => word.offsetWidth);
      const ends = [];
      placed.forEach(({ word, middle }, place) => {
        const left = Math.max(0, Math.min(width - widths[place], middle * width - widths[place] / 2));
        let level = ends.findIndex((end) => end + 4 <= left);
        if (level < 0) level = ends.length < MOST_LEVELS ? ends.length : ends.indexOf(Math.min(...ends));
        ends[level] = left + widths[place];
        word.style.left = `${left}px`;
        word.style.top = `${level * LEVEL_PIXELS + 3}px`;
      });
      row.style.height = `${Math.max(1, ends.length) * LEVEL_PIXELS + 4}px`;
    };
    new ResizeObserver(arrange).observe(row);
    return row;
  };

  return { waveform };
})();
