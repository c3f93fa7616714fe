/**
 * A session that starts when it is first needed.
 *
 * @module
 */

import { encodeGraph, type Graph } from "../graph/mod.ts";
import { createSession, type Session, type SessionOptions } from "../runtime/mod.ts";

/** A session, started at the first call; disposing it waits for that start. */
export interface LazySession extends AsyncDisposable {
  session(): Promise<Session>;
}

/** A session of a graph. */
export function lazySession(graph: () => Graph, options: SessionOptions): LazySession {
  let started: Promise<Session> | undefined;
  return {
    session: () => started ??= createSession(encodeGraph(graph()), options),
    async [Symbol.asyncDispose]() {
      await (await started?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}
