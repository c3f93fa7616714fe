/**
 * Sessions over a model's weights, on its device and, for comparison, on the CPU.
 *
 * @module
 */

import { encodeGraph, type Graph } from "../graph/mod.ts";
import {
  createSession,
  type Device,
  type MappedFile,
  type Session,
  type SessionOptions,
} from "../runtime/mod.ts";
import type { ExternalData } from "./external.ts";

/** What starts sessions: {@linkcode createSession}, or a test's own. */
export type CreateSession = typeof createSession;

/** Starts a session of a graph on a device, with runs that are recorded where `capture` and it has all operators. */
export type StartSession = (
  device: Device,
  graph: Graph | Uint8Array<ArrayBuffer>,
  capture?: boolean,
) => Promise<Session>;

/** Does work that reads mapped files once, without letting what it has read pile up in memory. */
async function forgetting<T>(files: readonly MappedFile[], work: () => Promise<T>): Promise<T> {
  const EVERY_MS = 20;
  const forget = () => files.forEach((file) => file.forget());
  const timer = setInterval(forget, EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    forget();
  }
}

/** What starts sessions over the weights in some files, until a signal is aborted. */
export function sessionStarter(
  settings: ExternalData & Pick<SessionOptions, "spinning" | "threads">,
  signal?: AbortSignal,
  create: CreateSession = createSession,
): StartSession {
  const files = Object.values(settings.externalData ?? {});
  const startOn: StartSession = async (device, graph, capture = false) => {
    signal?.throwIfAborted();
    const encoded = graph instanceof Uint8Array ? graph : encodeGraph(graph);
    try {
      return await forgetting(
        files,
        () => create(encoded, { ...settings, device, capture }),
      );
    } catch (error) {
      const { message } = error as Error;
      if (capture && message.includes("graph capture")) return startOn(device, graph);
      throw error;
    }
  };
  return startOn;
}
