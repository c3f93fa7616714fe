/**
 * A handler on a port, without TLS. Deno's server does not bound how slowly headers come: where others than this
 * machine can ask, a proxy before it should.
 *
 * @module
 */

import { checkOptions, number, refusal, type Rules, words } from "../_check.ts";
import { given } from "../_given.ts";
import type { Model } from "../model/mod.ts";
import { checkReach } from "./access.ts";
import { type Handler, HANDLER_RULES, type HandlerOptions, openHandler } from "./handler.ts";

/** Options of {@linkcode serve}. */
export interface ServeOptions extends HandlerOptions {
  /** Port; 0 takes a free one. Default: 8000. */
  readonly port?: number;
  /** Address that it listens at; others than this machine's own need a key. Default: 127.0.0.1. */
  readonly hostname?: string;
}

const RULES: Rules<ServeOptions> = {
  ...HANDLER_RULES,
  port: number({ min: 0, max: 65535, integer: true }),
  hostname: words,
};

/** Time in which the last answers are read once all texts have ended. */
const LAST_MS = 2000;

/** A server that runs. */
export interface Server extends AsyncDisposable {
  /** Where it answers, as in "http://127.0.0.1:8000". */
  readonly url: string;
  /** Resolves when it has ended, by whatever; rejects where the model failed. */
  readonly finished: Promise<void>;
  /**
   * Refuses further requests (503), waits for those that run, and ends.
   *
   * @param seconds Time that they have, up to 10⁶; then they are ended. Default: 30.
   */
  shutdown(seconds?: number): Promise<void>;
}

/**
 * Serves a model over HTTP: see `protocol.ts`.
 *
 * @param model A model that decodes here; it must outlive the server.
 * @throws {TypeError} Where others than this machine could ask without a key.
 *
 * @example
 * ```ts
 * import { loadModel } from "@moi/moi/model";
 * import { serve } from "@moi/moi/serve";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * await using server = serve(model, { port: 0 });
 * const { methods } = await (await fetch(`${server.url}/v1/moi`)).json();
 * assertEquals(methods.standard, []);
 * ```
 */
export function serve(model: Model, options: ServeOptions = {}): Server {
  checkOptions("serve", options, RULES);
  const { port = 8000, hostname = "127.0.0.1", ...more } = options;
  checkReach(hostname, more.key !== undefined);
  return served(openHandler(model, given(more)), { port, hostname });
}

/** Deno's server; where another program has the port, it says so. */
function listening(options: Deno.ServeTcpOptions, answer: Deno.ServeHandler<Deno.NetAddr>) {
  try {
    return Deno.serve(options, answer);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    const rule = "be free, and another program has it (0 takes a free one)";
    throw new Deno.errors.AddrInUse(refusal("serve", "port", rule, options.port));
  }
}

/** Puts a handler on a port; the server closes it. */
export function served(
  handler: Handler,
  { port, hostname }: { readonly port: number; readonly hostname: string },
): Server {
  const ending = new AbortController(), answers = new Set<Promise<void>>();
  const http = listening(
    { port, hostname, onListen: () => {}, signal: ending.signal },
    (request, { completed }) => {
      const read = completed.catch(() => {}).finally(() => answers.delete(read));
      answers.add(read);
      return handler.handle(request);
    },
  );
  const { hostname: address, port: own } = http.addr;
  const host = address.includes(":") ? `[${address}]` : address;
  /** Ends the connections once all answers are read; those that nobody reads are not waited for. */
  const disconnect = async () => {
    const timer = setTimeout(() => ending.abort(), LAST_MS);
    await Promise.race([Promise.all(answers), http.finished]);
    if (!ending.signal.aborted) await http.shutdown(); // what is written is sent
    clearTimeout(timer);
    await http.finished;
  };
  const finished = handler.finished.finally(disconnect);
  finished.catch(() => {}); // told to whoever awaits it
  return {
    url: `http://${host}:${own}`,
    finished,
    async shutdown(seconds) {
      await handler.close(seconds);
      await Promise.allSettled([finished]);
    },
    [Symbol.asyncDispose]() {
      return this.shutdown(0);
    },
  };
}
