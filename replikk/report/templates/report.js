"use strict";
// The list of all lines, the copy buttons, and one player at a time. Texts go into the page through textContent only.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const shared = Object.keys(data.values);
  const lines = data.rows.map((row) => {
    const line = {};
    data.fields.forEach((name, number) => { line[name] = row[number]; });
    for (const name of shared) line[name] = data.values[name][line[name]];
    line.haystack = [
      line.id, line.text, line.spoken, line.scene, line.voice, data.voices[line.voice], line.character, line.style,
      line.place, line.notes, line.remarks.join(" "), line.reasons.join(" "),
    ].join("\n").toLowerCase();
    return line;
  });
  const STEP = 60; // rows drawn at a time

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const words = (className, text, lang) => {
    const element = make("span", className, text);
    element.dir = "auto";
    if (lang) element.lang = lang;
    return element;
  };

  // Copy ------------------------------------------------------------------------------------------------------------
  const told = document.getElementById("told");
  let silence = 0;
  const tell = (text) => {
    told.textContent = text;
    clearTimeout(silence);
    silence = setTimeout(() => { told.textContent = ""; }, 2500);
  };
  const copyByHand = (text) => {
    const area = make("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const text = button.dataset.copy;
    let copied = false;
    try {
      await navigator.clipboard.writeText(text);
      copied = true;
    } catch {
      copied = copyByHand(text);
      button.focus();
    }
    tell(copied ? `Copied: ${text}` : `Could not copy; the row is: ${text}`);
    if (copied) {
      button.classList.add("done");
      setTimeout(() => button.classList.remove("done"), 2500);
    }
  });

  // One player at a time --------------------------------------------------------------------------------------------
  const voice = new Audio();
  voice.preload = "none";
  let playing = null;
  const stop = () => {
    voice.pause();
    if (playing) {
      playing.classList.remove("on");
      playing.textContent = "▶";
      playing.setAttribute("aria-pressed", "false");
    }
    playing = null;
  };
  voice.addEventListener("ended", stop);
  document.addEventListener("play", (event) => {
    stop();
    for (const other of document.querySelectorAll("audio")) if (other !== event.target) other.pause();
  }, true);
  const play = (button, line) => {
    const again = playing === button;
    stop();
    if (again) return;
    for (const other of document.querySelectorAll("audio")) other.pause();
    voice.src = line.path;
    playing = button;
    button.classList.add("on");
    button.textContent = "■";
    button.setAttribute("aria-pressed", "true");
    voice.play().catch((error) => {
      if (error.name === "AbortError") return;
      stop();
      tell(`${line.id} cannot be played: is the folder assets still beside the folder report?`);
    });
  };

  // The list --------------------------------------------------------------------------------------------------------
  const form = document.querySelector(".filters");
  const list = document.querySelector(".list");
  const more = document.querySelector(".more");
  const count = form.querySelector("output");
  const controls = Object.fromEntries(["query", "state", "scene", "voice", "mark"].map((n) => [n, form.elements.namedItem(n)]));
  const offer = (name, label) => {
    const number = new Map();
    for (const line of lines) number.set(line[name], (number.get(line[name]) || 0) + 1);
    for (const value of data.values[name]) {
      const option = make("option", "", `${label(value)} (${number.get(value)})`);
      option.value = value;
      controls[name].append(option);
    }
  };
  offer("state", (state) => data.states[state]);
  offer("scene", (scene) => scene);
  offer("voice", (name) => data.voices[name] || name);
  form.hidden = false;

  const seconds = (value) => value === null ? "" : value < 59.95
    ? `${value.toFixed(1)} s` : `${Math.floor(Math.round(value) / 60)}:${String(Math.round(value) % 60).padStart(2, "0")} min`;
  const decibel = (value, unit) => `${value.toFixed(1).replace("-", "−")} ${unit}`;

  const details = (line) => {
    const box = make("div", "more-of");
    const say = (label, text, lang) => {
      if (!text) return;
      const row = make("p", "aside");
      row.append(make("b", "", label), words("", text, lang));
      box.append(row);
    };
    if (document.getElementById(`line-${line.id}`)) {
      const jump = make("a", "", "Everything about this line");
      jump.href = `#line-${encodeURIComponent(line.id)}`;
      box.append(jump);
    }
    for (const reason of line.reasons) say("Reason", reason);
    say("Spoken as", line.spoken, line.locale);
    say("Direction", line.style);
    say("Note", line.notes);
    for (const remark of line.remarks) say("Remark", remark);
    const measures = make("dl", "measures");
    const measure = (label, value) => {
      if (!value) return;
      const row = make("div");
      row.append(make("dt", "", label), make("dd", "", value));
      measures.append(row);
    };
    measure("place", line.place);
    measure("loudness", line.loudness === null ? "" : decibel(line.loudness, "LUFS"));
    measure("gain", line.gain === null ? "" : decibel(line.gain, "dB"));
    measure("take", line.take.slice(0, 16));
    box.append(measures);
    if (line.take && line.state !== "locked_stale") {
      const row = make("div", "rows");
      row.append(make("span", "", "Copy row:"));
      for (const [decision, label] of Object.entries(data.decisions.labels)) {
        const button = make("button", "copy", label);
        button.type = "button";
        const cells = { id: line.id, take_key: line.take, decision };
        button.dataset.copy = data.decisions.columns.map((name) => cells[name] || "").join(data.decisions.separator);
        row.append(button);
      }
      box.append(row);
    }
    return box;
  };

  const draw = (line) => {
    const item = make("li");
    const row = make("div", "row");
    if (line.path) {
      const button = make("button", "play", "▶");
      button.type = "button";
      button.setAttribute("aria-label", `Play ${line.id}`);
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => play(button, line));
      row.append(button);
    } else {
      row.append(make("span", "none", "–"));
    }
    const toggle = make("button", "toggle");
    toggle.type = "button";
    toggle.setAttribute("aria-expanded", "false");
    toggle.append(words("words", line.text, line.locale));
    const meta = make("span", "meta");
    const who = data.voices[line.voice] || line.voice;
    meta.append(make("code", "", line.id), " · ", words("", line.scene), " · ", words("", line.character || who));
    toggle.append(meta);
    toggle.addEventListener("click", () => {
      const open = item.lastChild !== row;
      if (open) item.lastChild.remove(); else item.append(details(line));
      toggle.setAttribute("aria-expanded", String(!open));
    });
    const side = make("span", "side");
    const marks = make("span");
    if (line.mark && data.show_marks) marks.append(make("span", "chip", line.mark), " ");
    marks.append(make("span", `badge ${line.state}`, data.states[line.state]));
    side.append(marks);
    side.append(make("span", "", seconds(line.duration)));
    row.append(toggle, side);
    item.append(row);
    return item;
  };

  let found = lines;
  let drawn = 0;
  const grow = () => {
    const part = document.createDocumentFragment();
    for (const line of found.slice(drawn, drawn + STEP)) part.append(draw(line));
    drawn = Math.min(found.length, drawn + STEP);
    list.append(part);
    more.hidden = drawn >= found.length;
    more.textContent = `Show ${Math.min(STEP, found.length - drawn)} more`;
  };
  const search = () => {
    const parts = controls.query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const exact = ["state", "scene", "voice", "mark"].filter((name) => controls[name].value !== "");
    found = lines.filter((line) => exact.every((name) => line[name] === controls[name].value)
      && parts.every((part) => line.haystack.includes(part)));
    stop();
    list.replaceChildren();
    drawn = 0;
    count.textContent = `${found.length} of ${lines.length} lines`;
    grow();
  };
  form.addEventListener("input", search);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(search));
  more.addEventListener("click", grow);
  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-filter]");
    if (!chosen) return;
    const [name, value] = chosen.dataset.filter.split("=");
    form.reset();
    controls[name].value = value;
    search();
  });
  search();

  // A link to a line inside a closed fold opens the fold.
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target && target.closest("details")) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
