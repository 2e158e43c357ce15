// What was decided on which line, and asking for more: between the page and review.js, which keeps it.
const replikkDeciding = (() => {
  const { tell, countOf } = replikkShared;
  const { data, byFoldedId, knows, waiting } = replikkLines;
  const NAMES = { accept: "accept", lock: "lock", retake: "another reading", withdraw: "withdrawn", note: "note" };
  const DONE = { accept: "accepted", lock: "locked", retake: "another reading", withdraw: "taken back" };
  const listeners = new Set();
  let review = null;
  let rows = [];
  let byLine = new Map(); // line -> { deciding: row that holds, notes: [row], rows: [row] }

  const gather = () => {
    rows = review ? review.decisions() : [];
    byLine = new Map();
    for (const row of rows) {
      const line = byFoldedId.get(row.line_id.toLowerCase());
      if (!line) continue;
      const mine = byLine.get(line) || { rows: [], notes: [], deciding: null, withdrawn: false };
      mine.rows.push(row);
      if (row.decision === "note") mine.notes.push(row);
      else if (row.decision === "withdraw") mine.withdrawn = true;
      else if (row.holds && (!row.stale || line.state === "locked_stale") && knows(line.id, row.take_key)) mine.deciding = row;
      byLine.set(line, mine);
    }
  };

  const on = (line) => byLine.get(line) || { rows: [], notes: [], deciding: null, withdrawn: false };

  // Whether nobody has to look at a line any more before the next build.
  const isDone = (line) => {
    const mine = on(line);
    if (line.state === "locked_stale") return mine.withdrawn && !mine.deciding;
    return Boolean(mine.deciding);
  };

  // The take that something was decided on. A page from a disk cannot see the lock in the file, only that there is one.
  const decidedTake = (line) => {
    const mine = on(line);
    if (mine.deciding) return mine.deciding.take_key;
    return line.state === "locked_stale" && review.mode === "disk" && !mine.withdrawn ? line.take : "";
  };

  const takeOf = (line, row) => line.takes.findIndex((take) => take.key.startsWith(row.take_key) || row.take_key.startsWith(take.key));

  // Why a decision cannot be made; empty when it can.
  const obstacle = (line, decision, take) => {
    if (!review) return "the page is still asking where decisions are kept";
    if (decision === "note") return "";
    if (!take) return "there is no take to decide on";
    if (decision === "withdraw") return decidedTake(line) ? "" : "nothing was decided here that could be taken back";
    if (line.state === "locked_stale") return "its take says an older text; withdraw the lock, or put the old text back";
    if (decision === "retake") return line.human ? "a person spoke it: put a new recording in its place" : "";
    if (take.outcome === "retry" && !take.path && !take.delivered) return "this take has no audio";
    return "";
  };

  // One step for one line or many: [{ line, take, decision, why, style, respelling }].
  const decide = (wanted) => {
    const refused = [];
    const steps = [];
    for (const { line, take, decision, ...more } of wanted) {
      const why = obstacle(line, decision, take);
      if (why) refused.push({ line, why });
      else {
        const key = decision === "withdraw" ? decidedTake(line) : take ? take.key : "";
        steps.push({ line_id: line.id, take_key: key, decision, why: "", style: "", respelling: "", ...more });
      }
    }
    if (steps.length) review.decide(steps);
    const what = steps.length ? `${DONE[steps[0].decision] || "noted"}: ${steps.length === 1 ? steps[0].line_id : countOf(steps.length, "line", "lines")}` : "";
    const not = refused.length ? `${refused[0].line.id}: ${refused[0].why}${refused.length > 1 ? `, and ${refused.length - 1} more` : ""}` : "";
    tell([what, not].filter(Boolean).join(". "));
    return steps.length;
  };

  const undo = () => {
    const step = review && review.undo();
    if (!step) {
      tell("There is nothing of this page to take back");
      return null;
    }
    tell(`taken back: ${NAMES[step[0].decision]} on ${step.length === 1 ? step[0].line_id : countOf(step.length, "line", "lines")}`);
    return byFoldedId.get(step[0].line_id.toLowerCase()) || null;
  };

  const open = async () => {
    review = await replikkReview.open({
      path: data.decisions.path,
      separator: data.decisions.separator,
      columns: data.decisions.columns,
      knows,
      onChange: () => { if (review) changed(); },
    });
    changed();
    return review;
  };
  const changed = () => {
    gather();
    for (const listener of listeners) listener();
  };

  return {
    NAMES, DONE, open, on, isDone, takeOf, obstacle, decide, undo,
    listen(listener) { listeners.add(listener); },
    rows: () => rows,
    review: () => review,
    done: () => waiting.filter(isDone).length,
  };
})();
