/** Debian's Chromium, driven by playwright-core, for pages that zonecast shows. */
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { DEADLINE_MS } from "./wait.ts";

/** The rules of accessibility, as a script; evaluated in the page, where its policy lets no script in. */
const AXE = axe.source;

/** Where Debian has it. */
const CHROMIUM = "/usr/bin/chromium";

/** How a page is looked at. */
export interface Look {
  readonly width: number;
  readonly height?: number;
  readonly scheme?: "light" | "dark";
}

/** An open browser; all it has open is gone when it is disposed. */
export class TestBrowser implements AsyncDisposable {
  private constructor(readonly browser: Browser) {}

  static async start(): Promise<TestBrowser> {
    // Root has no sandbox of Chromium's; it is shown our own page only.
    const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
    return new TestBrowser(
      await chromium.launch({ executablePath: CHROMIUM, args, timeout: DEADLINE_MS }),
    );
  }

  /** A page at an address, in a window of its own; what it says on its console is kept. */
  async open(url: string, { width, height = 900, scheme = "light" }: Look): Promise<OpenPage> {
    const context = await this.browser.newContext({
      viewport: { width, height },
      colorScheme: scheme,
      reducedMotion: "reduce",
    });
    context.setDefaultTimeout(DEADLINE_MS);
    const page = await context.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(url);
    return { page, complaints, requests };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
  }
}

export interface OpenPage {
  readonly page: Page;
  /** Errors on its console. */
  readonly complaints: readonly string[];
  /** All it has asked for. */
  readonly requests: readonly string[];
}

/** What axe-core finds serious or critical on a page, in lines; it tests as it is shown now. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<AxeResults>("axe.run()");
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical").flatMap(
    ({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
  );
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}
