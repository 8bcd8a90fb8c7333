/** Keeps the page up to date: the server says that something has changed, and it is read again. */
import { ask, byId, tick } from "./dom.js";
import { showOverview } from "./overview.js";
import { followAddress, refreshZone, showMoreZones, showZones } from "./zones.js";

/** All is read so often even when nothing is said to have changed, ms. */
const REFRESH_MS = 10_000;

let running = false;
let again = false;
let readAt = 0;
let connected = false;

/** Reads all that is shown; asked for meanwhile, once more. */
async function refresh() {
  if (running) return void (again = true);
  running = true;
  try {
    do {
      again = false;
      const span = document.querySelector("#span input:checked").value;
      showOverview(await ask("overview", { span }));
      await showZones();
      await refreshZone();
      readAt = Date.now();
      showPulse();
    } while (again);
  } catch (error) {
    showPulse(error);
  } finally {
    running = false;
  }
}

function showPulse(error) {
  const pulse = byId("pulse");
  pulse.className = connected && !error ? "live" : "";
  const clock = new Date(readAt).toLocaleTimeString();
  pulse.lastElementChild.textContent = error
    ? `cannot be reached${readAt ? `; as of ${clock}` : ""}`
    : `${connected ? "live" : "reconnecting"}, as of ${clock}`;
}

function listen() {
  const events = new EventSource("/page/events");
  events.onopen = () => {
    connected = true;
    showPulse();
  };
  events.onmessage = refresh;
  events.onerror = () => {
    connected = false;
    showPulse(readAt ? undefined : new Error());
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 5_000);
  };
}

let typing;
byId("zones-q").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(showZones, 200);
});
byId("zones-form").addEventListener("submit", (event) => event.preventDefault());
byId("zones-more").addEventListener("click", showMoreZones);
byId("span").addEventListener("change", refresh);
byId("zone-close").addEventListener("click", () => byId("zones-q").focus());
addEventListener("hashchange", followAddress);
addEventListener("resize", () => {
  clearTimeout(typing);
  typing = setTimeout(refresh, 200);
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});
setInterval(() => {
  if (!document.hidden) tick();
}, 1_000);
setInterval(() => {
  if (!document.hidden && Date.now() - readAt > REFRESH_MS) refresh();
}, 1_000);
await refresh();
await followAddress();
listen();
