/** How all stands: attention, figures, secondaries, traffic, what was published last. */
import { age, ago, byId, count, fill, make, octets, setClock, table, took } from "./dom.js";
import { countsPlot, timesPlot, timesScale } from "./plot.js";

/** Shows an overview as the server gave it. */
export function showOverview(overview) {
  setClock(overview.now);
  const { ready, version, startedAt } = overview;
  fill(byId("server"), `${version}, `, ago(startedAt, "up ", ""));
  const items = attention(overview);
  const state = byId("state");
  const worst = !ready.ready ? "bad" : items.length > 0 ? "warn" : "good";
  state.className = `pill ${worst}`;
  fill(state, { bad: "not ready", warn: "ready, with remarks", good: "ready" }[worst]);
  showAttention(items);
  showFigures(overview);
  showSecondaries(overview);
  showTraffic(overview);
  showRecent(overview);
}

/** What an operator should see to, the worst first: how bad, what, what to do, and the details. */
function attention({ ready, secondaries, problems, held, lagAlarmMs, now }) {
  const items = [];
  const add = (kind, what, todo, details) => items.push({ kind, what, todo, details });
  for (const { reason, hint } of ready.reasons) add("bad", reason, hint);
  for (const { zone, id, why, reasons, removed, added, release, difference } of held.listed) {
    const todo = reasons.includes("no-ns")
      ? ["A zone without NS records cannot be served: give it its NS records back."]
      : ["If that is meant: ", make("code", {}, release), " Else put it right in the source."];
    add(
      "bad",
      `A change of ${zone} is held back: ${why}`,
      [`${count(removed, "record")} would go, ${count(added, "record")} come. `, ...todo],
      difference && diffLines(difference, removed + added, id),
    );
  }
  if (held.count > held.listed.length) {
    add(
      "bad",
      `${count(held.count - held.listed.length)} more changes are held`,
      "zonecast held lists them.",
    );
  }
  for (const { reason, hint } of ready.remarks) add("warn", reason, hint);
  for (const { name, zones, lagSince, ahead } of secondaries) {
    if (ahead > 0) {
      add(
        "bad",
        `${name} shows a serial ahead of ours for ${count(ahead, "zone")}`,
        "It takes no change until ours is above its own: the log has the command that does it.",
      );
    } else if (zones.behind > 0 || lagSince !== undefined && now - lagSince > lagAlarmMs) {
      const since = lagSince === undefined ? "" : `, for ${age(now - lagSince)}`;
      add(
        "warn",
        `${name} is behind with ${count(Math.max(1, zones.behind), "zone")}${since}`,
        "Is it up, has it the zone with this server as primary, may it transfer from here?",
      );
    }
  }
  if (problems.errors + problems.warnings > 0) add("warn", ...problemWords(problems));
  return items;
}

/** Lines with - and + before them. */
function diffLines(lines, of, label) {
  const kinds = { "+": "good", "-": "bad" };
  return make(
    "pre",
    { tabindex: "0", "aria-label": `What ${label} would change` },
    lines.map((line) => make("span", { class: kinds[line[0]] }, `${line}\n`)),
    of > lines.length ? `and ${count(of - lines.length)} more\n` : undefined,
  );
}

function problemWords({ errors, warnings, listed }) {
  const rows = listed.map(({ zone, severity, name, type, content, reason, hint }) => [
    { value: zone, class: "mono" },
    { value: [name, type, content].filter(Boolean).join(" ") || "–", class: "mono" },
    severity === "warning" ? "warning: served all the same" : "not served as written",
    hint ? `${reason}; ${hint}` : reason,
  ]);
  const number = errors + warnings;
  const shown = listed.length < number ? `, ${listed.length} of them shown` : "";
  const warned = number === 1 ? "1 row or name is" : `${count(number)} rows or names are`;
  const bad = errors === 1 ? "1 row or name is" : `${count(errors)} rows or names are`;
  const more = warnings > 0 ? `, ${count(warnings, "warning")} beside` : "";
  return [
    errors === 0
      ? `${warned} served, with a warning${shown}`
      : `${bad} not served as written${more}${shown}`,
    "Mend them in the source: what is right is published at once, and the problem is gone.",
    table(["Zone", "Row", "Served", "Why, and what to do"], rows, "Problems"),
  ];
}

function showAttention(items) {
  fill(
    byId("attention-list"),
    items.length === 0 ? make("p", { class: "calm" }, "Nothing needs you.") : make(
      "ul",
      {},
      items.map(({ kind, what, todo, details }) =>
        make(
          "li",
          { class: kind },
          make("strong", {}, what),
          todo && make("span", { class: "todo" }, todo),
          details &&
            make("details", { open: isOpen(what) }, make("summary", {}, "Show"), details),
        )
      ),
    ),
  );
}

/** Whether the details of an item are open now. */
function isOpen(what) {
  return [...document.querySelectorAll("#attention-list li")].some((item) =>
    item.querySelector("strong").textContent === what && item.querySelector("details")?.open
  );
}

function showFigures({ source, totals, loopDelay, plots }) {
  const perSecond = lastOf(plots.questions) / (plots.slotMs / 1000);
  const figures = [
    ["Source", source.up ? "connected" : "away", ago(source.since, "for ", "")],
    ["Zones", count(totals.zones), count(totals.records, "record")],
    [
      "Published",
      totals.publishedAt ? ago(totals.publishedAt) : "–",
      `${count(sum(plots.versions), "version")} in this ${plots.span}`,
    ],
    [
      "Transfers",
      count(sum(plots.axfr) + sum(plots.ixfr)),
      `${totals.transfers.moving} move, ${totals.transfers.waiting} wait now`,
    ],
    [
      "Questions",
      `${perSecond < 10 ? Number(perSecond.toFixed(1)) : count(Math.round(perSecond))}/s`,
      `${count(totals.rateLimited)} limited`,
    ],
    ["Connections", count(totals.connections), `of ${count(totals.connectionsMax)}`],
    [
      "Journal",
      totals.journal ? count(totals.journal.differences, "version") : "–",
      totals.journal && octets(totals.journal.octets),
    ],
    ["Event loop late", `${loopDelay.longestMs} ms`, `${octets(totals.memory)} of memory`],
  ];
  fill(
    byId("figures"),
    figures.map(([name, value, more]) =>
      make(
        "div",
        {},
        make("dt", {}, name),
        make(
          "dd",
          { class: value === "away" ? "bad" : undefined },
          value,
          more && make("small", {}, more),
        ),
      )
    ),
  );
}

function showSecondaries({ secondaries, moreSecondaries, plots }) {
  const place = byId("secondaries");
  if (secondaries.length === 0) {
    return fill(place, make("p", { class: "calm" }, "No secondary is configured."));
  }
  const scale = timesScale(plots.live);
  const width = plotWidth(place);
  const rows = secondaries.map((one, i) => {
    const { name, address, zones, lagSince, counts } = one;
    const live = plots.live[i];
    const output = make("output", { "aria-live": "polite" });
    return [
      make("span", {}, make("strong", {}, name), make("span", { class: "sub mono" }, address)),
      zoneStates(zones),
      lagSince === undefined ? "none" : ago(lagSince, "", ""),
      `${count(counts.notifyAcknowledged)} of ${count(counts.notifySent)}`,
      took(live.p50),
      took(live.p95),
      {
        value: [timesPlot({ width, name, plots, live, scale, output }), output],
        class: "plot",
      },
    ];
  });
  const heads = [
    "Secondary",
    "Zones",
    "#Lag",
    "#NOTIFY answered",
    "#p50",
    "#p95",
    "Time from commit to live",
  ];
  fill(
    place,
    table(heads, rows, "Secondaries"),
    moreSecondaries > 0 && make("p", { class: "note" }, `and ${moreSecondaries} more`) || undefined,
  );
}

/** "12 live", and what is not in words of its own. */
function zoneStates(zones) {
  const kinds = { live: "good", behind: "bad" };
  const there = Object.entries(zones).filter(([, number]) => number > 0);
  if (there.length === 0) return "none yet";
  return there.reverse().map(([state, number], i) => [
    i > 0 ? ", " : "",
    make("span", { class: kinds[state] }, `${count(number)} ${state}`),
  ]).flat();
}

function plotWidth(place) {
  const available = place.clientWidth || 800;
  return Math.round(available < 640 ? available : available * 0.46);
}

function showTraffic({ plots }) {
  const place = byId("traffic");
  const columns = getComputedStyle(place).gridTemplateColumns.split(" ");
  const width = Math.round(parseFloat(columns[0])) || 300;
  const titled = (title, kinds) => {
    const output = make("output", { "aria-live": "polite" });
    const keys = kinds.map(([kind, name]) =>
      make("span", {}, make("span", { class: `key ${kind}`, "aria-hidden": "true" }), ` ${name}`)
    );
    return make(
      "figure",
      {},
      make("figcaption", {}, make("strong", {}, title), keys, output),
      countsPlot({ width, title, plots, kinds, output }),
    );
  };
  fill(
    place,
    titled("Records changed", [
      ["first", "added", plots.added],
      ["second", "removed", plots.removed],
    ]),
    titled("Transfers", [
      ["first", "IXFR", plots.ixfr],
      ["second", "AXFR", plots.axfr],
      ["third", "broken off", plots.broken],
    ]),
    titled("Questions", [["first", "asked", plots.questions]]),
  );
}

function showRecent({ recent }) {
  const place = byId("recent");
  if (recent.length === 0) {
    return fill(place, make("p", { class: "calm" }, "Nothing since the start."));
  }
  const rows = recent.slice(0, 10).map(({ zone, serial, at, added, removed, seconds }) => {
    const key = `recent ${zone} ${serial}`;
    return [
      { value: make("a", { href: `#zone/${zone}`, "data-key": key }, zone), class: "mono first" },
      { value: String(serial), class: "mono" },
      `+${count(added)} −${count(removed)}`,
      seconds === undefined ? "–" : took(seconds),
      ago(at),
    ];
  });
  const heads = ["Zone", "#Serial", "#Records", "#Took", "#When"];
  fill(place, table(heads, rows, "Versions published last", "compact"));
}

function sum(numbers) {
  return numbers.reduce((all, number) => all + (number ?? 0), 0);
}

/** The last slot that is over, since the newest has only begun. */
function lastOf(numbers) {
  return numbers[numbers.length - 2] ?? 0;
}
