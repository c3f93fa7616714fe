/**
 * The playground: a page on this machine on which two methods answer one prompt side by side, from one seed, as
 * their tokens come.
 *
 * Tokens are coloured by the entropy that they were drawn at, and marked from where the two texts part. A token that
 * is chosen shows the mixture that was fed back after it. Where β is changed then, the text goes on anew from that
 * token, and what stands before stays: one seed gives one text, whatever follows.
 *
 * `deno task play` starts it.
 *
 * @module
 */

import { checkOptions, number, type Rules } from "../_check.ts";
import type { Model } from "../model/mod.ts";
import { served, type Server } from "../serve/server.ts";
import { openPlayground } from "./handler.ts";

/** Options of {@linkcode play}. */
export interface PlayOptions {
  /** Port; 0 takes a free one. Default: 8001. */
  readonly port?: number;
}

const RULES: Rules<PlayOptions> = { port: number({ min: 0, max: 65535, integer: true }) };

/**
 * Starts the playground of a model at this machine's own address.
 *
 * @param model A model that decodes here; it must outlive the server.
 * @returns The server, whose `url` a browser opens.
 *
 * @example
 * ```ts
 * import { loadModel } from "@moi/moi/model";
 * import { play } from "@moi/moi/play";
 * import { assertStringIncludes } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * await using server = play(model, { port: 0 });
 * assertStringIncludes(await (await fetch(server.url)).text(), "side by side");
 * ```
 */
export function play(model: Model, options: PlayOptions = {}): Server {
  checkOptions("play", options, RULES);
  return served(openPlayground(model), { port: options.port ?? 8001, hostname: "127.0.0.1" });
}
