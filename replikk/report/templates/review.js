"use strict";
// Decisions of the report page: where they are kept, how they get there, and what holds. No drawing in here.
//
// The page calls replikkReview.open(...) once and talks to the client that it gets:
//
//   const review = await replikkReview.open({ path, separator, columns, knows, onChange });
//   review.mode              "served": a server (`replikk review`) writes decisions.csv
//                            "disk":   the page was opened as a file; decisions stay in this browser until exported
//   review.decide([{ line_id, take_key, decision, why, style, respelling }, …])   one step, for one line or many
//   review.undo()            takes the last step of this page back; returns it, or null
//   review.decisionOn(line_id, take_key)   what holds on a take now, or null
//   review.decisions()       all rows, oldest first, each with `holds`, `stale` and `waiting` (not written yet)
//   review.status            { online, waiting, error, refused, remarks, problems, lost, report, lasting }
//   review.signedBy()        whose name goes with decisions
//   review.exportCsv()       the rows of this browser as a file of the same form as decisions.csv
//
// Everything is shown at once and written in the order in which it was done. A step that cannot be written because the
// server does not answer waits and is tried again under the same name, so that it is never written twice. What another
// page or a text editor does to the file arrives with the next look at it; `onChange` is called then, and after every
// change of our own. A refused decision is taken out of its step and told in `status.refused`.
const replikkReview = (() => {
  const FIELDS = ["line_id", "take_key", "decision", "who", "when", "why", "style", "respelling"];
  const COLUMN = { line_id: "id" }; // fields are called like their columns otherwise
  const DEFAULT_COLUMNS = ["id", "take_key", "decision", "who", "when", "why"];
  const POLL_MS = 3000;
  const RETRY_MS = [500, 1000, 2000, 5000, 10000];

  // What holds ---------------------------------------------------------------------------------------------------
  // The same rule as in replikk/dialogue/decisions.py: of several decisions on a take the last one holds, a key may
  // be given by its beginning, a withdrawal takes back and decides nothing, notes all stay.

  const sameTake = (one, other) => one.startsWith(other) || other.startsWith(one);

  const withHolds = (rows) => {
    const later = new Map();
    const judged = [];
    for (const row of [...rows].reverse()) {
      let holds = true;
      if (row.decision !== "note") {
        const id = row.line_id.toLowerCase();
        const rivals = later.get(id) || [];
        holds = !rivals.some((key) => sameTake(key, row.take_key));
        if (holds) later.set(id, [...rivals, row.take_key]);
        holds = holds && row.decision !== "withdraw";
      }
      judged.push({ ...row, holds });
    }
    return judged.reverse();
  };

  // CSV ----------------------------------------------------------------------------------------------------------
  // As replikk/spreadsheets.py: a text that a spreadsheet program would run gets an apostrophe in front.

  const startsFormula = (text) => {
    const shown = text.replace(/^[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}]+/u, "");
    return shown !== "" && "=+-@".includes([...shown][0].normalize("NFKC")[0]);
  };
  const safeCell = (text) => text.replace(/[\r\n\t\v\f\0\u0085\u2028\u2029]+/g, " ").split(/([,;|])/)
    .map((part) => (startsFormula(part) ? `'${part}` : part)).join("");
  const csvCell = (text, separator) => (
    /["\r\n']/.test(text) || text.includes(separator) ? `"${text.replaceAll('"', '""')}"` : text
  );

  const toCsv = (rows, form = {}) => {
    const separator = form.separator || ",";
    const columns = [...(form.columns && form.columns.length ? form.columns : DEFAULT_COLUMNS)];
    for (const field of FIELDS) {
      const column = COLUMN[field] || field;
      if (!columns.includes(column) && rows.some((row) => row[field])) columns.push(column);
    }
    const lines = [columns.map((column) => csvCell(column, separator)).join(separator)];
    for (const row of rows) {
      const cells = Object.fromEntries(FIELDS.map((field) => [COLUMN[field] || field, safeCell(row[field] || "")]));
      lines.push(columns.map((column) => csvCell(cells[column] || "", separator)).join(separator));
    }
    return `\ufeff${lines.join("\r\n")}\r\n`; // with byte order mark: Excel in Norway takes UTF-8 without it for cp1252
  };

  // Small things -------------------------------------------------------------------------------------------------

  const newName = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };

  const now = () => { // local time with its distance from UTC, as the server writes it
    const date = new Date();
    const offset = -date.getTimezoneOffset();
    const two = (number) => String(Math.floor(Math.abs(number))).padStart(2, "0");
    const local = new Date(date.getTime() + offset * 60000).toISOString().slice(0, 19);
    return `${local}${offset < 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)}`;
  };

  const filled = (decision, who) => {
    const row = {};
    for (const field of FIELDS) row[field] = String(decision[field] ?? "");
    row.who = row.who || who;
    row.when = row.when || now();
    return row;
  };

  // The browser's own memory; a page opened from a disk may not be allowed one, and then it lasts as long as the page.
  const memory = (storage, name) => {
    let lasting = true;
    return {
      get lasting() { return lasting; },
      read() {
        try {
          return JSON.parse(storage.getItem(name) || "null");
        } catch {
          lasting = false;
          return null;
        }
      },
      write(value) {
        try {
          storage.setItem(name, JSON.stringify(value));
          lasting = true;
        } catch {
          lasting = false;
        }
      },
    };
  };

  const storageOf = () => {
    try {
      return globalThis.localStorage;
    } catch {
      return undefined; // forbidden by the browser's settings
    }
  };

  // Opened from a disk -------------------------------------------------------------------------------------------

  const openDisk = (options) => {
    const kept = memory(options.storage, `replikk-decisions ${options.place} ${options.path || ""}`);
    let steps = kept.read();
    if (!Array.isArray(steps)) steps = []; // a step is a list of rows
    const status = {
      online: true, waiting: 0, error: "", refused: [], remarks: [], problems: [], lost: [], report: "",
      get lasting() { return kept.lasting; },
    };
    const changed = () => { kept.write(steps); options.onChange(); };
    kept.write(steps);
    return {
      mode: "disk",
      status,
      decide(decisions) {
        if (!decisions.length) return;
        steps.push(decisions.map((decision) => ({ ...filled(decision, options.who()), row: newName() })));
        changed();
      },
      undo() {
        const step = steps.pop() || null;
        if (step) changed();
        return step;
      },
      canUndo: () => steps.length > 0,
      signedBy: () => options.who(),
      rows: () => steps.flat().map((row) => ({
        ...row, waiting: false, stale: options.knows(row.line_id, row.take_key) ? "" : "the page shows no such take",
      })),
      unwritten: () => steps.flat(),
      forget() { steps = []; changed(); }, // after the export was put into the game's folder
      refresh: async () => {},
      close() {},
    };
  };

  // Served by `replikk review` -----------------------------------------------------------------------------------

  const openServed = (options, first, etag) => {
    let state = first;
    let tag = etag;
    let queue = []; // steps and undos that are not written yet, oldest first
    let steps = []; // our own steps, for undo
    let sending = null; // the one that the server is asked for right now
    let failures = 0;
    let timer = 0;
    let closed = false;
    const status = {
      online: true, error: "", refused: [], remarks: [], lasting: true,
      get waiting() { return queue.length; },
      get problems() { return state.problems; },
      get lost() { return state.lost; },
      get report() { return state.report; },
    };

    const ask = async (method, path, body, headers = {}) => {
      const answer = await options.fetch(path, {
        method,
        headers: body ? { ...headers, "Content-Type": "application/json" } : headers,
        body: body ? JSON.stringify(body) : undefined,
        credentials: "same-origin",
        cache: "no-store",
      });
      const content = answer.status === 304 ? null : await answer.json().catch(() => ({}));
      return { status: answer.status, content, tag: answer.headers.get("ETag") };
    };

    const later = (ms) => {
      clearTimeout(timer);
      if (!closed) timer = setTimeout(work, ms);
    };

    // The server is away (or between two builds): what we have stays, and is tried again.
    const offline = (sentence) => {
      status.online = false;
      status.error = sentence;
      later(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
      options.onChange();
    };

    const settle = (entry, answer) => {
      if (answer.status === 200) {
        state = answer.content.state;
        tag = null; // the state came along, its tag did not
        if (entry.undoes) entry.undoes.rows = [];
        else {
          entry.rows = answer.content.rows;
          status.remarks = answer.content.remarks || [];
        }
        status.error = "";
        return true;
      }
      const refused = (answer.content && answer.content.refused) || [];
      if (answer.status === 422 && refused.length && !entry.undoes) {
        const out = new Set(refused.map((one) => one.index));
        status.refused = refused.map((one) => ({ ...one, decision: entry.decisions[one.index] }));
        status.error = answer.content.error;
        entry.decisions = entry.decisions.filter((_, index) => !out.has(index));
        entry.request = newName(); // another thing to ask
        return entry.decisions.length === 0; // the rest is sent again
      }
      status.error = (answer.content && answer.content.error) || `the server answers ${answer.status}`;
      if (answer.status === 409) return null; // a person must mend the file first; we keep what we have
      status.refused = entry.undoes ? [] : entry.decisions.map((decision) => ({ what: status.error, decision }));
      return true; // asking again would not help
    };

    const send = async () => {
      while (queue.length && !closed) {
        const entry = queue[0];
        if (entry.undoes && !(entry.undoes.rows || []).length) {
          queue.shift(); // what it undoes was refused
          continue;
        }
        sending = entry;
        let answer;
        try {
          answer = entry.undoes
            ? await ask("POST", "/api/undo", { request: entry.request, rows: entry.undoes.rows })
            : await ask("POST", "/api/decisions", { request: entry.request, decisions: entry.decisions });
        } catch {
          return offline("the server of replikk review does not answer");
        } finally {
          sending = null;
        }
        if (answer.status === 403) return offline("the server was started anew: open the address that it printed");
        if (answer.status >= 500) return offline((answer.content || {}).error || "the server is busy");
        const done = settle(entry, answer);
        if (done === null) return offline(status.error);
        if (done) queue.shift();
        failures = 0;
        status.online = true;
        options.onChange();
      }
      return undefined;
    };

    const look = async () => {
      let answer;
      try {
        answer = await ask("GET", "/api/state", null, tag ? { "If-None-Match": tag } : {});
      } catch {
        return offline("the server of replikk review does not answer");
      }
      if (answer.status === 403) return offline("the server was started anew: open the address that it printed");
      if (answer.status !== 200 && answer.status !== 304) return offline((answer.content || {}).error || "");
      const news = answer.status === 200;
      const back = !status.online;
      if (news) {
        const old = state.version + state.report;
        state = answer.content;
        tag = answer.tag;
        if (old === state.version + state.report && !back) return later(POLL_MS);
      }
      failures = 0;
      status.online = true;
      if (back) status.error = "";
      if (news || back) options.onChange();
      return later(POLL_MS);
    };

    let running = null;
    const work = () => { // one at a time: what we write first, then what others wrote
      clearTimeout(timer);
      running = running || (async () => {
        const before = failures;
        await send();
        if (failures === before || failures === 0) await look();
      })().finally(() => {
        running = null;
        if (queue.length && status.online) later(0);
      });
      return running;
    };

    later(POLL_MS);
    return {
      mode: "served",
      status,
      decide(decisions) {
        if (!decisions.length) return;
        const entry = {
          request: newName(),
          decisions: decisions.map((decision) => filled(decision, this.signedBy())),
        };
        queue.push(entry);
        steps.push(entry);
        options.onChange();
        work();
      },
      undo() {
        const entry = steps.pop();
        if (!entry) return null;
        if (queue.includes(entry) && sending !== entry && !entry.rows && failures === 0) {
          queue = queue.filter((other) => other !== entry); // it was never asked for
        } else {
          // It may have been written although no answer came: ask for it again under its name, then take it back.
          queue.push({ request: newName(), undoes: entry });
        }
        options.onChange();
        work();
        return entry.decisions;
      },
      canUndo: () => steps.length > 0,
      signedBy: () => options.who() || state.who, // who started the server, where the page says nobody else
      rows() {
        const undone = new Set(queue.flatMap((entry) => (entry.undoes ? entry.undoes.rows || [] : [])));
        const waitingUndo = new Set(queue.map((entry) => entry.undoes).filter(Boolean));
        const waiting = queue.filter((entry) => !entry.undoes && !waitingUndo.has(entry));
        return [
          ...state.decisions.filter((row) => !undone.has(row.row)).map((row) => ({ ...row, waiting: false })),
          ...waiting.flatMap((entry) => entry.decisions.map((row, index) => ({
            ...row, row: `${entry.request}-${index}`, waiting: true, stale: "",
          }))),
        ];
      },
      unwritten: () => queue.filter((entry) => !entry.undoes).flatMap((entry) => entry.decisions),
      forget() {},
      refresh: work,
      close() { closed = true; clearTimeout(timer); },
    };
  };

  // What the page gets -------------------------------------------------------------------------------------------

  // `path`, `separator` and `columns` are those of the report's `decisions`; `knows(line_id, take_key)` says whether
  // the page shows such a take; `onChange()` is called when anything has changed.
  const open = async (given = {}) => {
    const place = given.location || globalThis.location;
    const storage = given.storage || storageOf();
    const signature = memory(storage, "replikk-who");
    let who = signature.read();
    if (typeof who !== "string") who = "";
    const options = {
      ...given,
      place: place.pathname,
      storage,
      who: () => who,
      knows: given.knows || (() => true),
      onChange: given.onChange || (() => {}),
      fetch: given.fetch || ((...request) => globalThis.fetch(...request)),
    };
    let client = null;
    if (place.protocol === "http:" || place.protocol === "https:") {
      try {
        const answer = await options.fetch("/api/state", { credentials: "same-origin", cache: "no-store" });
        const state = answer.ok ? await answer.json() : null;
        if (state && state.server === "replikk review") client = openServed(options, state, answer.headers.get("ETag"));
      } catch {
        client = null; // some other server, which only has the files
      }
    }
    client = client || openDisk(options);
    return Object.assign(client, {
      who: () => who,
      setWho(name) { who = String(name).trim(); signature.write(who); options.onChange(); },
      decisions: () => withHolds(client.rows()),
      decisionOn: (lineId, takeKey) => withHolds(client.rows()).findLast((row) => (
        row.holds && row.decision !== "note" && row.line_id.toLowerCase() === lineId.toLowerCase()
        && row.take_key !== "" && sameTake(row.take_key, takeKey)
      )) || null,
      exportCsv: () => toCsv(client.unwritten(), given),
    });
  };

  return { open, withHolds, toCsv, safeCell };
})();
if (typeof module !== "undefined") module.exports = replikkReview;
