/**
 * The status page: one document that holds its styles and scripts and asks nobody else for
 * anything. Its parts lie in `page/`, and are put together when the server starts.
 *
 * Pure, but that it reads its own files, which are in the executable.
 */
import { createHash } from "node:crypto";
import type { HttpAnswer } from "./http_answer.ts";

/** What comes later goes before. */
const STYLES = ["base.css", "parts.css", "narrow.css"];
/** In the order of their imports: each needs those before it. */
const SCRIPTS = ["dom.js", "plot.js", "overview.js", "zones.js", "live.js"];

/** The page as it is answered. */
export function statusPage(): HttpAnswer {
  const style = STYLES.map(part).join("\n");
  const script = SCRIPTS.map((name) => inOneScript(part(name))).join("\n");
  const body = part("page.html")
    .replace(/<style>[^<]*<\/style>/, () => `<style>${style}</style>`)
    .replace(/(<script type="module">)[^<]*<\/script>/, (_, tag) => `${tag}${script}</script>`);
  // Nothing but what stands here runs, and it talks to its own server only.
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}'`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return {
    status: 200,
    type: "text/html; charset=utf-8",
    body,
    headers: { "content-security-policy": policy },
  };
}

function part(name: string): string {
  return Deno.readTextFileSync(`${import.meta.dirname}/page/${name}`);
}

/** A module without its imports and exports: the others stand beside it in one script. */
function inOneScript(module: string): string {
  return module.replaceAll(/^import [^;]*;\n/gm, "").replaceAll(/^export (?=[a-z])/gm, "");
}

/** As a policy names a text that may stand in the page (CSP Level 3 §2.3.1). */
function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
