/**
 * Requests to the hub: redirects that do not carry the token elsewhere, and retries.
 *
 * @module
 */

import { bytesWithin, delay, foreign, retryAfter } from "../_http.ts";
import type { RepoKind } from "./_hub_cache.ts";

export interface Clock {
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly now: () => number;
}

export const CLOCK: Clock = { sleep: delay, now: Date.now };

/** How one repository is asked for. */
export interface HubRepo extends Clock {
  readonly id: string;
  readonly kind: RepoKind;
  /** The hub, without a slash at its end. */
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Retries after failures in a row. */
  readonly retries: number;
  /** Milliseconds without a byte after which a connection counts as cut. */
  readonly timeout: number;
}

/** Longest wait that a hub may ask for, in milliseconds. */
const MAX_WAIT = 300_000;
/** Longest wait between retries otherwise. */
const MAX_BACKOFF = 30_000;
const MAX_REDIRECTS = 10;
/** Bytes after which a transfer counts as alive, so that its failures start from zero again. */
const PROGRESS = 2 ** 20;

/** A failure that may pass: no connection, a busy hub. */
export class Temporary extends Error {
  readonly wait: number | undefined;

  constructor(message: string, options: ErrorOptions & { wait?: number | undefined } = {}) {
    super(message, options);
    this.wait = options.wait;
  }
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return foreign(message.replace(/\?[^\s)]*/g, "?…")); // the query of a signed link
}

/** Does something again after temporary failures, later each time. */
export async function retrying<T>(
  remote: HubRepo,
  work: () => Promise<T>,
  { progress = () => 0, onRetry }: {
    /** Bytes so far: a transfer that moves does not use up its retries. */
    readonly progress?: () => number;
    readonly onRetry?: (note: string) => void;
  } = {},
): Promise<T> {
  for (let failures = 0, reached = progress();;) {
    try {
      return await work();
    } catch (error) {
      remote.signal?.throwIfAborted();
      if (!(error instanceof Temporary)) throw error;
      if (progress() >= reached + PROGRESS) failures = 0;
      reached = Math.max(reached, progress());
      if (failures++ >= remote.retries) throw error;
      const wait = error.wait ?? Math.min(1000 * 2 ** (failures - 1), MAX_BACKOFF);
      if (wait > MAX_WAIT) throw error;
      onRetry?.(`${error.message}; retry in ${Math.ceil(wait / 1000)} s`);
      await remote.sleep(wait, remote.signal);
    }
  }
}

/** Ends a request on which nothing arrives. */
function watch(ms: number, signal: AbortSignal | undefined) {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const feed = () => {
    clearTimeout(timer);
    const reason = () => new Error(`nothing arrived for ${ms / 1000} s`);
    timer = setTimeout(() => controller.abort(reason()), ms);
  };
  feed();
  return {
    signal: signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
    feed,
    [Symbol.dispose]() {
      clearTimeout(timer);
      controller.abort(); // gives the connection back
    },
  };
}

/** Asks the network; the user's own end and a missing permission stay what they are. */
async function reached<T>(remote: HubRepo, host: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    remote.signal?.throwIfAborted();
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new Temporary(
      `Cannot download ${remote.id} as ${host} cannot be reached: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** One request, whose body is still to be read; statuses that are failures throw, except 416. */
export async function request(
  remote: HubRepo,
  url: string,
  method: "GET" | "HEAD" = "GET",
  more: Readonly<Record<string, string>> = {},
) {
  const home = new URL(remote.endpoint), seen: Headers[] = [];
  using open = new DisposableStack();
  const watchdog = open.use(watch(remote.timeout, remote.signal)), { signal } = watchdog;
  for (let at = new URL(url);;) {
    const { host } = at, headers = new Headers({ ...more, "accept-encoding": "identity" });
    if (remote.token && at.origin === home.origin) {
      headers.set("authorization", `Bearer ${remote.token}`);
    }
    const init = { method, headers, redirect: "manual", signal } as const;
    const response = await reached(remote, host, () => fetch(at, init));
    watchdog.feed();
    seen.push(response.headers);
    const to = response.headers.get("location");
    if ([301, 302, 303, 307, 308].includes(response.status) && to !== null) {
      await response.body?.cancel();
      const next = redirected(remote, at, to, seen.length);
      if (method === "GET" || next.origin === home.origin) {
        at = next;
        continue;
      } // a CDN's link is signed for GET alone, and the hub's own headers tell all
    }
    const isHead = method === "HEAD" && response.status < 400;
    if (!response.ok && !isHead && response.status !== 416) {
      await response.body?.cancel();
      throw refused(remote, response, at.origin === home.origin);
    }
    const held = open.move();
    return {
      status: response.status,
      headers: response.headers,
      /** Header of the first answer that has it: those that lead to a CDN carry the hub's own. */
      first: (name: string) => seen.find((one) => one.has(name))?.get(name) ?? null,
      async *chunks() {
        const reader = response.body?.getReader();
        for (;;) {
          const part = await reached(remote, host, async () => await reader?.read());
          if (!part || part.done) return;
          watchdog.feed();
          yield part.value;
        }
      },
      [Symbol.dispose]: () => held.dispose(),
    };
  }
}

function redirected(remote: HubRepo, from: URL, location: string, count: number): URL {
  const fail = (why: string) => new Error(`Cannot download ${remote.id} as ${from.host} ${why}`);
  if (count > MAX_REDIRECTS) throw fail(`redirects more than ${MAX_REDIRECTS} times`);
  const to = URL.parse(location, from);
  if (!to || !["http:", "https:"].includes(to.protocol)) throw fail("redirects to what is no page");
  if (from.protocol === "https:" && to.protocol === "http:") {
    throw fail("redirects to an unencrypted page");
  }
  return to;
}

/** Milliseconds that a busy hub asks to wait. */
function waitOf(remote: HubRepo, headers: Headers): number | undefined {
  const after = retryAfter(headers, remote.now());
  if (after !== undefined) return after;
  const limit = /;\s*r\s*=\s*0\s*;\s*t\s*=\s*(\d{1,6})/.exec(headers.get("ratelimit") ?? "");
  return limit ? Number(limit[1]) * 1000 : undefined;
}

/** Address of a repository, without a slash at its end. */
export function pageOf({ endpoint, kind, id }: HubRepo): string {
  return `${endpoint}/${kind === "dataset" ? "datasets/" : ""}${id}`;
}

function refused(remote: HubRepo, response: Response, own: boolean): Error {
  const { id, endpoint, token } = remote, { status, headers } = response;
  const host = URL.parse(response.url)?.host ?? endpoint;
  const code = headers.get("x-error-code"), said = foreign(headers.get("x-error-message"));
  const cannot = `Cannot download ${id} as ${host} answered ${status}`;
  const quoted = said ? ` (${said})` : "";
  if (status === 408 || status === 429 || status >= 500) {
    const wait = waitOf(remote, headers);
    const until = wait === undefined ? "" : `, to be asked again in ${Math.ceil(wait / 1000)} s`;
    return new Temporary(`${cannot}${quoted}${until}`, { wait });
  }
  if (!own) return new Temporary(`${cannot}${quoted}`); // a signed link that has run out
  if (status === 401 || status === 403) {
    const gated = code === "GatedRepo" || status === 403;
    const have = token ? "a token that has access (the one given has not)" : "a token";
    return new Deno.errors.PermissionDenied(
      gated
        ? `${cannot}${quoted}: needs ${have}, and its licence accepted at ${pageOf(remote)}`
        : `${cannot}${quoted}: there is no such public ${remote.kind}; a private or gated one ` +
          `needs ${have} (HF_TOKEN) and perhaps its licence accepted at ${pageOf(remote)}`,
    );
  }
  if (status === 404 || status === 410) return new Deno.errors.NotFound(`${cannot}${quoted}`);
  return new Error(`${cannot}${quoted}`);
}

/** Text of a page, refused above a size. */
export async function fetchText(remote: HubRepo, url: string, limit: number): Promise<string> {
  using answer = await request(remote, url);
  const bytes = await bytesWithin(
    answer.chunks(),
    limit,
    () => new RangeError(`Cannot download ${remote.id} as ${url} has more than ${limit} bytes`),
  );
  const stated = answer.headers.get("content-length");
  if (
    stated !== null && !answer.headers.has("content-encoding") && Number(stated) !== bytes.length
  ) {
    throw new Temporary(`Cannot download ${remote.id} as the answer of ${url} broke off`);
  }
  return new TextDecoder().decode(bytes);
}
