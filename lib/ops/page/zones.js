/** The list of zones, and one of them: its records, versions and secondaries. */
import { age, ago, ask, byId, count, fill, make, octets, table } from "./dom.js";

/** Lists longer than this are asked for in parts. */
let listed = { q: "", zones: [], next: undefined };

/** Shows the first zones whose names contain what was typed. */
export async function showZones() {
  const q = byId("zones-q").value.trim();
  const first = await ask("zones", { q });
  if (q !== byId("zones-q").value.trim()) return; // typed on meanwhile
  const goesOn = q === listed.q && listed.zones.length > first.zones.length;
  listed = goesOn
    ? { ...listed, zones: [...first.zones, ...listed.zones.slice(first.zones.length)] }
    : { q, ...first };
  render(first.matching);
}

export async function showMoreZones() {
  const { q, next, zones } = listed;
  const more = await ask("zones", { q, after: next });
  listed = { q, zones: [...zones, ...more.zones], next: more.next };
  render(more.matching);
}

function render(matching) {
  const rows = listed.zones.map((
    { zone, serial, records, octets: size, publishedAt, secondaries },
  ) => [
    {
      value: make("a", { href: `#zone/${zone}`, "data-key": `zone ${zone}` }, zone),
      class: "mono first",
    },
    { value: String(serial), class: "mono" },
    count(records),
    octets(size),
    ago(publishedAt),
    states(secondaries),
  ]);
  byId("zones-count").textContent = `${count(matching)} ${matching === 1 ? "zone" : "zones"}`;
  fill(
    byId("zones"),
    rows.length === 0 ? make("p", { class: "calm" }, "No zone has that in its name.") : table(
      ["Zone", "#Serial", "#Records", "#Size", "#Published", "Secondaries"],
      rows,
      "Zones",
      "compact",
    ),
  );
  byId("zones-more").hidden = listed.next === undefined;
}

function states(secondaries) {
  const all = Object.entries(secondaries);
  if (all.length === 0) return "none";
  const total = all.reduce((sum, [, number]) => sum + number, 0);
  const live = secondaries.live ?? 0;
  const kind = secondaries.behind ? "bad" : live === total ? "good" : undefined;
  const rest = all.filter(([state]) => state !== "live").map(([state, n]) => `${n} ${state}`);
  return make("span", { class: kind }, [`${live}/${total} live`, ...rest].join(", "));
}

const TABS = { records: "Records", versions: "Versions", secondaries: "Secondaries" };

/** The zone that is open; `serial` is what its panel shows. */
let open = { name: undefined, tab: "records", serial: undefined, q: "" };
/** Ends what is asked for a panel that is no longer shown. */
let asking = new AbortController();

/** Opens the zone that the address names, or none. */
export async function followAddress() {
  const name = decodeURIComponent(/^#zone\/(.+)$/.exec(location.hash)?.[1] ?? "");
  if (name === open.name) return;
  open = { name: name || undefined, tab: open.tab, serial: undefined, q: "" };
  byId("zone").hidden = !name;
  document.title = name ? `${name} – zonecast` : "zonecast";
  if (!name) return asking.abort();
  byId("zone-head").textContent = name;
  byId("zone-note").textContent = "";
  byId("zone-head").scrollIntoView({ block: "start" });
  byId("zone-head").focus({ preventScroll: true });
  renderTabs();
  await refreshZone();
}

/** Brings the open zone up to date; its panel only when its version is another. */
export async function refreshZone() {
  const { name, serial, tab } = open;
  if (!name) return;
  let zone;
  try {
    zone = await ask("zone", { zone: name });
  } catch (error) {
    byId("zone-note").textContent = error.message;
    return fill(byId("zone-panel"));
  }
  if (name !== open.name) return;
  const { records, octets: size, publishedAt } = zone;
  fill(
    byId("zone-note"),
    `serial ${zone.serial}, ${count(records, "record")}, ${octets(size)}, published `,
    ago(publishedAt),
  );
  open.serial = zone.serial;
  if (tab === "secondaries") showZoneSecondaries(zone);
  else if (serial !== zone.serial) await showPanel();
}

function renderTabs() {
  const names = Object.keys(TABS);
  const choose = async (tab) => {
    open.tab = tab;
    open.serial = undefined;
    renderTabs();
    byId(`tab-${tab}`).focus();
    await refreshZone();
  };
  byId("zone-tabs").replaceChildren(...names.map((name, i) =>
    make("button", {
      type: "button",
      role: "tab",
      id: `tab-${name}`,
      "aria-selected": String(name === open.tab),
      "aria-controls": "zone-panel",
      tabindex: name === open.tab ? "0" : "-1",
      onclick: () => choose(name),
      onkeydown: ({ key }) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
        if (step) choose(names[(i + step + names.length) % names.length]);
      },
    }, TABS[name])
  ));
  byId("zone-panel").setAttribute("aria-labelledby", `tab-${open.tab}`);
}

async function showPanel() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  try {
    await (open.tab === "records" ? showRecords(signal) : showVersions(signal));
  } catch (error) {
    if (signal.aborted) return; // another is shown by now
    fill(byId("zone-panel"), make("p", { class: "bad" }, error.message));
  }
}

async function showRecords(signal) {
  const panel = byId("zone-panel");
  if (!panel.querySelector("#records-q")) {
    panel.replaceChildren(
      make(
        "form",
        { role: "search", "aria-label": "Records", onsubmit: (event) => event.preventDefault() },
        make("label", { for: "records-q", class: "unseen" }, "Records with this in name or data"),
        make("input", {
          id: "records-q",
          type: "search",
          placeholder: "name, type or data",
          autocomplete: "off",
          oninput: debounced(showPanel),
        }),
      ),
      make("p", { id: "records-note", class: "note", role: "status" }),
      make("div", { id: "records" }),
      make("button", { id: "records-more", type: "button", hidden: true }, "More records"),
    );
  }
  await searchRecords(signal, []);
}

/** Looks on until there is enough to show, however large the zone. */
async function searchRecords(signal, before, after = undefined) {
  const q = byId("records-q").value.trim();
  const found = [...before];
  let searched = 0;
  let next = after;
  let more = 0;
  do {
    const part = await ask("records", { zone: open.name, q, after: next }, signal);
    found.push(...part.records);
    searched += part.searched;
    more += part.more;
    next = part.next;
    byId("records-note").textContent = next === undefined || found.length > before.length
      ? `${count(found.length, "record")}${next ? " so far" : ""}${
        more ? `, ${count(more)} more at these names` : ""
      }`
      : `${count(searched, "name")} looked at`;
  } while (next !== undefined && found.length < before.length + 100);
  const rows = found.map(({ name, ttl, type, content }) => [
    { value: name, class: "mono first" },
    String(ttl),
    { value: type, class: "mono" },
    { value: content, class: "mono" },
  ]);
  fill(
    byId("records"),
    rows.length === 0
      ? make("p", { class: "calm" }, "No record has that in its name, type or data.")
      : table(["Name", "#TTL", "Type", "Data"], rows, "Records", "compact"),
  );
  const button = byId("records-more");
  button.hidden = next === undefined;
  button.onclick = () => searchRecords(asking.signal, found, next);
}

async function showVersions(signal) {
  const { versions } = await ask("log", { zone: open.name }, signal);
  const rows = versions.map(({ toSerial, publishedAt, added, removed, cause, octets: size }) => [
    { value: String(toSerial), class: "mono first" },
    ago(publishedAt),
    `+${count(added)} −${count(removed)}`,
    octets(size),
    cause,
    { value: diffOf(toSerial), class: "wide" },
  ]);
  fill(
    byId("zone-panel"),
    rows.length === 0
      ? make("p", { class: "calm" }, "The journal holds no change of this zone yet.")
      : table(
        ["#Serial", "#Published", "#Records", "#Size", "Cause", "Change"],
        rows,
        "Versions",
        "compact",
      ),
  );
}

/** A difference, read when it is opened. */
function diffOf(to) {
  const place = make("pre", { tabindex: "0", "aria-label": `What changed to serial ${to}` });
  const show = async ({ currentTarget }) => {
    if (!currentTarget.open || place.hasChildNodes()) return;
    try {
      const { lines, more } = await ask("diff", { zone: open.name, to });
      const kinds = { "+": "good", "-": "bad" };
      place.append(...lines.map((line) => make("span", { class: kinds[line[0]] }, `${line}\n`)));
      if (more > 0) place.append(`and ${count(more, "record")} more: see zonecast diff\n`);
    } catch (error) {
      place.replaceChildren(error.message);
    }
  };
  return make("details", { ontoggle: show }, make("summary", {}, "Show"), place);
}

function showZoneSecondaries({ serial: ours, secondaries }) {
  const rows = secondaries.map((
    { secondary, state = "unknown", serial, lagSince, notify, transfer },
  ) => [
    secondary,
    make("span", { class: { live: "good", behind: "bad" }[state] }, state),
    {
      value: serial === undefined ? "–" : String(serial),
      class: serial === ours ? "mono good" : "mono",
    },
    lagSince === undefined ? "none" : ago(lagSince, "", ""),
    notifyWords(notify),
    transferWords(transfer),
  ]);
  fill(
    byId("zone-panel"),
    rows.length === 0 ? make("p", { class: "calm" }, "No secondary is configured.") : table(
      ["Secondary", "State", "#Shows", "#Lag", "Last NOTIFY", "Last transfer"],
      rows,
      "Secondaries of this zone",
    ),
  );
}

function notifyWords(notify) {
  if (!notify) return "none yet";
  const { serial, attempts, sentAt, acknowledgedAt } = notify;
  if (acknowledgedAt) return make("span", {}, `${serial} acknowledged `, ago(acknowledgedAt));
  const tries = `${serial}, no answer after ${count(attempts, "try")}`.replace("trys", "tries");
  return sentAt ? make("span", {}, `${tries}, `, ago(sentAt)) : `${serial} waiting`;
}

function transferWords(transfer) {
  if (!transfer) return "none yet";
  const { kind, serial, octets: size, durationMs, at } = transfer;
  const words = `${serial} ${kind.toUpperCase()}, ${octets(size)} in ${
    age(durationMs * 1000).replace(" s", " ms")
  }, `;
  return make("span", {}, words, ago(at));
}

function debounced(act) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, 250);
  };
}
