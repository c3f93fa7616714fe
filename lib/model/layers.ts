/**
 * The residual stream of a decoder that was built here, and the head alone: sessions of their own, which start when
 * somebody looks inside, and hold the weights once more.
 *
 * @module
 */

import {
  type DecoderConfig,
  type Graph,
  headGraph,
  PORTS,
  STREAM_ROWS,
  withStreams,
} from "../graph/mod.ts";
import { type SessionOptions, tensor } from "../runtime/mod.ts";
import { openCache } from "./cache.ts";
import { slabsOf } from "./checked_session.ts";
import type { CacheShape, KvFormat, Layers } from "./engine.ts";
import { lazySession } from "./lazy_session.ts";
import type { CreateSession } from "./sessions.ts";

/** What the streams are of. */
interface Inside {
  readonly config: DecoderConfig;
  readonly kv: KvFormat;
  readonly chunk: number;
}

/**
 * Opens a look inside; disposing it ends its sessions.
 *
 * @param exact The decoder in float32, whose head reads streams.
 * @param running The decoder as it runs.
 * @returns undefined where the graph does not say where its stream is.
 */
export function openLayers(
  exact: Graph,
  running: Graph,
  { config, kv, chunk }: Inside,
  options: SessionOptions,
  create: CreateSession,
): Layers & AsyncDisposable | undefined {
  const inside = withStreams(running, config), head = headGraph(exact, config);
  if (!inside || !head) return undefined;
  const { width } = inside, { hiddenSize, vocabularySize } = config;
  const scope = new AsyncDisposableStack();
  const decoder = scope.use(lazySession(() => inside.graph, options, create));
  const reader = scope.use(lazySession(() => head, options, create));
  return {
    async openCache({ slots, length }: CacheShape) {
      const session = await decoder.session(), slabs = await slabsOf(session, config, kv, scope);
      return openCache(session, config, slabs(slots, length), { slots, length, chunk, width });
    },
    async read(rows) {
      const session = await reader.session(), count = rows.length / hiddenSize;
      using made = new DisposableStack();
      const logits = new Float32Array(count * vocabularySize);
      const own = made.use(tensor(rows, [count, hiddenSize]));
      const places = made.use(
        tensor(BigInt64Array.from({ length: count }, (_, i) => BigInt(i)), [count]),
      );
      const result = made.use(tensor(logits, [count, vocabularySize]));
      const binding = made.use(
        session.bind({ [STREAM_ROWS]: own, [PORTS.rows]: places }, { [PORTS.logits]: result }),
      );
      await binding.runAsync();
      return logits;
    },
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}
