/**
 * Bodies of requests: so many bytes and no more, in so much time, whatever their headers say.
 *
 * @module
 */

import { bytesWithin } from "../_http.ts";
import { ServeError } from "./error.ts";

/** Bounds of a body. */
export interface BodyLimits {
  readonly bytes: number;
  readonly ms: number;
}

/** Those of a server: lists of prompts are long, and nobody types for half a minute. */
const BODY: BodyLimits = { bytes: 4 * 2 ** 20, ms: 30_000 };

/** What a reader gives, or an error once the time is up. */
async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const facts = { status: 408, code: "slow_body" };
  const timer = setTimeout(
    () => late.reject(new ServeError(`The body must arrive within ${ms / 1000} s`, facts)),
    ms,
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** What is read, piece by piece. */
async function* pieces(reader: ReadableStreamDefaultReader<Uint8Array>) {
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}

/** The bytes of a body, up to a limit. */
function bytesOf(reader: ReadableStreamDefaultReader<Uint8Array>, most: number) {
  const facts = { status: 413, code: "body_too_large" };
  const words = `The body must have at most ${most} bytes`;
  return bytesWithin(pieces(reader), most, () => new ServeError(words, facts));
}

/** Whether a body is said to be JSON: a page elsewhere cannot send that without asking first. */
const isJson = ({ headers }: Request) =>
  /^application\/json(?:\s*;|$)/i.test(headers.get("content-type") ?? "");

/**
 * The JSON of a request.
 *
 * @throws {ServeError} Where it is none, too long, too slow, or not said to be JSON.
 */
export async function jsonOf(request: Request, { bytes, ms }: BodyLimits = BODY): Promise<unknown> {
  if (!isJson(request)) {
    const facts = { status: 415, code: "unsupported_media_type" };
    throw new ServeError("The content type of the body must be application/json", facts);
  }
  const coding = request.headers.get("content-encoding") ?? "identity";
  if (coding.toLowerCase() !== "identity") {
    const facts = { status: 415, code: "unsupported_content_coding" };
    throw new ServeError("The body must be sent as it is, without a content-encoding", facts);
  }
  const reader = request.body?.getReader();
  try {
    const read = reader ? await inTime(bytesOf(reader, bytes), ms) : new Uint8Array();
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(read));
  } catch (error) {
    if (error instanceof ServeError) throw error;
    const facts = { status: 400, code: "invalid_json" };
    throw new ServeError("Cannot complete as the body must be JSON in UTF-8", facts);
  } finally {
    reader?.cancel().catch(() => {}); // what has not been read, nobody reads
  }
}
