// Small things that every part of the page needs. Texts go into the page through textContent only.
const replikkShared = (() => {
  // make("button", { class: "x", onclick: f, "aria-label": "y" }, child, "text", …); null and false children are left out.
  const make = (tag, properties = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name === "class") element.className = value;
      else if (name in element && typeof value !== "string") element[name] = value;
      else element.setAttribute(name, value === true ? "" : value);
    }
    if (tag === "button" && !properties.type) element.type = "button";
    element.append(...children.flat(2).filter((child) => child !== null && child !== false && child !== undefined && child !== ""));
    return element;
  };

  const SVG = "http://www.w3.org/2000/svg";
  const draw = (tag, attributes = {}, ...children) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  // Words of the game: their language, and whatever direction they are written in.
  const words = (tag, className, text, lang) => make(tag, { class: className, dir: "auto", lang: lang || null }, text);

  const key = (...names) => names.map((name) => make("kbd", {}, name));

  const number = (value, digits, unit) => `${value.toFixed(digits).replace("-", "−")} ${unit}`;
  const seconds = (value) => {
    if (value === null || value === undefined) return "–";
    if (value < 59.95) return `${value.toFixed(1)} s`;
    return `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, "0")} min`;
  };
  const countOf = (count, one, many) => `${count.toLocaleString("en").replaceAll(",", " ")} ${count === 1 ? one : many}`;

  // A sentence at the foot of the page, for a moment; screen readers say it.
  const told = document.getElementById("told");
  let silence = 0;
  const tell = (text) => {
    told.textContent = text;
    clearTimeout(silence);
    silence = setTimeout(() => { told.textContent = ""; }, Math.min(9000, 2500 + 40 * text.length));
  };

  // What this browser remembers of the page's settings; a page opened from a disk may not be allowed to.
  const remembered = (name, otherwise) => {
    try {
      const value = localStorage.getItem(`replikk-${name}`);
      return value === null ? otherwise : JSON.parse(value);
    } catch {
      return otherwise;
    }
  };
  const remember = (name, value) => {
    try {
      localStorage.setItem(`replikk-${name}`, JSON.stringify(value));
    } catch {
      // it lasts as long as the page
    }
  };

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = make("textarea", { "aria-hidden": "true" });
      area.value = text;
      document.body.append(area);
      area.select();
      const copied = document.execCommand("copy");
      area.remove();
      return copied;
    }
  };

  return { make, draw, words, key, number, seconds, countOf, tell, remembered, remember, copy };
})();
