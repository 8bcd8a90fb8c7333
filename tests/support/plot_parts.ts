/**
 * What the project's plots have in common: the card they lie on, which follows the reader's color
 * scheme, so that they read the same on a light and on a dark page; lines and texts. Pure.
 */

const STYLE = `
  text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .quiet { fill: #59636e }
  .card { fill: #ffffff; stroke: #d1d9e0 }
  .grid { stroke: #d8dee4; stroke-width: 1 }
  .axis { stroke: #59636e; stroke-width: 1 }
  .line { fill: none; stroke-width: 2 }
  .bar { stroke-width: 1.5; opacity: .75 }
  .end { text-anchor: end } .middle { text-anchor: middle }
  .s0 { stroke: #0969da } .s0 .mark, text.s0 { fill: #0969da; stroke: none }
  .s1 { stroke: #bc4c00 } .s1 .mark, text.s1 { fill: #bc4c00; stroke: none }
  .s2 { stroke: #1a7f37 } .s2 .mark, text.s2 { fill: #1a7f37; stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .quiet { fill: #9198a1 }
    .card { fill: #0d1117; stroke: #3d444d }
    .grid { stroke: #2a313c }
    .axis { stroke: #9198a1 }
    .s0 { stroke: #58a6ff } .s0 .mark, text.s0 { fill: #58a6ff }
    .s1 { stroke: #f0883e } .s1 .mark, text.s1 { fill: #f0883e }
    .s2 { stroke: #3fb950 } .s2 .mark, text.s2 { fill: #3fb950 }
  }`;

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** Coordinates need no more digits. */
export function short(value: number): number {
  return Math.round(value * 10) / 10;
}

export function line(x1: number, y1: number, x2: number, y2: number, kind: string): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="${kind}"/>`;
}

export function text(x: number, y: number, content: string, kind = "", more = ""): string {
  return `<text x="${x}" y="${y}" class="${kind}"${more}>${escape(content)}</text>`;
}

/** The whole drawing: a card of a size with its title, the parts, and the caption below them. */
export function drawCard(
  { title, caption, width, height, left }: {
    readonly title: string;
    readonly caption: string;
    readonly width: number;
    readonly height: number;
    /** Where title and caption begin. */
    readonly left: number;
  },
  parts: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8" class="card"/>`,
    text(left, 30, title, "title"),
    ...parts,
    text(left, height - 18, caption, "quiet"),
    "</svg>",
    "",
  ].join("\n");
}
