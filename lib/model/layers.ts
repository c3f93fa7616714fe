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
  PATCH_PORTS,
  PORTS,
  STREAM_ROWS,
  withStreams,
} from "../graph/mod.ts";
import { type SessionOptions, takingTurns, tensor, type Tensors } from "../runtime/mod.ts";
import { checkNumber, isObject, refusal } from "../_check.ts";
import { given } from "../_given.ts";
import { openCache } from "./cache.ts";
import { slabsOf } from "./checked_session.ts";
import type { DenseProduct } from "./dense.ts";
import type { CacheShape, KvFormat, Layers, Patch } from "./engine.ts";
import { lazySession } from "./lazy_session.ts";
import type { CreateSession } from "./sessions.ts";

/** What the streams are of. */
interface Inside {
  readonly config: DecoderConfig;
  readonly kv: KvFormat;
  readonly chunk: number;
  /** Opens what multiplies mixtures over a large vocabulary. */
  readonly openProduct: () => DenseProduct | undefined;
}

/** Refuses patches of places that there are not, or that do not fit. */
function checkPatches(
  patches: readonly Patch[],
  { layers, hiddenSize }: DecoderConfig,
  length: number,
): void {
  const verb = "replace a stream", places = new Set<string>();
  for (const [i, patch] of patches.entries()) {
    const name = `patches[${i}]`;
    if (!isObject(patch)) throw new TypeError(refusal(verb, name, "be an object", patch));
    const { layer, position, stream } = patch as Patch, place = `${layer} ${position}`;
    checkNumber(verb, `${name}.layer`, layer, { min: 0, max: layers, integer: true });
    const range = { min: 0, max: length - 1, integer: true };
    checkNumber(verb, `${name}.position`, position, range);
    if (!(stream instanceof Float32Array) || stream.length !== hiddenSize) {
      const rule = `be a Float32Array of ${hiddenSize} numbers`;
      throw new TypeError(refusal(verb, `${name}.stream`, rule, stream?.length ?? stream));
    }
    if (places.has(place)) {
      throw new RangeError(
        refusal(verb, name, "be the only one of its place", { layer, position }),
      );
    }
    places.add(place);
  }
}

/** The inputs of a run that say what is replaced among its positions. */
function patchTensors(
  patches: readonly Patch[],
  { layers, hiddenSize }: DecoderConfig,
  from: number,
  count: number,
): Tensors {
  const own = patches.filter(({ position }) => position >= from && position < from + count);
  const rows = layers + 1, width = own.length > 0 ? count : 1;
  const places = new Int32Array(rows * count),
    streams = new Float32Array(rows * width * hiddenSize);
  for (const { layer, position, stream } of own) {
    const at = layer * count + position - from;
    places[at] = 1;
    streams.set(stream, at * hiddenSize);
  }
  return {
    [PATCH_PORTS.places]: tensor(places, [rows, count, 1]),
    [PATCH_PORTS.streams]: tensor(streams, [rows, width, hiddenSize]),
  };
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
  { config, kv, chunk, openProduct }: Inside,
  options: SessionOptions,
  create: CreateSession,
): Layers & AsyncDisposable | undefined {
  const inside = withStreams(running, config), head = headGraph(exact, config);
  if (!inside || !head) return undefined;
  const { width } = inside, { hiddenSize, vocabularySize } = config, execute = takingTurns();
  const scope = new AsyncDisposableStack();
  const decoder = scope.use(lazySession(() => inside.graph, options, create));
  const reader = scope.use(lazySession(() => head, options, create));
  const start = async () => {
    const session = await decoder.session();
    return { session, slabs: await slabsOf(session, config, kv, scope) };
  };
  let started: ReturnType<typeof start> | undefined;
  return {
    async openCache({ slots, length }: CacheShape, patches = []) {
      checkPatches(patches, config, length);
      const { session, slabs } = await (started ??= start());
      const further = (from: number, count: number) => patchTensors(patches, config, from, count);
      const { step: _step, copy: _copy, ...cache } = openCache(
        session,
        config,
        slabs(slots, length),
        { slots, length, chunk, width, further, ...given({ product: openProduct() }) },
      );
      return cache;
    },
    async read(streams) {
      const session = await reader.session(), count = streams.length;
      using made = new DisposableStack();
      const rows = new Float32Array(count * hiddenSize);
      streams.forEach((stream, i) => rows.set(stream, i * hiddenSize));
      const logits = new Float32Array(count * vocabularySize);
      const own = made.use(tensor(rows, [count, hiddenSize]));
      const places = made.use(
        tensor(BigInt64Array.from({ length: count }, (_, i) => BigInt(i)), [count]),
      );
      const result = made.use(tensor(logits, [count, vocabularySize]));
      const binding = made.use(
        session.bind({ [STREAM_ROWS]: own, [PORTS.rows]: places }, { [PORTS.logits]: result }),
      );
      await execute(binding);
      return streams.map((_, i) => logits.subarray(i * vocabularySize, (i + 1) * vocabularySize));
    },
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}
