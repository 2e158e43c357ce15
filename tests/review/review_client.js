// The page's client against a real server: node review_client.js REVIEW_JS SITE COOKIE LINE TAKE OTHER_LINE OTHER_TAKE
"use strict";
const assert = require("node:assert/strict");
const [source, site, cookie, line, take, otherLine, otherTake] = process.argv.slice(2);
const replikkReview = require(source);

let broken = ""; // how the network fails next: "away" before the server is asked, "deaf" after it has answered
let asked = 0;
const browserFetch = async (path, options = {}) => { // what a browser adds by itself
  asked += 1;
  if (broken === "away") throw new TypeError("Failed to fetch");
  const answer = await fetch(site + path, { ...options, headers: { ...options.headers, Cookie: cookie, Origin: site } });
  if (broken === "deaf") throw new TypeError("Failed to fetch");
  return answer;
};
const shelf = () => {
  const kept = new Map();
  return { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, String(value)) };
};
const page = (more = {}) => {
  let changes = 0;
  return replikkReview.open({
    location: new URL(`${site}/report/index.html`), storage: shelf(), fetch: browserFetch, onChange: () => { changes += 1; }, ...more,
  }).then((review) => Object.assign(review, { changes: () => changes }));
};
const until = async (what, message) => {
  for (let n = 0; n < 400; n += 1) {
    if (what()) return;
    await new Promise((resolve) => { setTimeout(resolve, 25); });
  }
  assert.fail(message || String(what));
};
const settled = (review) => until(() => review.status.waiting === 0 && review.status.online);
const accept = { line_id: line, take_key: take, decision: "accept" };
const retake = { line_id: line, take_key: take, decision: "retake", style: "stille" };
const lockOther = { line_id: otherLine, take_key: otherTake, decision: "lock" };
const held = (review, id = line, key = take) => review.decisionOn(id, key)?.decision ?? null;

const cases = {
  async "a decision is shown at once and written soon"() {
    const review = await page();
    assert.equal(review.mode, "served");
    review.setWho("Kari");
    review.decide([accept]);
    assert.equal(held(review), "accept");
    assert.equal(review.decisions().at(-1).waiting, true);
    await settled(review);
    assert.equal(review.decisions().at(-1).waiting, false);
    assert.equal(review.decisions().at(-1).who, "Kari");
    assert.ok(review.changes() >= 2);
    review.close();
  },
  async "two pages see each other, the last decision holds, undo brings the one before back"() {
    const [one, two] = [await page(), await page()];
    one.decide([accept, lockOther]);
    await settled(one);
    await two.refresh();
    assert.equal(held(two), "accept");
    two.decide([retake]);
    await settled(two);
    await one.refresh();
    assert.deepEqual([held(one), held(one, otherLine, otherTake)], ["retake", "lock"]);
    assert.deepEqual(two.undo().map((row) => row.decision), ["retake"]);
    assert.equal(held(two), "accept");
    await settled(two);
    await one.refresh();
    assert.equal(held(one), "accept");
    assert.equal(two.undo(), null);
    one.close(); two.close();
  },
  async "what is decided while the server is away is written when it is back, once"() {
    const review = await page();
    const before = review.decisions().length;
    broken = "away";
    review.decide([accept]);
    await until(() => !review.status.online);
    review.decide([lockOther]);
    assert.equal(held(review), "accept");
    assert.equal(review.status.waiting, 2);
    assert.match(review.exportCsv(), new RegExp(`${line},${take},accept`));
    broken = "";
    await settled(review);
    assert.equal(review.decisions().length, before + 2);
    review.close();
  },
  async "an answer that got lost writes nothing twice, and undo finds what it wrote"() {
    const review = await page();
    const before = review.decisions().length;
    broken = "deaf";
    review.decide([{ line_id: line, take_key: take, decision: "note", why: "bare en gang" }]);
    await until(() => !review.status.online);
    broken = "";
    await settled(review);
    assert.equal(review.decisions().length, before + 1);
    broken = "deaf";
    review.decide([{ line_id: line, take_key: take, decision: "note", why: "angret" }]);
    await until(() => !review.status.online);
    review.undo();
    assert.equal(review.decisions().filter((row) => row.why === "angret").length, 0);
    broken = "";
    await settled(review);
    assert.equal(review.decisions().length, before + 1);
    review.close();
  },
  async "a refused decision is told, and the rest of its step is written"() {
    const review = await page();
    const before = review.decisions().length;
    review.decide([accept, { line_id: "nobody", take_key: take, decision: "accept" }, lockOther]);
    await settled(review);
    assert.equal(review.decisions().length, before + 2);
    assert.match(review.status.refused[0].what, /no line of this report/);
    assert.equal(review.status.refused[0].decision.line_id, "nobody");
    review.undo();
    await settled(review);
    assert.equal(review.decisions().length, before);
    review.close();
  },
  async "a page of some other server or of a disk keeps its decisions in the browser"() {
    const storage = shelf();
    const location = new URL("file:///home/kari/build/report/index.html");
    const before = asked;
    const form = { storage, location, path: "dialogue/decisions.csv", separator: ";", columns: ["id", "take_key", "decision", "", "why"] };
    const review = await page({ ...form, knows: (id) => id === line });
    assert.equal(review.mode, "disk");
    review.decide([accept, { ...retake, line_id: "gone" }]);
    review.decide([{ ...retake, why: "=1+1", respelling: "hei; hei" }]);
    const again = await page({ ...form, knows: (id) => id === line });
    assert.equal(asked, before);
    assert.equal(held(again), "retake");
    assert.deepEqual(again.decisions().map((row) => Boolean(row.stale)), [false, true, false]);
    assert.equal(again.exportCsv().split("\r\n")[0], "\ufeffid;take_key;decision;;why;when;style;respelling");
    again.undo();
    assert.equal(held(again), "accept");
    const elsewhere = await page({
      location, storage, fetch: async () => ({ ok: false, status: 404 }), path: "dialogue/decisions.csv",
    });
    assert.equal(elsewhere.decisions().length, 2);
    const forbidden = await page({ location, storage: { getItem() { throw new Error(); }, setItem() { throw new Error(); } } });
    forbidden.decide([accept]);
    assert.deepEqual([held(forbidden), forbidden.status.lasting], ["accept", false]);
    const other = await page({ fetch: async () => ({ ok: false, status: 404, headers: new Headers() }) });
    assert.equal(other.mode, "disk");
  },
};

(async () => {
  if (source && site === "csv") { // rows from standard input, as the page exports them
    const { rows, form } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
    process.stdout.write(replikkReview.toCsv(rows, form));
    return;
  }
  if (site === "holds") {
    process.stdout.write(JSON.stringify(replikkReview.withHolds(JSON.parse(require("node:fs").readFileSync(0, "utf8")))));
    return;
  }
  for (const [name, run] of Object.entries(cases)) {
    broken = "";
    try {
      await run();
    } catch (error) {
      process.stderr.write(`${name}\n`);
      throw error;
    }
  }
  process.stdout.write(`${Object.keys(cases).length} cases`);
})();
