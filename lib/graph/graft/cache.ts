/**
 * The cache. GroupQueryAttention appends in place, given the last positions instead of what the export
 * derives from the mask; it computes in float32 here, also where the export's activations are float16.
 * Other attention, which concatenates the past, is left alone: the valid part of a slot is its past,
 * and what it appends is scattered back (one copy of the valid part a step).
 *
 * @module
 */

import { shown } from "../../_check.ts";
import type { KvLayer } from "../config.ts";
import type { Graph, Node, TensorType } from "../onnx.ts";
import { KV_PARTS, type KvPart, PORTS } from "../ports.ts";
import type { Places } from "./positions.ts";
import type { Surgery } from "./surgery.ts";
import { fail, refuse } from "./walk.ts";

/** A layer's keys or values. */
export interface CacheTensor extends KvLayer {
  readonly part: KvPart;
  /** Names of the input and output in the export. */
  readonly past: string;
  readonly present: string;
  readonly type: TensorType | undefined;
}

/** All caches of an export: see {@linkcode findCache}. */
export type Cache = ReturnType<typeof findCache>;

const NAME = /^(past|present)(?:_key_values)?[._](\d{1,4})[._](key|value)$/;

/** Pairs the inputs that hold a past with the outputs that continue them. */
export function cacheTensors({ inputs, outputs }: Pick<Graph, "inputs" | "outputs">) {
  const key = (match: RegExpExecArray) => `${Number(match[2])}.${match[3]}`;
  const presents = new Map(outputs.flatMap(({ name }) => {
    const match = NAME.exec(name);
    return match?.[1] === "present" ? [[key(match), name] as const] : [];
  }));
  const found = inputs.flatMap(({ name: past, type, dims }): CacheTensor[] => {
    const match = NAME.exec(past);
    if (match?.[1] !== "past") return [];
    const present = presents.get(key(match)) ??
      fail(`${shown(past)} has no output that continues it`);
    const valid = (size: unknown): size is number =>
      Number.isInteger(size) && size as number > 0 && size as number < 1 << 16;
    const kvHeads = dims?.[1], headDim = dims?.[3];
    if (dims?.length !== 4 || !valid(kvHeads) || !valid(headDim)) {
      fail(`${shown(past)} must have a shape [batch, heads, length, width]: current is [${dims}]`);
    }
    const layer = Number(match[2]), part = match[3] as KvPart;
    return [{ layer, part, past, present, type, kvHeads, headDim }];
  });
  if (found.length === 0) {
    fail(
      "it has no cache: inputs named 'past_key_values.0.key' and so on, with outputs " +
        "'present.0.key', are needed (export with past)",
    );
  }
  return found.toSorted((a, b) => a.layer - b.layer || a.part.localeCompare(b.part));
}

/** Finds the cache. */
export function findCache({ inputs, graph: { outputs } }: Surgery) {
  const tensors = cacheTensors({ inputs, outputs });
  const types = new Set(tensors.map(({ type }) => type)), [type] = types;
  if (types.size > 1 || type !== "float32" && type !== "float16") {
    return fail(
      `its cache must be float32 or float16 throughout: current types are ${[...types].join(", ")}`,
    );
  }
  const layers = Map.groupBy(tensors, ({ layer }) => layer);
  const kv = [...layers].map(([layer, [key, value, ...others]]): KvLayer => {
    if (others.length > 0 || key!.part !== "key" || value?.part !== "value") {
      return fail(`layer ${layer} must have one cache of keys and one of values`);
    }
    const { kvHeads, headDim } = key!;
    if (kvHeads !== value.kvHeads || headDim !== value.headDim) {
      fail(`keys and values of layer ${layer} must have the same shape`);
    }
    return { layer, kvHeads, headDim };
  });
  return { kv, tensors, type } as const;
}

/** The nodes whose operator appends in place. */
export const attentionsOf = ({ nodes }: Surgery): Node[] =>
  [...nodes].filter(({ op }) => op === "GroupQueryAttention");

/** Lets the attention work on the ports; tells how. */
export function openCache(s: Surgery, cache: Cache, n: Places): "in place" | "concatenated" {
  const attentions = attentionsOf(s), used = new Set<CacheTensor>();
  if (attentions.length === 0) {
    concatenate(s, cache, n);
    return "concatenated";
  }
  for (const attention of attentions) {
    for (const tensor of appendInPlace(s, attention, cache, used)) used.add(tensor);
  }
  for (const tensor of cache.tensors) {
    if (!used.has(tensor)) fail(`no GroupQueryAttention uses ${shown(tensor.past)}`);
    // such as positions from the length of the past
    if (s.consumers(tensor.past).length > 0) giveValidPast(s, tensor, cache, n);
  }
  return "in place";
}

/** Inputs of GroupQueryAttention that have the type of its activations. */
const OF_ACTIVATIONS = [0, 1, 2, 7, 8, 10, 11, 14, 15];

/** GroupQueryAttention on one buffer, told its positions directly. */
function appendInPlace(
  s: Surgery,
  attention: Node,
  { tensors, type }: Cache,
  used: ReadonlySet<CacheTensor>,
): readonly [CacheTensor, CacheTensor] {
  const { attributes, outputs } = attention, whole = (name: string) => attributes[name]?.int ?? 0;
  const text = (name: string) => attributes[name]?.text ?? "NONE";
  if (whole("sliding_window_cache") !== 0) fail("its cache holds a window only");
  if (text("k_quant_type") !== "NONE" || text("v_quant_type") !== "NONE") {
    fail("its cache is quantised, which is not implemented; export with a float cache");
  }
  const [key, value] = KV_PARTS.map((part, i) =>
    tensors.find((tensor) =>
      tensor.past === attention.inputs[3 + i] && tensor.present === outputs[1 + i] &&
      tensor.part === part && !used.has(tensor)
    )
  );
  if (!key || !value) {
    return fail("a GroupQueryAttention must have the graph's own inputs and outputs as its cache");
  }
  if (whole("kv_num_heads") !== key.kvHeads) {
    refuse("'kv_num_heads'", `be ${key.kvHeads}, as the cache has`, whole("kv_num_heads"));
  }
  const pasts = [key, value].map(({ layer, part }) => PORTS.past(layer, part));
  const presents = [key, value].map(({ layer, part }) => PORTS.present(layer, part));
  const inputs = attention.inputs.toSpliced(3, 4, ...pasts, PORTS.lastPosition, PORTS.length);
  if (inputs.length > 9) inputs[9] = ""; // positions follow from the last one
  for (const index of OF_ACTIVATIONS) {
    if (inputs[index]) inputs[index] = s.cast(inputs[index], type, "float32");
  }
  const attended = type === "float32" ? outputs[0]! : `moi/${outputs[0]}`;
  s.replace(attention, { inputs, outputs: [attended, ...presents, ...outputs.slice(3)] });
  if (attended !== outputs[0]) s.give(outputs[0]!, attended, type);
  for (const [i, { present }] of [key, value].entries()) {
    const [other] = present === presents[i] ? [] : s.consumers(present);
    if (other) fail(`${shown(present)} is also used by ${other.op}`);
  }
  return [key, value];
}

/** The valid part of a slot under the name that the export has for the past. */
function giveValidPast(s: Surgery, { layer, part, past }: CacheTensor, { type }: Cache, n: Places) {
  const port = PORTS.past(layer, part);
  s.give(past, s.op("Slice", [port, s.integers([0]), n.past, s.integers([2])]), type);
}

/** Any other attention: the valid part of a slot is its past, what it appends is scattered back. */
function concatenate(s: Surgery, cache: Cache, n: Places): void {
  const axis = s.integers([2]), one = s.integers([1]), indices = new Map<number, string>();
  const joined = (parts: readonly string[], axis: number) =>
    s.op("Concat", parts, { attributes: { axis: { int: axis } } });
  /** Where the new numbers go, [B, heads, S, 3]. */
  const indicesOf = (heads: number): string => {
    const counted = (size: string, dims: readonly number[]) =>
      s.op("Reshape", [s.upTo(size), s.integers(dims)]);
    const full = joined([n.batch, s.integers([heads]), n.sequence, one], 0);
    const places = joined([n.batch, one, n.sequence, one], 0);
    const parts = [
      counted(n.batch, [-1, 1, 1, 1]),
      counted(s.integers([heads]), [1, -1, 1, 1]),
      s.op("Reshape", [n.positions, places]),
    ];
    return joined(parts.map((part) => s.op("Expand", [part, full])), 3);
  };
  for (const tensor of cache.tensors) {
    const { present, layer, part, kvHeads } = tensor, appended = `moi/${present}`;
    s.rename(present, appended);
    giveValidPast(s, tensor, cache, n);
    const fresh = s.op("Slice", [appended, n.past, n.total, axis]); // [B, heads, S, width]
    if (!indices.has(kvHeads)) indices.set(kvHeads, indicesOf(kvHeads));
    const updates = s.cast(fresh, cache.type, "float32");
    s.op("ScatterND", [PORTS.past(layer, part), indices.get(kvHeads)!, updates], {
      outputs: [PORTS.present(layer, part)],
    });
  }
}
