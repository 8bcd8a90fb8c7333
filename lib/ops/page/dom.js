/** Elements and words: what all parts of the page are made with. */

/**
 * An element. Attributes that are undefined or false are left out; `onX` are listeners; text is
 * never taken for markup.
 */
export function make(name, attributes = {}, ...children) {
  const svg = ["svg", "g", "rect", "line", "text", "title"].includes(name);
  const element = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return element;
}

export function byId(id) {
  return document.getElementById(id);
}

/**
 * Puts other content into an element where it differs: what stays keeps focus and selection,
 * and nothing is announced anew.
 */
export function fill(element, ...children) {
  const fresh = make("div", {}, ...children);
  if (element.innerHTML === fresh.innerHTML) return false;
  const focused = element.contains(document.activeElement) && document.activeElement.dataset.key;
  element.replaceChildren(...fresh.childNodes);
  if (focused) element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  return true;
}

/** A table; cells are texts, elements, or `{ value, class }`. */
export function table(heads, rows, caption, kindOfTable = undefined) {
  const names = heads.map((head) => head.replace(/^#/, ""));
  const kind = (i) => heads[i].startsWith("#") ? "number" : undefined;
  // The roles are said, because a narrow window shows rows as blocks.
  return make(
    "table",
    { role: "table", class: kindOfTable },
    make("caption", { class: "unseen" }, caption),
    make(
      "thead",
      { role: "rowgroup" },
      make(
        "tr",
        { role: "row" },
        names.map((name, i) =>
          make("th", { scope: "col", role: "columnheader", class: kind(i) }, name)
        ),
      ),
    ),
    make(
      "tbody",
      { role: "rowgroup" },
      rows.map((cells) =>
        make(
          "tr",
          { role: "row" },
          cells.map((cell, i) => {
            const { value = cell, class: own } = cell?.constructor === Object ? cell : {};
            const kinds = [kind(i), own].filter(Boolean).join(" ") || undefined;
            const attributes = { role: "cell", class: kinds, "data-head": names[i] };
            return make("td", attributes, make("span", {}, value));
          }),
        )
      ),
    ),
  );
}

const COUNT = new Intl.NumberFormat("en");

export function count(number, thing) {
  const text = COUNT.format(number);
  return thing === undefined ? text : `${text} ${thing}${number === 1 ? "" : "s"}`;
}

/** "3.4 MiB". */
export function octets(number) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let at = 0;
  while (number >= 1024 && at < units.length - 1) {
    number /= 1024;
    at++;
  }
  return `${number < 10 && at > 0 ? number.toFixed(1) : Math.round(number)} ${units[at]}`;
}

/** A time that something took: "4 ms", "1.2 s", "3 min". */
export function took(seconds) {
  if (seconds === undefined || seconds === null) return "–";
  if (seconds < 0.0995) return `${Number((seconds * 1000).toPrecision(2))} ms`;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 100) return `${Number(seconds.toPrecision(2))} s`;
  return age(seconds * 1000);
}

/** A long time in its largest unit: "5 s", "3 min", "2 h", "6 d". */
export function age(ms) {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400 * 2) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/** By how much the server's clock is ahead of this browser's, ms. */
let clockAhead = 0;

export function setClock(now) {
  clockAhead = now - Date.now();
}

/** How long ago a time of the server's was; it goes on counting by {@link tick}. */
export function ago(at, before = "", behind = " ago") {
  if (at === undefined) return "–";
  const ms = typeof at === "number" ? at : Date.parse(at);
  const text = `${before}${age(Date.now() + clockAhead - ms)}${behind}`;
  const title = new Date(ms).toISOString().replace("T", " ").replace(/\.\d+Z/, " UTC");
  return make("time", { "data-at": ms, "data-before": before, "data-behind": behind, title }, text);
}

/** Brings all times up to now. */
export function tick() {
  for (const element of document.querySelectorAll("time[data-at]")) {
    const { at, before, behind } = element.dataset;
    element.textContent = `${before}${age(Date.now() + clockAhead - Number(at))}${behind}`;
  }
}

/** What the server answers. @throws {Error} with its own words */
export async function ask(path, query = {}, signal = undefined) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(given).toString();
  const answer = await fetch(`/page/${path}.json${text && `?${text}`}`, { signal });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return await answer.json();
}
