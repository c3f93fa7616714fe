/** Runs decoders' graphs with keys and values of any type: a session and a cache on it. */
import {
  ARCHITECTURES,
  type DecoderConfig,
  encodeGraph,
  type Graph,
  halfPrecision,
  KV_PARTS,
  type Node,
  PORTS,
  weightsIn,
} from "@moi/moi/graph";
import { type KvCache, parseSafetensors } from "@moi/moi/model";
import {
  allocate,
  createSession,
  type Device,
  ELEMENT_TYPES,
  elements,
  type ElementType,
  memoryOver,
  type SessionOptions,
  type Tensor,
  tensorIn,
} from "@moi/moi/runtime";
import { type ExternalData, rangeReader } from "../../lib/model/external.ts";
import { openCache } from "../../lib/model/cache.ts";
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
): Decoder {
  const architecture = ARCHITECTURES[json.model_type as string]!, config = architecture.parse(json);
  const graph = architecture.graph(config, weightsIn(parseSafetensors(file, "w")), maxLength);
  return { graph, config, data: { externalData: { w: memoryOver(file.buffer) } } };
}

/** The graph of a golden case. */
export const caseDecoder = (value: ArchitectureCase): Decoder =>
  decoderOf(value.config, encodeSafetensors(tensorsOf(value)), value.max_length);

/** The same decoder in float16. */
export function halved(decoder: Decoder, wide = false): Decoder {
  const read = rangeReader(decoder.data as ExternalData);
  return { ...decoder, graph: halfPrecision(decoder.graph, { read, wide }) };
}

/** The same decoder with products as devices have them: of a matrix that is transposed before. */
export function transposed(decoder: Decoder): Decoder {
  const nodes = decoder.graph.nodes.flatMap((node): Node[] => {
    if (node.op !== "FusedMatMul") return [node];
    const [x, w] = node.inputs as [string, string], turned = `${node.outputs[0]}#turned`;
    return [
      { op: "Transpose", domain: "", inputs: [w], outputs: [turned], attributes: {} },
      { op: "MatMul", domain: "", inputs: [x, turned], outputs: node.outputs, attributes: {} },
    ];
  });
  return { ...decoder, graph: { ...decoder.graph, nodes } };
}

/** A cache on a decoder's session; both end with it. */
export async function openDecoder(
  { graph, config, data }: Decoder,
  { slots, length, device = "cpu" }: { slots: number; length: number; device?: Device },
): Promise<KvCache> {
  using scope = new DisposableStack();
  const session = scope.use(await createSession(encodeGraph(graph), { ...data, device }));
  const typeOf = new Map(graph.inputs.map(({ name, type }) => [name, type as ElementType]));
  const slabs = config.kv.flatMap(({ layer, kvHeads, headDim }) =>
    KV_PARTS.map((part) => {
      const type = typeOf.get(PORTS.past(layer, part))!, dims = [kvHeads, length, headDim];
      const bytes = elements(dims) * ELEMENT_TYPES[type].bytes;
      return { layer, part, type, dims, bytes, memory: scope.use(allocate(slots * bytes)) };
    })
  );
  const views = (slot: number, count: number) => {
    const past: Record<string, Tensor> = {}, present: Record<string, Tensor> = {};
    for (const { layer, part, type, dims, bytes, memory } of slabs) {
      const value = tensorIn(memory, slot * bytes, type, [count, ...dims]);
      past[PORTS.past(layer, part)] = present[PORTS.present(layer, part)] = value;
    }
    return { past, present, all: Object.values(past) };
  };
  const copy = (from: number, to: number) => {
    for (const { memory, bytes } of slabs) {
      new Uint8Array(memory.buffer).copyWithin(to * bytes, from * bytes, (from + 1) * bytes);
    }
    return Promise.resolve();
  };
  const owned = scope.move();
  const memory = { batch: slots, views, copy, [Symbol.dispose]: () => owned.dispose() };
  return openCache(session, config, memory, { slots, length });
}
