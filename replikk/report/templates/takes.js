// The takes of a line: how they sound beside each other, what was heard in them, and what speaks against them.
const replikkTakes = (() => {
  const { make, words, number, seconds, key } = replikkShared;
  const { data } = replikkLines;
  const { waveform } = replikkWaveform;
  const LABELS = { sub: ["≠", "wrong word"], del: ["✕", "missing"], ins: ["+", "extra"] };

  // Gains in dB that bring all takes of a line to one loudness: that of its delivered clip where gains are possible,
  // else that of its quietest take. By the level of the speech in each.
  const gains = (line) => {
    const levels = line.takes.map((take) => take.level).filter((level) => level !== null && level !== undefined);
    if (!levels.length) return line.takes.map(() => 0);
    const delivered = line.takes.find((take) => take.delivered && take.level !== null);
    const wanted = replikkPlayer.mayAmplify && delivered && line.gain !== null ? delivered.level + line.gain : Math.min(...levels);
    return line.takes.map((take) => (take.level === null || take.level === undefined ? 0 : Math.max(-40, Math.min(20, wanted - take.level))));
  };

  // What the player is given for a take: the take itself, or the clip where that is all there is.
  const sound = (line, place) => {
    const take = line.takes[place];
    const clip = take.delivered ? line.path : "";
    return {
      name: `${line.id} take ${take.key}`, line: line.id, label: `take ${place + 1} of ${line.id}`,
      path: take.path || clip, fallback: take.path ? clip : "", gain_db: take.path ? gains(line)[place] : 0,
    };
  };
  const clip = (line) => ({ name: `${line.id} clip`, line: line.id, label: line.id, path: line.path });

  const outcome = (take) => (take.outcome
    ? make("span", { class: `outcome ${take.outcome}` }, data.outcomes[take.outcome] || take.outcome) : null);

  // Neighbours that are all missing, or all extra, are one box; wrong words stand over what was heard one by one.
  const joined = (steps) => steps.reduce((found, step) => {
    const last = found[found.length - 1];
    if (last && step[0] !== "ok" && step[0] !== "sub" && last[0] === step[0]) {
      found.splice(-1, 1, [last[0], `${last[1]} ${step[1]}`.trim(), `${last[2]} ${step[2]}`.trim()]);
    } else found.push(step);
    return found;
  }, []);

  // Expected over heard, word by word; signs and labels beside the colours.
  const comparison = (take, locale) => {
    const box = make("div", { class: "aligned", lang: locale, dir: "auto" });
    for (const [op, ...step] of joined(take.steps)) {
      if (op === "ok") {
        const [text, skipped, tail] = step;
        box.append(words("span", "ok", text), " ");
        if (skipped) {
          box.append(make("span", { class: "skipped", lang: "en" }, `… ${skipped} words as written …`), " ", words("span", "ok", tail), " ");
        }
        continue;
      }
      const [expected, heard] = step;
      const [sign, label] = LABELS[op];
      box.append(make("span", { class: `pair ${op}` },
        make("span", { class: "sign", lang: "en" }, make("span", { "aria-hidden": "true" }, sign), make("span", { class: "hidden" }, ` ${label}: `)),
        expected ? words("del", "", expected) : make("span", { class: "gap" }, "–"),
        heard ? words("ins", "", heard) : make("span", { class: "gap" }, "–")), " ");
    }
    return box;
  };

  const reasons = (take) => (take.reasons.length ? make("ul", { class: "reasons" }, take.reasons.map(([text, measured]) => (
    make("li", {}, make("span", { dir: "auto" }, text), measured ? make("small", {}, measured) : null)))) : null);

  const evidence = (take) => make("details", { class: "evidence" }, make("summary", {}, "What was measured"),
    make("dl", { class: "measures" }, [...take.measures, ["reading", String(take.reading)], ["seed", take.key.slice(0, 16)]]
      .map(([label, value]) => make("div", {}, make("dt", {}, label), make("dd", {}, value)))));

  // One of several takes side by side.
  const panel = (line, place, chosen, onChoose, onPlay) => {
    const take = line.takes[place];
    const small = waveform({ ...take, locale: line.locale, small: true, onSeek: () => onPlay(place), label: "" });
    const gain = gains(line)[place];
    const play = make("button", { class: "play", disabled: !take.path && !(take.delivered && line.path), "aria-label": `Play take ${place + 1}`,
      onclick: () => onPlay(place) }, "▶");
    const box = make("section", { class: `take${take.delivered ? " delivered" : ""}${chosen ? " chosen" : ""}`, "aria-label": `Take ${place + 1}` },
      make("header", {}, play, make("button", { class: "pick", "aria-pressed": String(chosen), onclick: () => onChoose(place) },
        make("b", {}, `Take ${place + 1}`), key(String(place + 1))), outcome(take), take.delivered ? make("span", { class: "chip" }, "in the build") : null),
      small,
      take.steps.some(([op]) => op !== "ok") ? comparison(take, line.locale)
        : take.heard ? words("p", "heard", take.heard.slice(0, 600), line.locale) : null,
      reasons(take),
      make("p", { class: "facts" }, [seconds(take.duration), `reading ${take.reading}`,
        take.level === null || take.level === undefined ? "" : `level ${number(take.level, 1, "dBFS")}${Math.abs(gain) < 0.05 ? "" : `, played ${gain > 0 ? "+" : ""}${number(gain, 1, "dB")}`}`]
        .filter(Boolean).join(" · ")),
      evidence(take));
    box.wave = small;
    box.playButton = play;
    return box;
  };

  return { sound, clip, outcome, comparison, reasons, evidence, panel, gains };
})();
