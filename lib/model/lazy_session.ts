/**
 * A session that starts when it is first needed.
 *
 * @module
 */

import { encodeGraph, type Graph } from "../graph/mod.ts";
import { createSession, type Session, type SessionOptions } from "../runtime/mod.ts";
import type { CreateSession } from "./sessions.ts";

/** A session of a graph, started at the first call; disposing it waits for that start. */
export function lazySession(
  graph: () => Graph,
  options: SessionOptions,
  create: CreateSession = createSession,
) {
  let started: Promise<Session> | undefined;
  return {
    session: () => started ??= create(encodeGraph(graph()), options),
    async [Symbol.asyncDispose]() {
      await (await started?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}

/** See {@linkcode lazySession}. */
export type LazySession = ReturnType<typeof lazySession>;
