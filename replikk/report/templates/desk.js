// One line on the desk: its scene, its takes, and what is to be done with it.
const replikkDesk = (() => {
  const { make, words, key, seconds, number, countOf, remembered, remember } = replikkShared;
  const { data, speaker, voiceOf, neighbour } = replikkLines;
  const deciding = replikkDeciding;
  const player = replikkPlayer;
  const { sound, clip, outcome, comparison, reasons, evidence, panel } = replikkTakes;
  const root = document.querySelector(".desk");
  const BUTTONS = [["accept", "Accept", "a"], ["retake", "Another reading", "r"], ["lock", "Lock", "l"]];
  const LONG_TEXT = 220;
  let line = null;
  let chosen = 0;
  let parts = {};
  let standing = ""; // "3 of 39"
  let go = () => {};
  let after = () => {};

  const take = () => line.takes[chosen];
  const playChosen = (from_s) => {
    if (!line.takes.length) return;
    const item = sound(line, chosen);
    if (!item.path) return;
    if (from_s === undefined) player.toggle(item); else player.seek(item, from_s);
  };
  const playTake = (place) => {
    const same = place === chosen;
    if (!same) choose(place);
    const item = sound(line, place);
    if (!item.path) return;
    if (same) player.toggle(item); else player.play(item);
  };

  // Scene --------------------------------------------------------------------------------------------------------------

  const near = (other, label) => (other ? make("p", { class: "near" },
    make("button", { class: "play small", "aria-label": `Play ${other.id}, the line ${label}`, disabled: !other.path, onclick: () => player.toggle(clip(other)) }, "▶"),
    make("a", { href: `#line-${other.id}`, title: `The line ${label}: ${other.id}` }, words("b", "", speaker(other)), " ", words("span", "", other.text.slice(0, 240), other.locale)))
    : null);

  const scene = () => {
    const [before, next] = [neighbour(line, -1), neighbour(line, 1)];
    return make("section", { class: "scene", "aria-label": "In its scene" },
      near(before, "before"),
      make("p", { class: line.text.length > LONG_TEXT ? "script long" : "script" }, words("b", "", speaker(line)), " ", words("span", "text", line.text, line.locale)),
      near(next, "after"),
      line.path && (before || next) ? make("button", { class: "quiet", onclick: context }, "▶ Play in context", key("c")) : null);
  };
  const context = () => {
    const three = [neighbour(line, -1), line, neighbour(line, 1)].filter((other) => other && other.path).map(clip);
    player.inARow(three);
  };

  const aside = (label, text, lang) => (text && text.length > LONG_TEXT ? make("details", { class: "aside" },
    make("summary", {}, label), words("p", "", text, lang)) : text ? make("p", { class: "aside" }, make("b", {}, label), " ", words("span", "", text, lang)) : null);

  // Listening ----------------------------------------------------------------------------------------------------------

  const listening = () => {
    const box = make("section", { class: "listening", "aria-label": "Listen" });
    if (!line.takes.length) {
      box.append(make("p", { class: "none" }, "There is no take."));
      return box;
    }
    const one = take();
    const item = sound(line, chosen);
    const wave = replikkWaveform.waveform({
      ...one, path: item.path, duration: one.duration || line.duration, locale: line.locale, label: item.label,
      onSeek: (time_s) => player.seek(item, time_s),
    });
    const play = make("button", { class: "play big", disabled: !item.path, "aria-label": `Play take ${chosen + 1}`, onclick: () => playChosen() }, "▶");
    const time = make("span", { class: "time" }, seconds(one.duration || line.duration));
    const reference = voiceOf(line).reference;
    parts.wave = wave;
    parts.play = play;
    parts.time = time;
    const extra = make("div", { class: "also" },
      line.path && one.path ? make("button", { class: "quiet", onclick: () => player.toggle(clip(line)) }, "▶ Finished clip", key("d")) : null,
      reference ? make("button", { class: "quiet", onclick: playReference }, "▶ Voice reference", key("v")) : null,
      make("span", { class: "soft" }, line.takes.length > 1 ? `Take ${chosen + 1} of ${line.takes.length}, all at the same loudness` : "", " ", outcome(one),
        one.delivered && line.takes.length > 1 ? [" ", make("span", { class: "chip" }, "in the build")] : null));
    box.append(make("div", { class: "deck" }, play, wave, time), extra);
    if (!item.path) box.append(make("p", { class: "none" }, "This take has no audio."));
    box.append(...[reasons(one)].filter(Boolean));
    const wrong = one.steps.some(([op]) => op !== "ok");
    if (wrong && line.state !== "hear_once") {
      box.append(make("p", { class: "head" }, "Script, and under it what was heard"), comparison(one, line.locale));
    } else if (one.steps.length && line.state !== "hear_once") {
      box.append(make("p", { class: "head" }, "Every word was heard as it is written."));
    } else if (one.heard) box.append(aside("Heard", one.heard.slice(0, 2000), line.locale));
    if (line.takes.length === 1 && one.measures.length) box.append(evidence(one));
    return box;
  };

  const playReference = () => {
    const { reference } = voiceOf(line);
    if (reference) player.toggle({ name: `voice ${line.voice}`, line: line.id, label: `the reference of ${voiceOf(line).label}`, path: reference });
  };

  const sideBySide = () => {
    parts.panels = [];
    if (line.takes.length < 2) return null;
    parts.panels = line.takes.map((_, place) => panel(line, place, place === chosen, choose, playTake));
    return make("section", { class: "side-by-side", "aria-label": "Takes side by side" },
      make("h3", {}, "Takes side by side"), make("div", { class: "panels" }, parts.panels));
  };

  // Deciding -----------------------------------------------------------------------------------------------------------

  const said = (row) => {
    const place = deciding.takeOf(line, row);
    const more = [row.style && `direction: ${row.style}`, row.respelling && `spoken as: ${row.respelling}`, row.why].filter(Boolean);
    return make("li", { class: `${row.holds && !row.stale ? "holds" : ""} ${row.stale ? "stale" : ""}` },
      make("b", {}, deciding.NAMES[row.decision] || row.decision), place >= 0 && line.takes.length > 1 ? ` take ${place + 1}` : "",
      more.length ? [": ", words("span", "", more.join("; "))] : null, " ",
      make("small", {}, [row.who, row.when.slice(0, 16).replace("T", " "), row.waiting ? "not written yet" : "",
        row.stale ? `stale: ${row.stale}` : row.decision !== "note" && !row.holds ? "replaced" : ""].filter(Boolean).join(" · ")));
  };

  const drawDecisions = () => {
    if (!line || !parts.decisions) return;
    const mine = deciding.on(line);
    const rows = [...mine.rows].reverse();
    parts.decisions.replaceChildren(...(rows.length ? [make("h3", {}, "Decided"), make("ul", {}, rows.map(said))] : []));
    const holding = mine.deciding;
    const place = holding ? deciding.takeOf(line, holding) : -1;
    for (const [decision, button] of Object.entries(parts.buttons)) {
      const why = deciding.obstacle(line, decision, take());
      button.disabled = Boolean(why);
      button.title = why;
      button.setAttribute("aria-pressed", String(Boolean(holding) && holding.decision === decision && place === chosen));
      if (decision === "withdraw") button.hidden = Boolean(why);
    }
    parts.undo.disabled = !deciding.review() || !deciding.review().canUndo();
  };

  const bar = () => {
    parts.buttons = {};
    for (const [decision, label, letter] of [...BUTTONS, ["withdraw", line.state === "locked_stale" ? "Withdraw the lock" : "Take back", "w"]]) {
      const several = decision !== "withdraw" && line.takes.length > 1 && decision !== "retake" ? ` take ${chosen + 1}` : "";
      parts.buttons[decision] = make("button", { class: `act ${decision}`, "data-decision": decision, onclick: () => act(decision) }, `${label}${several}`, key(letter));
    }
    parts.undo = make("button", { class: "quiet undo", onclick: () => undo() }, "Undo", key("u"));
    parts.retake = retakeForm();
    parts.note = noteForm();
    return make("footer", { class: "decide", "aria-label": "Decide" }, parts.retake, parts.note,
      make("div", { class: "acts" }, Object.values(parts.buttons), make("span", { class: "rest" },
        make("button", { class: "quiet", onclick: () => openForm(parts.note) }, "Comment", key("n")), parts.undo)));
  };

  // Forms above the buttons; Escape leaves them.
  const openForm = (form) => {
    const other = form === parts.note ? parts.retake : parts.note;
    if (other === parts.retake) other.hidden = true;
    form.hidden = false;
    form.querySelector("input").focus();
  };
  const closeOnEscape = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    event.currentTarget.hidden = true;
    root.focus({ preventScroll: true });
  };

  const noteForm = () => {
    parts.comment = make("input", { type: "text", class: "comment", maxLength: 2000, autocomplete: "off", dir: "auto" });
    return make("form", { class: "note", hidden: true, onkeydown: closeOnEscape, onsubmit: (event) => { event.preventDefault(); note(); } },
      make("label", {}, "Comment ", parts.comment), make("button", { type: "submit" }, "Save as a note", key("Enter")),
      make("small", { class: "soft" }, "or decide: it goes with the decision"));
  };

  const retakeForm = () => {
    const style = make("input", { type: "text", name: "style", maxLength: 500, autocomplete: "off", dir: "auto", placeholder: line.style || "as in the sheet, such as: si dette stille og ettertenksomt" });
    const respelling = make("input", { type: "text", name: "respelling", maxLength: 5000, autocomplete: "off", dir: "auto", lang: line.locale, placeholder: (line.spoken || line.text).slice(0, 200) });
    const form = make("form", { class: "retake", hidden: true, onkeydown: closeOnEscape, onsubmit: (event) => {
      event.preventDefault();
      finish("retake", { style: style.value.trim(), respelling: respelling.value.trim() });
    } },
      make("p", { class: "head" }, "Another reading. Both fields may stay empty; the player still reads the old text."),
      make("label", {}, "New direction ", style), make("label", {}, "Say it as ", respelling),
      make("div", { class: "acts" }, make("button", { type: "submit", class: "act retake" }, "Ask for another reading", key("Enter")),
        make("button", { class: "quiet", onclick: () => { form.hidden = true; root.focus(); } }, "Cancel", key("Esc"))));
    return form;
  };

  const act = (decision) => {
    const why = deciding.obstacle(line, decision, take());
    if (why) { replikkShared.tell(`${line.id}: ${why}`); return; }
    if (decision === "retake") {
      openForm(parts.retake);
      return;
    }
    finish(decision, {});
  };

  const finish = (decision, more) => {
    const decided = line;
    const why = parts.comment.value.trim();
    clearForms();
    if (deciding.decide([{ line, take: take(), decision, why, ...more }]) && decision !== "withdraw") after(decided);
  };

  const note = () => {
    const why = parts.comment.value.trim();
    if (!why) { openForm(parts.note); return; }
    clearForms();
    deciding.decide([{ line, take: take(), decision: "note", why }]);
  };

  const clearForms = () => {
    parts.comment.value = "";
    for (const form of [parts.note, parts.retake]) form.hidden = true;
    root.focus({ preventScroll: true });
  };

  const undo = () => {
    const back = deciding.undo();
    if (back && back !== line) go(back);
  };

  // The whole ------------------------------------------------------------------------------------------------------------

  const header = () => {
    const onward = make("label", { class: "onward" }, make("input", { type: "checkbox", checked: remembered("onward", true), onchange: (event) => remember("onward", event.target.checked) }), "play the next by itself");
    parts.position = make("span", { class: "soft position" }, standing);
    return make("header", {},
      make("div", { class: "top" },
        make("button", { class: "quiet back", onclick: () => go(null) }, "‹ List"),
        make("h2", { id: "desk-title" }, line.id), make("span", { class: `badge ${line.state}` }, data.states[line.state]),
        line.mark && data.show_marks ? make("span", { class: "chip" }, line.mark) : null,
        line.human ? make("span", { class: "chip" }, "recorded by a person") : null,
        make("span", { class: "turn" }, parts.position,
          make("button", { class: "quiet", "aria-label": "Previous line", onclick: () => go(-1) }, "↑"),
          make("button", { class: "quiet", "aria-label": "Next line", onclick: () => go(1) }, "↓"), onward)),
      make("p", { class: "where" }, words("span", "", line.scene), " · ",
        make("a", { href: `#voice-${line.voice}` }, words("span", "", voiceOf(line).label)),
        line.character ? [" as ", words("span", "", line.character)] : null, " · ", words("span", "place", line.place),
        line.duration === null ? null : ` · ${seconds(line.duration)}`,
        line.loudness === null ? null : ` · ${number(line.loudness, 1, "LUFS")}`));
  };

  const drawLine = () => {
    parts = {};
    const kept = root.scrollTop;
    root.setAttribute("aria-labelledby", "desk-title");
    parts.decisions = make("section", { class: "decided" });
    const advice = data.advice[line.state];
    const sheet = make("div", { class: "sheet" },
      header(), scene(),
      make("div", { class: "asides" }, aside("Direction", line.style), aside("Spoken as", line.spoken, line.locale), aside("Note", line.notes),
        line.remarks.map((remark) => aside("Remark", remark))),
      listening(),
      advice ? make("p", { class: "advice" }, advice) : null,
      line.complete ? null : make("p", { class: "advice" }, "This page has no room for the takes of so many lines; they are in report.json."),
      parts.decisions, sideBySide());
    root.replaceChildren(sheet, bar());
    root.scrollTop = kept;
    drawDecisions();
    follow(player.state());
  };

  const choose = (place) => {
    if (place < 0 || place >= line.takes.length || place === chosen) return;
    const fields = () => [parts.note, parts.retake].flatMap((form) => [...form.querySelectorAll("input")]);
    const written = fields().map((field) => field.value);
    const asking = !parts.retake.hidden;
    chosen = place;
    drawLine();
    fields().forEach((field, number) => { field.value = written[number]; });
    parts.note.hidden = !parts.comment.value;
    parts.retake.hidden = !asking;
  };

  // Whatever plays is shown where it is drawn.
  const follow = (state) => {
    if (!line) return;
    const mine = (place) => line.takes[place] && state.name === `${line.id} take ${line.takes[place].key}`;
    const mark = (button, playing) => {
      if (!button) return;
      button.textContent = playing ? "❚❚" : "▶";
      button.classList.toggle("on", playing);
    };
    if (parts.wave) {
      const here = mine(chosen);
      parts.wave.show(here ? state.time_s : null);
      mark(parts.play, here && state.playing);
      const whole = take().duration || line.duration;
      parts.time.textContent = here ? `${state.time_s.toFixed(1)} / ${seconds(whole)}` : seconds(whole);
    }
    (parts.panels || []).forEach((box, place) => {
      box.wave.show(mine(place) ? state.time_s : null);
      mark(box.playButton, mine(place) && state.playing);
    });
    root.dataset.playing = state.playing ? state.name : "";
  };

  player.listen(follow);
  deciding.listen(drawDecisions);
  root.tabIndex = -1;

  return {
    show(next, position) {
      standing = position;
      if (next !== line) {
        line = next;
        chosen = Math.max(0, line.takes.findIndex((each) => each.delivered));
        const mine = deciding.on(line).deciding;
        const decided = mine ? deciding.takeOf(line, mine) : -1;
        if (decided >= 0) chosen = decided;
        root.scrollTop = 0;
        drawLine();
      }
      parts.position.textContent = standing;
      root.hidden = false;
    },
    hide() { root.hidden = true; },
    focus() { root.focus({ preventScroll: true }); },
    onGo(listener) { go = listener; },
    onDecided(listener) { after = listener; },
    line: () => line,
    playChosen: () => playChosen(),
    playFirst: () => { if (line.takes.length) player.play(sound(line, chosen)); },
    chooseTake: (place) => { choose(place); },
    playTake: (place) => { if (line.takes[place]) playTake(place); },
    turnTake: (step) => { const place = chosen + step; if (line.takes[place]) { choose(place); player.play(sound(line, place)); } },
    context, playReference,
    playClip: () => { if (line.path) player.toggle(clip(line)); },
    act, undo, countOf,
    comment: () => openForm(parts.note),
  };
})();
