// The whole page: which view is shown, the keyboard, where decisions are kept, and the player's manners.
(() => {
  const { make, key, tell, countOf, remembered, copy } = replikkShared;
  const { data, all, byId, waiting } = replikkLines;
  const deciding = replikkDeciding;
  const browse = replikkBrowse;
  const desk = replikkDesk;
  const player = replikkPlayer;
  const main = document.getElementById("main");
  const overview = document.querySelector(".overview");
  const linesPart = document.getElementById("lines");
  const work = document.querySelector(".work");
  const help = document.querySelector("dialog.help");
  const notices = document.querySelector(".notices");
  document.documentElement.classList.add("scripted");

  // Views --------------------------------------------------------------------------------------------------------------

  let atDesk = false;
  let scrolled = 0;
  let shown = "";
  const narrow = matchMedia("(max-width: 56rem)");

  const showView = (name) => {
    const wanted = name === "lines";
    const filtered = browse.filtered() === "state=waiting" ? "state=waiting" : "state=";
    if (wanted === atDesk && linesPart.hidden !== wanted && shown === filtered) return;
    shown = filtered;
    if (wanted && !atDesk) scrolled = scrollY;
    atDesk = wanted;
    overview.hidden = wanted;
    linesPart.hidden = !wanted;
    document.documentElement.classList.toggle("at-desk", wanted);
    if (wanted) browse.resized(); else if (!overview.hidden) { player.stop(); scrollTo({ top: scrolled, behavior: "instant" }); }
    for (const link of document.querySelectorAll(".bar nav a")) {
      const here = wanted ? link.dataset.filter === filtered : link.classList.contains("home");
      if (here) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
    }
  };

  const openLine = (line, { focus = true, narrowToo = true } = {}) => {
    if (!browse.found().includes(line)) browse.filter("state=");
    showView("lines");
    browse.setCurrent(line);
    desk.show(line, `${browse.found().indexOf(line) + 1} of ${browse.found().length}`);
    if (narrowToo) linesPart.classList.add("one");
    if (focus) desk.focus();
    const hash = `#line-${line.id}`;
    if (location.hash !== hash) history.replaceState(null, "", hash);
  };

  // On a phone the list and a line have no room side by side: who wants to begin gets the line, others the list.
  const openList = (filter, begin = false) => {
    if (filter !== undefined) browse.filter(filter);
    showView("lines");
    linesPart.classList.remove("one");
    const line = browse.found().find((each) => !deciding.isDone(each)) || browse.found()[0];
    if (line && (begin || !narrow.matches)) openLine(line, { narrowToo: begin });
    else if (!browse.found().length) desk.hide();
  };

  const route = () => {
    let name = "";
    try {
      name = decodeURIComponent(location.hash.slice(1));
    } catch {
      // a mangled address: the first screen
    }
    if (name.startsWith("line-") && byId.has(name.slice(5))) openLine(byId.get(name.slice(5)));
    else if (name === "lines") { if (!atDesk) openList(); } else {
      showView("overview");
      const target = name && document.getElementById(name);
      if (target && target !== main) target.scrollIntoView();
      else if (name === "main") scrollTo({ top: 0, behavior: "instant" });
    }
  };

  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-filter]");
    if (chosen) {
      event.preventDefault();
      history.pushState(null, "", "#lines");
      openList(chosen.dataset.filter, chosen.closest(".begin") !== null);
      return;
    }
    const link = event.target.closest('a[href^="#line-"]');
    const line = link && byId.get(decodeURIComponent((link.getAttribute("href") || "").slice(6)));
    if (line) {
      event.preventDefault();
      history.pushState(null, "", `#line-${line.id}`);
      openLine(line);
    }
  });
  addEventListener("hashchange", route);
  addEventListener("popstate", route);

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const text = button.dataset.copy;
    tell(await copy(text) ? `Copied: ${text}` : `Could not copy; the text is: ${text}`);
  });

  // Going on -------------------------------------------------------------------------------------------------------------

  const step = (by) => {
    const found = browse.found();
    const at = found.indexOf(desk.line());
    const line = found[Math.min(found.length - 1, Math.max(0, at + by))];
    if (line) openLine(line);
  };

  browse.onChoose((line) => openLine(line));
  desk.onGo((where) => {
    if (where === null) { linesPart.classList.remove("one"); browse.resized(); } else if (typeof where === "number") step(where);
    else openLine(where);
  });
  // After a decision: the next line that waits for one, from here on, then from the top.
  desk.onDecided((line) => {
    const found = browse.found();
    const at = found.indexOf(line);
    const next = [...found.slice(at + 1), ...found.slice(0, at)].find((each) => each.waiting && !deciding.isDone(each));
    if (!next) {
      player.stop();
      if (waiting.length && deciding.done() === waiting.length) tell(allDecided(deciding.review()));
      return;
    }
    openLine(next);
    if (remembered("onward", true)) desk.playFirst(); else player.stop();
  });

  const decideSelected = (decision, more = {}) => {
    const wanted = [...browse.selected].map((line) => {
      const take = line.takes.find((each) => each.delivered) || line.takes[line.takes.length - 1];
      return { line, take, decision, ...more };
    });
    if (deciding.decide(wanted)) browse.clear();
  };
  browse.onAct(decideSelected);

  // Where decisions are kept ---------------------------------------------------------------------------------------------

  // A page on a disk writes no file: a build that ran now would know nothing of what was decided here.
  const allDecided = (review) => review && review.mode === "disk" && review.unwritten().length
    ? `Everything is decided. Export the CSV, put its rows at the end of ${data.decisions.path}, then build again.`
    : "Everything is decided. Build again.";

  let firstReport = null;
  const drawWork = () => {
    const review = deciding.review();
    if (!review) return;
    const { status } = review;
    const done = deciding.done();
    const place = review.mode === "served"
      ? status.waiting ? `writing ${countOf(status.waiting, "step", "steps")} …` : status.online ? "written at once" : "not connected"
      : status.lasting ? "kept in this browser" : "kept until this page is closed";
    const fill = make("span", {});
    fill.style.width = `${waiting.length ? done / waiting.length * 100 : 100}%`;
    const who = make("input", { type: "text", class: "who", "aria-label": "Who decides", placeholder: review.signedBy() || "your name", size: "8", maxLength: 100, autocomplete: "name",
      onchange: (event) => review.setWho(event.target.value) });
    who.value = document.activeElement && document.activeElement.classList.contains("who") ? document.activeElement.value : review.who();
    if (!work.contains(document.activeElement) || !work.children.length) {
      work.replaceChildren(
        waiting.length ? make("span", { class: "count", title: "lines that wait for a person" }, make("span", { class: "meter", "aria-hidden": "true" }, fill), `${done} of ${waiting.length} decided`) : "",
        make("span", { class: `kept ${status.online ? "" : "off"}` }, place),
        review.mode === "disk" && review.unwritten().length ? make("button", { class: "export", onclick: exportCsv }, "Export CSV") : "",
        who,
        make("button", { class: "quiet", "aria-label": "Keys and help", onclick: () => help.showModal() }, "?"));
      work.hidden = false;
    }
    for (const progress of document.querySelectorAll(".begin .progress")) {
      progress.textContent = done === waiting.length ? allDecided(review) : done ? `${done} of ${waiting.length} decided` : "";
    }
    drawNotices(review);
    drawDecided(review);
  };

  const notice = (tone, text, ...more) => make("div", { class: `notice ${tone}` }, make("span", { dir: "auto" }, text), ...more);
  const drawNotices = (review) => {
    const { status } = review;
    const found = [];
    if (review.mode === "served") {
      firstReport = firstReport ?? status.report;
      if (status.report !== firstReport) {
        found.push(notice("note", "There has been a new build. ", make("button", { onclick: () => location.reload() }, "Load its report")));
      }
      if (!status.online || status.error) found.push(notice("bad", `${status.error || "The server does not answer"}. What you decide is kept here and written later.`));
      for (const one of status.refused) found.push(notice("bad", `Not taken: ${one.decision.line_id}: ${one.what}`));
      for (const problem of status.problems) found.push(notice("bad", `${data.decisions.path}: ${problem}`));
      if (status.lost.length) found.push(notice("bad", `Somebody saved an older version of ${data.decisions.path} over ${countOf(status.lost.length, "decision", "decisions")}: ${status.lost.map((row) => row.line_id).join(", ")}`));
      for (const remark of status.remarks) found.push(notice("note", remark));
    } else if (!status.lasting) {
      found.push(notice("note", "This browser does not let the page remember: export your decisions before you close it."));
    }
    notices.replaceChildren(...found);
  };

  const exportCsv = () => {
    const review = deciding.review();
    const address = URL.createObjectURL(new Blob([review.exportCsv()], { type: "text/csv" }));
    make("a", { href: address, download: "decisions.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    tell(`Put its rows at the end of ${data.decisions.path}, then build again`);
  };

  const MOST_ROWS = 300;
  const drawDecided = (review) => {
    const part = document.getElementById("decided");
    const rows = deciding.rows();
    part.hidden = !rows.length;
    if (!rows.length) return;
    part.querySelector(".number").textContent = String(rows.length);
    part.querySelector(".meaning").textContent = review.mode === "served"
      ? `In ${data.decisions.path}, the latest first.`
      : `Kept in this browser, the latest first. Export them, and put the rows at the end of ${data.decisions.path}.`;
    part.querySelector(".tools").replaceChildren(...(review.mode === "disk" ? [
      make("button", { onclick: exportCsv }, "Export CSV"),
      make("button", { class: "quiet", onclick: () => { if (confirm("Forget all decisions that this browser keeps?")) review.forget(); } }, "Forget them here"),
    ] : []));
    part.querySelector("tbody").replaceChildren(...rows.slice(-MOST_ROWS).reverse().map((row) => make("tr", { class: row.stale ? "stale" : "" },
      make("td", {}, byId.has(row.line_id) ? make("a", { href: `#line-${row.line_id}` }, row.line_id) : row.line_id),
      make("td", {}, make("code", {}, row.take_key.slice(0, 8))),
      make("td", {}, deciding.NAMES[row.decision] || row.decision),
      make("td", { dir: "auto" }, row.who), make("td", {}, row.when.slice(0, 16).replace("T", " ")),
      make("td", { dir: "auto" }, [row.why, row.style, row.respelling].filter(Boolean).join(" · ")),
      make("td", {}, row.waiting ? "not written yet" : row.stale ? `stale: ${row.stale}` : row.decision === "note" ? "" : row.holds ? "holds" : "replaced"))));
  };
  deciding.listen(drawWork);
  addEventListener("beforeunload", (event) => {
    const review = deciding.review();
    if (review && (review.status.waiting > 0 || (review.mode === "disk" && !review.status.lasting && review.unwritten().length))) event.preventDefault();
  });

  // Keyboard -------------------------------------------------------------------------------------------------------------

  const KEYS = [
    [["Space"], "play, pause"], [["↑", "↓"], "line before, line after"], [["←", "→"], "take before, take after"], [["1 – 9"], "play that take"],
    [["a"], "accept"], [["r"], "another reading, with a new direction or spelling if you like"], [["l"], "lock"], [["w"], "take back what was decided on a line"],
    [["n"], "comment: with the next decision, or as a note"], [["u"], "undo the last step"], [["c"], "play the line between its neighbours"],
    [["v"], "the reference of its voice"], [["d"], "the finished clip"], [["x"], "select the line; with Shift and arrows several"],
    [["Esc"], "leave a field, a selection, the desk"], [["/"], "search"], [["o"], "overview"], [["Enter"], "from the overview: listen and decide"], [["?"], "this help"],
  ];
  help.append(make("h2", { id: "help-title" }, "Keys"),
    make("dl", {}, KEYS.map(([names, what]) => make("div", {}, make("dt", {}, key(...names)), make("dd", {}, what)))),
    make("p", {}, "With several lines selected, a, r and l decide on all of them at once."),
    make("form", { method: "dialog" }, make("button", { type: "submit", autofocus: true }, "Close")));

  const wide = { " ": () => desk.playChosen(), ArrowUp: () => step(-1), ArrowDown: () => step(1), k: () => step(-1), j: () => step(1),
    ArrowLeft: () => desk.turnTake(-1), ArrowRight: () => desk.turnTake(1), n: () => desk.comment(), u: () => desk.undo(),
    w: () => desk.act("withdraw"), c: () => desk.context(), v: () => desk.playReference(), d: () => desk.playClip(),
    x: () => { browse.toggleCurrent(); }, "/": () => browse.focusSearch(), o: () => { history.pushState(null, "", "#main"); route(); },
    Escape: () => {
      if (browse.selected.size) browse.clear();
      else if (linesPart.classList.contains("one") && narrow.matches) linesPart.classList.remove("one");
      else { history.pushState(null, "", "#main"); route(); }
    } };
  for (const [letter, decision] of [["a", "accept"], ["r", "retake"], ["l", "lock"]]) {
    wide[letter] = () => {
      if (!browse.selected.size) desk.act(decision);
      else if (decision === "retake") browse.ask();
      else decideSelected(decision);
    };
  }
  for (let place = 0; place < 9; place += 1) wide[String(place + 1)] = () => desk.playTake(place);

  const typing = (target) => target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT"
    || (target.tagName === "INPUT" && target.type !== "checkbox");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open || event.defaultPrevented) return;
    const { target } = event;
    if (typing(target)) {
      if (event.key === "Escape") { target.blur(); if (atDesk) desk.focus(); }
      return;
    }
    if (event.key === "?") { help.showModal(); event.preventDefault(); return; }
    if (!atDesk) {
      if (event.key === "Enter" && (target === document.body || target === main) && all.length) {
        history.pushState(null, "", "#lines");
        openList(waiting.length ? "state=waiting" : "state=");
      } else if (event.key === "u") desk.undo();
      return;
    }
    // A button that was reached by Tab is pressed by space and Enter; one that was clicked no longer listens.
    if ((event.key === " " || event.key === "Enter") && target.closest("button, summary, a, input") && target.matches(":focus-visible")) return;
    if (event.shiftKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      const found = browse.found();
      const next = found[found.indexOf(browse.current()) + (event.key === "ArrowUp" ? -1 : 1)];
      if (next) { browse.extendTo(next); openLine(next, { focus: false }); }
      event.preventDefault();
      return;
    }
    const action = desk.line() || ["/", "Escape", "o"].includes(event.key) ? wide[event.key] : null;
    if (!action) return;
    event.preventDefault();
    action();
  });

  // Start ----------------------------------------------------------------------------------------------------------------

  for (const begin of document.querySelectorAll(".begin")) {
    begin.hidden = false;
    begin.firstElementChild.append(" ", ...key("Enter"));
  }
  linesPart.prepend(make("h1", { class: "hidden" }, "Listen and decide"));
  linesPart.hidden = true;
  browse.show();
  if (waiting.length) browse.filter("state=waiting");
  deciding.open();
  route();
})();
