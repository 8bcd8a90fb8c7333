/** What is thrown where a page is not what a page must be. */
import { ZonecastError } from "../dns/mod.ts";

/** A page whose octets are not what a page must be. */
export class PageError extends ZonecastError {
  override readonly name = "PageError";
}

/** @param at  offset in the page's block */
export function damaged(at: number, what: string): PageError {
  return new PageError("page-damaged", `Cannot read page: ${what} at octet ${at}`);
}
