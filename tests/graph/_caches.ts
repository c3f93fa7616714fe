/** Decoders' graphs in changed forms, and caches on their sessions. */
import {
  ARCHITECTURES,
  CPU_TARGET,
  type DecoderConfig,
  encodeGraph,
  type Graph,
  halfPrecision,
  PORTS,
  type Target,
  weightsIn,
} from "@moi/moi/graph";
import { type KvCache, parseSafetensors } from "@moi/moi/model";
import { createSession, type Device, memoryOver, type SessionOptions } from "@moi/moi/runtime";
import { openCache } from "../../lib/model/cache.ts";
import { KV_TYPES, type KvFormat } from "../../lib/model/engine.ts";
import { type ExternalData, rangeReader } from "../../lib/model/external.ts";
import { hostSlabs } from "../../lib/model/slabs.ts";
import { type ArchitectureCase, tensorsOf } from "../golden/architectures.ts";
import { encodeSafetensors } from "../golden/golden.ts";

/** A graph, the config that it is of, and what a session is told about its weights. */
export interface Decoder {
  readonly graph: Graph;
  readonly config: DecoderConfig;
  readonly data: Pick<SessionOptions, "folder" | "externalData">;
}

/** The graph of a checkpoint with these bytes. */
export function decoderOf(
  json: Readonly<Record<string, unknown>>,
  file: Uint8Array<ArrayBuffer>,
  maxLength: number,
  target: Target = CPU_TARGET,
): Decoder {
  const architecture = ARCHITECTURES[json.model_type as string]!, config = architecture.parse(json);
  const weights = weightsIn(parseSafetensors(file, "w"));
  const graph = architecture.graph(config, weights, maxLength, target);
  return { graph, config, data: { externalData: { w: memoryOver(file.buffer) } } };
}

/** The graph of a golden case. */
export const caseDecoder = (value: ArchitectureCase, target?: Target): Decoder =>
  decoderOf(value.config, encodeSafetensors(tensorsOf(value)), value.max_length, target);

/** The same decoder in float16. */
export function halved(decoder: Decoder, wide = false): Decoder {
  const read = rangeReader(decoder.data as ExternalData);
  return { ...decoder, graph: halfPrecision(decoder.graph, { read, wide }) };
}

/** The format of a decoder's keys and values. */
function formatOf({ graph, config }: Decoder): KvFormat {
  const port = PORTS.past(config.kv[0]!.layer, "key");
  const { type } = graph.inputs.find(({ name }) => name === port)!;
  return (Object.keys(KV_TYPES) as KvFormat[]).find((format) => KV_TYPES[format] === type)!;
}

/** A cache in the host's memory on a decoder's session, which ends with it. */
export async function openDecoder(
  decoder: Decoder,
  { slots, length, device = "cpu" }: { slots: number; length: number; device?: Device },
): Promise<KvCache> {
  const { graph, config, data } = decoder;
  const session = await createSession(encodeGraph(graph), { ...data, device });
  const slabs = hostSlabs(config, slots, length, formatOf(decoder));
  const cache = openCache(session, config, slabs, { slots, length });
  const dispose = () => {
    cache[Symbol.dispose]();
    session[Symbol.dispose]();
  };
  return { ...cache, [Symbol.dispose]: dispose };
}
