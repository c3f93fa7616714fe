/**
 * Who may ask: whoever has the key, or where there is none, programs of this machine.
 *
 * @module
 */

import { createHash, timingSafeEqual } from "node:crypto";
import { refusal, type Rule } from "../_check.ts";
import { ServeError } from "./error.ts";

/** Names of this machine by which only its own programs reach it. */
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** Refuses to serve others than this machine's programs without a key. */
export function checkReach(hostname: string, hasKey: boolean): void {
  if (hasKey || hostname === "::1" || LOOPBACK.includes(hostname)) return;
  const rule = "be localhost, 127.0.0.1 or ::1 unless there is a key, as anybody could ask";
  throw new TypeError(refusal("serve", "hostname", rule, hostname));
}

/** The rule of a key: what no header can hold is none. The refusal does not show it. */
export const keyRule: Rule = (verb, name, key) => {
  if (typeof key === "string" && /^[\x21-\x7e]{8,}$/.test(key)) return;
  const rule = "be at least 8 visible ASCII characters";
  const shape = typeof key === "string" ? `${key.length} characters` : typeof key;
  throw new TypeError(refusal(verb, name, rule, shape));
};

const digest = (text: string) => createHash("sha256").update(text).digest();

/**
 * Makes what refuses a request of somebody who may not ask. With a key it compares keys, in constant time; without,
 * the `Host` header, so that a page whose name points at this machine is none of its programs.
 */
export function accessBy(key: string | undefined): (request: Request) => void {
  if (key === undefined) {
    return ({ headers, url }) => {
      const host = headers.get("host") ?? URL.parse(url)?.host ?? "";
      if (LOOPBACK.includes(host.replace(/:\d+$/, "").toLowerCase())) return;
      const facts = { status: 403, code: "wrong_host" };
      throw new ServeError("The Host header must name this machine, as in localhost", facts);
    };
  }
  const right = digest(key);
  return ({ headers }) => {
    const [, sent = ""] = /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "") ?? [];
    if (timingSafeEqual(digest(sent), right)) return;
    const facts = {
      ...{ status: 401, code: "invalid_api_key" },
      headers: { "www-authenticate": "Bearer" },
    };
    throw new ServeError("The API key is missing or wrong: Authorization: Bearer KEY", facts);
  };
}
