// The list of lines: searching, filtering, selecting. Only the rows that can be seen are in the page.
const replikkBrowse = (() => {
  const { make, words, seconds, countOf, key } = replikkShared;
  const { data, all, find, speaker, voiceOf } = replikkLines;
  const { on, isDone, DONE } = replikkDeciding;
  const ROW_PIXELS = 64; // as .list > li in report.css
  const SPARE_ROWS = 8;
  const FILTERS = ["query", "state", "scene", "voice", "mark"];

  const root = document.querySelector(".browse");
  const form = root.querySelector(".filters");
  const count = form.querySelector("output");
  const selecting = root.querySelector(".selecting");
  const frame = root.querySelector(".rows");
  const list = root.querySelector(".list");
  const controls = Object.fromEntries(FILTERS.map((name) => [name, form.elements.namedItem(name)]));
  const selected = new Set();
  const drawn = new Map(); // place in the list -> element
  let found = all;
  let current = null;
  let anchor = null; // where a selection with shift began
  let choose = () => {};
  let act = () => {};

  const offer = (name, label, values) => {
    const number = new Map();
    for (const line of all) number.set(line[name], (number.get(line[name]) || 0) + 1);
    for (const value of values || [...number.keys()].sort()) {
      if (number.has(value)) controls[name].append(make("option", { value }, `${label(value)} (${number.get(value)})`));
    }
  };
  offer("state", (state) => data.states[state], Object.keys(data.states));
  offer("scene", (scene) => scene);
  offer("voice", (voice) => (data.voices[voice] || { label: voice }).label);
  if (data.since) {
    controls.mark.append(make("option", { value: "since-new" }, "new since it could last be shipped"));
    controls.mark.append(make("option", { value: "since-changed" }, "changed since then"));
  }

  // Rows ---------------------------------------------------------------------------------------------------------------

  const chipOf = (line) => {
    const { deciding } = on(line);
    if (deciding && isDone(line)) return make("span", { class: `done ${deciding.decision}` }, `✓ ${DONE[deciding.decision]}`, deciding.waiting ? " …" : "");
    if (isDone(line)) return make("span", { class: "done withdraw" }, "✓ lock withdrawn");
    return make("span", { class: `badge ${line.state}` }, data.states[line.state]);
  };

  const row = (place) => {
    const line = found[place];
    const box = make("input", {
      type: "checkbox", checked: selected.has(line), "aria-label": `Select ${line.id}`, tabindex: "-1",
      onclick: (event) => { event.stopPropagation(); select(place, event.shiftKey); },
    });
    const open = make("button", { class: "open", onclick: (event) => {
      if (event.shiftKey) select(place, true); else choose(line, true);
    }, tabindex: "-1" },
      words("span", "words", line.text.slice(0, 300), line.locale),
      make("span", { class: "meta" }, make("code", {}, line.id), " · ", words("span", "", speaker(line))));
    const side = make("span", { class: "side" }, chipOf(line),
      make("small", {}, line.mark && data.show_marks ? `${line.mark} · ` : "", seconds(line.duration)));
    const item = make("li", {
      class: [line === current ? "current" : "", selected.has(line) ? "selected" : "", isDone(line) ? "is-done" : ""].join(" "),
      "aria-setsize": String(found.length), "aria-posinset": String(place + 1), "aria-current": line === current ? "true" : null,
    }, box, open, side);
    item.style.transform = `translateY(${place * ROW_PIXELS}px)`;
    return item;
  };

  const draw = () => {
    const first = Math.max(0, Math.floor(frame.scrollTop / ROW_PIXELS) - SPARE_ROWS);
    const last = Math.min(found.length, Math.ceil((frame.scrollTop + frame.clientHeight) / ROW_PIXELS) + SPARE_ROWS);
    for (const [place, element] of drawn) {
      if (place < first || place >= last) {
        element.remove();
        drawn.delete(place);
      }
    }
    for (let place = first; place < last; place += 1) {
      if (!drawn.has(place)) {
        const element = row(place);
        drawn.set(place, element);
        list.append(element);
      }
    }
  };

  const redraw = () => {
    for (const element of drawn.values()) element.remove();
    drawn.clear();
    list.style.height = `${found.length * ROW_PIXELS}px`;
    draw();
    drawSelection();
  };

  let scheduled = 0;
  frame.addEventListener("scroll", () => {
    cancelAnimationFrame(scheduled);
    scheduled = requestAnimationFrame(draw);
  }, { passive: true });
  new ResizeObserver(draw).observe(frame);

  const showCurrent = () => {
    const place = found.indexOf(current);
    if (place < 0) return;
    const top = place * ROW_PIXELS;
    if (top < frame.scrollTop) frame.scrollTop = top;
    else if (top + ROW_PIXELS > frame.scrollTop + frame.clientHeight) frame.scrollTop = top + ROW_PIXELS - frame.clientHeight;
  };

  // Searching ------------------------------------------------------------------------------------------------------------

  const search = () => {
    found = find(Object.fromEntries(FILTERS.map((name) => [name, controls[name].value])));
    count.textContent = `${found.length} of ${countOf(all.length, "line", "lines")}`;
    frame.scrollTop = 0;
    redraw();
    showCurrent();
  };
  form.addEventListener("input", search);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(search));

  // Selecting ------------------------------------------------------------------------------------------------------------

  const select = (place, range) => {
    const line = found[place];
    if (range && anchor !== null) {
      for (let at = Math.min(anchor, place); at <= Math.max(anchor, place); at += 1) selected.add(found[at]);
    } else {
      if (selected.has(line)) selected.delete(line); else selected.add(line);
      anchor = place;
    }
    redraw();
  };

  const drawSelection = () => {
    const here = found.length > 0 && found.every((line) => selected.has(line));
    const everything = make("label", {}, make("input", { type: "checkbox", checked: here, disabled: !found.length, onclick: () => {
      if (here) for (const line of found) selected.delete(line); else for (const line of found) selected.add(line);
      redraw();
    } }), selected.size ? `${countOf(selected.size, "line", "lines")} selected` : `Select all ${found.length}`);
    selecting.classList.toggle("on", selected.size > 0);
    selecting.replaceChildren(everything);
    if (!selected.size) return;
    for (const [decision, label] of [["accept", "Accept"], ["retake", "Another reading"], ["lock", "Lock"]]) {
      selecting.append(make("button", { "data-decision": decision, onclick: () => (decision === "retake" ? ask() : act(decision, {})) }, label));
    }
    selecting.append(make("button", { class: "quiet", onclick: clear }, "Clear selection"));
  };
  const clear = () => { selected.clear(); anchor = null; asking.hidden = true; redraw(); };

  // Another reading of all that is selected, with one direction for all of them.
  const asking = (() => {
    const style = make("input", { type: "text", name: "style", maxLength: 500, autocomplete: "off", dir: "auto", placeholder: "as in the sheet" });
    const why = make("input", { type: "text", name: "why", maxLength: 2000, autocomplete: "off", dir: "auto" });
    const leave = () => {
      document.activeElement.blur(); // a field that is not shown any more would still take the keys
      asking.hidden = true;
    };
    return make("form", { class: "ask", hidden: true, "aria-label": "Another reading of the selected lines",
      onkeydown: (event) => { if (event.key === "Escape") { event.stopPropagation(); leave(); } },
      onsubmit: (event) => {
        event.preventDefault();
        const said = { style: style.value.trim(), why: why.value.trim() };
        style.value = why.value = "";
        leave();
        act("retake", said);
      } },
      make("label", {}, "New direction for all of them", style), make("label", {}, "Comment", why),
      make("div", { class: "acts" }, make("button", { type: "submit" }, "Ask for another reading", key("Enter")),
        make("button", { class: "quiet", onclick: leave }, "Cancel", key("Esc"))));
  })();
  selecting.after(asking);
  const ask = () => { asking.hidden = false; asking.elements.style.focus(); };

  replikkDeciding.listen(redraw);

  return {
    selected,
    clear,
    ask,
    onChoose(listener) { choose = listener; },
    onAct(listener) { act = listener; },
    found: () => found,
    current: () => current,
    setCurrent(line) {
      const before = found.indexOf(current);
      current = line;
      for (const place of [before, found.indexOf(line)]) {
        if (drawn.has(place)) {
          drawn.get(place).remove();
          drawn.delete(place);
        }
      }
      showCurrent();
      draw();
    },
    toggleCurrent(step = 0) {
      const place = found.indexOf(current);
      if (place >= 0) select(place, false);
      return found[place + step] || current;
    },
    extendTo(line) {
      const place = found.indexOf(line);
      if (anchor === null) { anchor = found.indexOf(current); }
      if (place >= 0) select(place, true);
    },
    // "voice=kari&state=waiting": what the list shows from now on.
    filter(text) {
      for (const name of FILTERS) controls[name].value = "";
      for (const part of text.split("&")) {
        const at = part.indexOf("=");
        if (controls[part.slice(0, at)]) controls[part.slice(0, at)].value = part.slice(at + 1);
      }
      clear();
      search();
    },
    // As `filter` takes it.
    filtered: () => FILTERS.filter((name) => controls[name].value).map((name) => `${name}=${controls[name].value}`).join("&"),
    focusSearch() { controls.query.focus(); controls.query.select(); },
    show() { root.hidden = false; search(); },
    resized: () => { draw(); showCurrent(); },
  };
})();
