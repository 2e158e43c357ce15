// The lines of the game as the build left them, from the JSON in the page.
const replikkLines = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const shared = Object.keys(data.values);
  const since = data.since || { new: [], changed: [] };
  const sinceNew = new Set(since.new);
  const sinceChanged = new Set(since.changed);
  const waiting = new Set(data.waiting);

  const all = data.rows.map((row, index) => {
    const line = { index };
    data.fields.forEach((name, place) => { line[name] = row[place]; });
    for (const name of shared) line[name] = data.values[name][line[name]];
    line.waiting = waiting.has(index);
    const known = data.takes[index];
    line.human = Boolean(known && known.human);
    line.complete = Boolean(known) || line.state === "passed"; // false: its takes did not fit into the page
    // A line that passed at once has its delivered take and nothing to say about it.
    line.takes = known ? known.takes : line.take ? [{
      key: line.take, delivered: true, outcome: line.state === "passed" ? "pass" : "", path: "", heard: null, reasons: [],
      steps: [], measures: [], duration: line.duration, level: null, outline: "", words: [], stretches: [],
    }] : [];
    return line;
  });
  const byId = new Map(all.map((line) => [line.id, line]));
  const byFoldedId = new Map(all.map((line) => [line.id.toLowerCase(), line]));

  // Everything that a search looks into; made when somebody searches.
  const haystack = (line) => {
    line.hay = line.hay || [
      line.id, line.text, line.spoken, line.scene, line.voice, voiceOf(line).label, line.character, line.style,
      line.place, line.notes, line.remarks.join(" "), line.reasons.join(" "),
    ].join("\n").toLowerCase();
    return line.hay;
  };

  const voiceOf = (line) => data.voices[line.voice] || { label: line.voice, reference: "", transcript: "" };
  const speaker = (line) => line.character || voiceOf(line).label;

  const neighbour = (line, step) => {
    for (let at = line.index + step; at >= 0 && at < all.length; at += step) {
      if (all[at].scene === line.scene && all[at].locale === line.locale) return all[at];
      if (Math.abs(at - line.index) > 200) return null; // scenes lie together in their sheets
    }
    return null;
  };

  // Lines that need somebody, the most urgent first, then the others as in the sheets.
  const urgency = new Map(data.waiting.map((index, place) => [index, place]));

  const matches = (line, wanted) => {
    if (wanted.state === "waiting" ? !line.waiting : wanted.state && line.state !== wanted.state) return false;
    if (wanted.scene && line.scene !== wanted.scene) return false;
    if (wanted.voice && line.voice !== wanted.voice) return false;
    if (wanted.mark === "since-new" ? !sinceNew.has(line.index)
      : wanted.mark === "since-changed" ? !sinceChanged.has(line.index)
        : wanted.mark && line.mark !== wanted.mark) return false;
    return wanted.parts.every((part) => haystack(line).includes(part));
  };

  const find = (wanted) => {
    const parts = (wanted.query || "").toLowerCase().split(/\s+/).filter(Boolean);
    const found = all.filter((line) => matches(line, { ...wanted, parts }));
    const place = (line) => urgency.get(line.index) ?? urgency.size + line.index;
    return found.sort((one, other) => place(one) - place(other));
  };

  const knows = (lineId, takeKey) => {
    const line = byFoldedId.get(lineId.toLowerCase());
    if (!line) return false;
    return takeKey === "" || line.takes.some((take) => take.key.startsWith(takeKey) || takeKey.startsWith(take.key));
  };

  return { data, all, byId, byFoldedId, voiceOf, speaker, neighbour, find, knows, waiting: data.waiting.map((n) => all[n]) };
})();
