/**
 * Requests to a server: again where there was no answer, never where there was one.
 *
 * There was no answer where nothing connected, the connection broke, time ran out, the server was busy or
 * failed (408, 429, 500, 502, 503, 504), or what came with status 200 is no whole JSON: the text is not
 * known then, nobody keeps it, and the request's own seed gives the same text when it is asked for once
 * more. Every other status is an answer, and so is whole JSON, whatever it says.
 *
 * @module
 */

import { bytesWithin, delay, foreign, retryAfter } from "../../_http.ts";
import { isObject } from "../../_check.ts";

/** How a server is reached. */
export interface Connection {
  /** Its address, without `/v1`. */
  readonly base: string;
  readonly key?: string;
  /** Milliseconds after which a request counts as not answered. */
  readonly timeout: number;
  /** Milliseconds from the first failure of a request until it is given up. */
  readonly patience: number;
  /** Aborts when nobody needs answers any more. */
  readonly closed: AbortSignal;
  readonly onRetry?: (note: string) => void;
}

/** One request. */
export interface Asking<T = unknown> {
  /** Path, from `/v1` on. */
  readonly path: string;
  /** What is posted, as JSON; without it, a GET. */
  readonly body?: unknown;
  /** Largest answer, in bytes. Default: 1 MiB. */
  readonly limit?: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether another server may stand there since the last answer. Default: no. */
  readonly lost?: boolean;
  /** Makes of the answer what is wanted of it; may find that it is none ({@linkcode NotAnswered}). */
  readonly read: (answer: unknown) => T;
}

/** That there was no answer: it may be asked for again. */
export class NotAnswered extends Error {
  /** Milliseconds that the server asks to wait. */
  readonly wait: number | undefined;
  /** Whether another server may stand there now. */
  readonly lost: boolean;

  constructor(message: string, { wait, lost = false, ...options }: ErrorOptions & {
    wait?: number | undefined;
    lost?: boolean;
  } = {}) {
    super(message, options);
    this.wait = wait;
    this.lost = lost;
  }
}

/** That the answer is a refusal. */
export class Refused extends Error {
  constructor(message: string, readonly status: number) {
    super(message);
  }
}

/** Statuses that are no answer. */
const BUSY = new Set([408, 429, 500, 502, 503, 504]);

/** Bytes of an answer unless more are expected. */
const USUAL_LIMIT = 2 ** 20;

/** First and longest wait before a request is sent again, in milliseconds. */
const FIRST_WAIT = 100, LONGEST_WAIT = 30_000;

/** Text of a body; RangeError above a size. */
async function bodyText({ body }: Response, limit: number, where: string): Promise<string> {
  const words = `Cannot use the answer of ${where} as it has more than ${limit} bytes`;
  const bytes = await bytesWithin(body ?? [], limit, () => new RangeError(words));
  return new TextDecoder().decode(bytes);
}

/** What a server says of its refusal: OpenAI's form, FastAPI's, or plain text. */
function saidIn(text: string): string {
  const words = (value: unknown): string | undefined =>
    typeof value === "string"
      ? value
      : isObject(value)
      ? words(value.message ?? value.error ?? value.detail)
      : undefined;
  try {
    return foreign(words(JSON.parse(text)) ?? text, 400);
  } catch {
    return foreign(text, 400);
  }
}

/** Reads an answer, or says that there was none. */
async function answerOf(response: Response, limit: number, where: string): Promise<unknown> {
  const { status, headers } = response, wait = retryAfter(headers);
  const text = await bodyText(response, limit, where);
  if (BUSY.has(status)) {
    const said = saidIn(text), lost = status !== 429;
    const told = said ? ` (${said})` : "";
    throw new NotAnswered(`${where} answered ${status}${told}`, { wait, lost });
  }
  if (status !== 200) {
    const to = headers.get("location"), said = to === null ? saidIn(text) : `go to ${foreign(to)}`;
    throw new Refused(`Cannot use ${where} as it answered ${status}: ${said}`, status);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new NotAnswered(`the answer of ${where} is no whole JSON`, { cause, lost: true });
  }
}

const GIVEN_UP = "Cannot get an answer as ";

/** What an error came of: that of `fetch` says no more than that it failed. */
const innermost = (error: unknown): Error => {
  const { cause } = error as Error;
  return cause instanceof Error ? innermost(cause) : error as Error;
};

/** Sends a request once. */
async function sendOnce(server: Connection, asking: Omit<Asking, "read">, signal: AbortSignal) {
  const { path, body, limit = USUAL_LIMIT } = asking, { key, timeout } = server;
  const where = `${server.base}${path}`, late = new AbortController();
  const seconds = timeout / 1000;
  const timer = setTimeout(() => late.abort(`nothing came for ${seconds} s`), timeout);
  try {
    const response = await fetch(where, {
      method: body === undefined ? "GET" : "POST",
      redirect: "manual", // the key goes to nobody else
      headers: {
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, late.signal]),
    });
    return await answerOf(response, limit, where);
  } catch (cause) {
    signal.throwIfAborted();
    const isOwn = [NotAnswered, Refused, RangeError, Deno.errors.NotCapable]
      .some((kind) => cause instanceof kind);
    if (isOwn) throw cause;
    const why = late.signal.reason ?? foreign(innermost(cause).message);
    throw new NotAnswered(`${where} gave no answer: ${why}`, { cause, lost: true });
  } finally {
    clearTimeout(timer);
    late.abort(); // gives the connection back where the body was not read to its end
  }
}

/**
 * Asks a server until it answers.
 *
 * @param again Called before a request is sent where another server may stand there now, as after the connection
 * was lost: throws where one does.
 * @returns What is read of the answer.
 * @throws {Refused} Where the server refuses, with its own words.
 * @throws {NotAnswered} Where patience has run out.
 */
export async function ask<T>(
  server: Connection,
  asking: Asking<T>,
  again: () => Promise<void> = () => Promise.resolve(),
): Promise<T> {
  const { closed, patience, onRetry } = server;
  const signal = asking.signal ? AbortSignal.any([closed, asking.signal]) : closed;
  let since: number | undefined, { lost = false } = asking;
  for (let failures = 0;; failures++) {
    try {
      if (lost) await again();
      lost = false;
      return asking.read(await sendOnce(server, asking, signal));
    } catch (error) {
      if (!(error instanceof NotAnswered)) throw error;
      const why = error.message.replace(GIVEN_UP, ""); // of what was asked in between
      since ??= performance.now();
      lost ||= error.lost;
      const backoff = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures) * (0.5 + Math.random());
      const wait = Math.max(backoff, error.wait ?? 0), spent = performance.now() - since;
      if (spent + wait > patience) {
        const tries = failures === 0
          ? ""
          : `, after ${failures + 1} tries in ${(spent / 1000).toFixed(0)} s`;
        throw new NotAnswered(`${GIVEN_UP}${why}${tries}`, { cause: error });
      }
      onRetry?.(`${why}; again in ${(wait / 1000).toFixed(1)} s`);
      await delay(wait, signal);
    }
  }
}
