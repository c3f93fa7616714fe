/**
 * Converted copies of a checkpoint's tensors, made once and kept on disk: quantised matrices, blocks of
 * a GGUF file in the layout of the runtime, and float32 of what the runtime cannot read.
 *
 * The copy is a safetensors file beside other cached files; it holds what was converted and
 * nothing else, the rest stays in the checkpoint. It is written tensor by tensor to a `.part` file
 * and renamed when it is whole, so that an aborted conversion leaves nothing that could be mistaken
 * for a result, and two processes that convert at the same time end with one of two equal files.
 *
 * @module
 */

import { dirname, join } from "node:path";
import {
  BLOCK_SIZE,
  type Graph,
  type OnnxType,
  quantizedRowBytes,
  type QuantizedWeight,
  QUANTIZER_VERSION,
  quantizeRows,
  type StoredTensor,
  type Weight,
  type Weights,
} from "../graph/mod.ts";
import { elements, mapFile, type MappedFile } from "../runtime/mod.ts";
import { pack, packingOf } from "./gguf/blocks.ts";
import type { Progress } from "./progress.ts";
import { type Encoded, rowsOf } from "./rows.ts";
import { parseSafetensors } from "./safetensors.ts";
import type { Checkpoint } from "./weights.ts";

/** What a linear layer's matrix becomes: quantised, packed as its blocks are, or float32. */
export type Form = 4 | 8 | "packed" | "dense";

/** Where the copy is kept and who watches its making. */
export interface ConvertOptions {
  /** The form of a matrix, by itself and how it is stored. */
  readonly form: (weight: Weight, encoded: Encoded | undefined) => Form;
  /** Digest of the checkpoint. */
  readonly fingerprint: string;
  /** Folder for cached files. */
  readonly cacheDir: string;
  /** What progress reports call the work. */
  readonly label: string;
  /** Called with the bytes of the checkpoint that are done. */
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the conversion. */
  readonly signal?: AbortSignal;
}

/** Location name of the copy; no shard can have it. */
const LOCATION = ":converted";

/** Numbers converted at a time: bounds the memory, and how long an abort takes. */
const CHUNK = 2 ** 20;

/** Age from which a `.part` file is what a killed process left behind. */
const STALE_MS = 24 * 3600e3;

/** A tensor of the copy. */
interface Part {
  readonly name: string;
  readonly type: "uint8" | "float32";
  readonly dims: readonly number[];
  readonly length: number;
}

/** A tensor to be converted: its form, and names, shapes and bytes of its parts in order. */
interface Planned {
  readonly name: string;
  readonly weight: Weight;
  readonly encoded: Encoded | undefined;
  readonly form: Form;
  readonly parts: readonly Part[];
  /** What linear layers use, given where the parts lie; undefined for a float32 copy. */
  quantized?(place: (part: Part) => StoredTensor): Omit<QuantizedWeight, "sourceOffset">;
}

function floatPart(name: string, dims: readonly number[]): Part {
  return { name, type: "float32", dims, length: 4 * elements(dims) };
}

function planOf(name: string, weight: Weight, encoded: Encoded | undefined, form: Form): Planned {
  const common = { name, weight, encoded, form };
  if (form === "dense") return { ...common, parts: [floatPart(`${name}#float32`, weight.dims)] };
  const [rows, columns] = weight.dims as [number, number];
  const packing = form === "packed" ? packingOf(encoded!.type)! : undefined;
  const { bits, blockSize } = packing ?? { bits: form as 4 | 8, blockSize: BLOCK_SIZE };
  const blocks = packing ? columns / blockSize : quantizedRowBytes(columns, bits).blocks;
  const bytes = blockSize * bits / 8, of = (part: string) => `${name}#${part}`;
  const data: Part = {
    ...{ name: of(`int${bits}`), type: "uint8" },
    ...{ dims: [rows, blocks, bytes], length: rows * blocks * bytes },
  };
  const scales = floatPart(of("scales"), [rows, blocks]);
  const minima = packing?.minima ? floatPart(of("minima"), [rows, blocks]) : undefined;
  return {
    ...common,
    parts: minima ? [data, scales, minima] : [data, scales],
    quantized: (place) => ({
      ...{ bits, blockSize, data: place(data), scales: place(scales) },
      ...(minima && { minima: place(minima) }),
    }),
  };
}

/** The weights with what was converted. */
function withCopies(
  weights: Weights,
  plans: readonly Planned[],
  place: (part: Part) => StoredTensor,
): Map<string, Weight> {
  const all = new Map(weights);
  for (const { name, parts, quantized } of plans) {
    if (!quantized) all.set(name, { ...all.get(name)!, ...place(parts[0]!) });
  }
  for (const { name, quantized } of plans) {
    if (!quantized) continue;
    const weight = all.get(name)!, sourceOffset = weight.offset;
    all.set(name, { ...weight, quantized: { ...quantized(place), sourceOffset } });
  }
  return all;
}

const FLOATS: readonly OnnxType[] = ["float32", "float16", "bfloat16", "float64"];

/**
 * What a graph asks for: of its linear layers the quantised copies, in the form that is due, and float32
 * of the rest that it could not read.
 */
function plansFor(
  build: (weights: Weights) => Graph,
  { weights, encoded = new Map() }: Checkpoint,
  formOf: ConvertOptions["form"],
): Planned[] {
  const asked = new Set<Planned>(), observed = new Map(weights);
  for (const [name, weight] of weights) {
    if (weight.dims.length !== 2 || weight.unread || !FLOATS.includes(weight.type)) continue;
    if (elements(weight.dims) === 0) continue;
    const own = encoded.get(name), form = formOf(weight, own);
    if (form === "dense") continue;
    const plan = planOf(name, weight, own, form);
    const get = (): QuantizedWeight => {
      asked.add(plan);
      const nowhere = (part: Part) => ({ ...part, location: LOCATION, offset: 0 });
      return { ...plan.quantized!(nowhere), sourceOffset: weight.offset };
    };
    observed.set(
      name,
      Object.defineProperty({ ...weight }, "quantized", { get, enumerable: true }),
    );
  }
  const { initializers } = build(observed);
  for (const [name, own] of encoded) {
    const weight = weights.get(name)!, { location, offset, length } = weight;
    const isUsed = initializers.some(({ data }) =>
      !(data instanceof Uint8Array) && data.location === location && data.offset >= offset &&
      data.offset < offset + length
    );
    if (isUsed) asked.add(planOf(name, weight, own, "dense"));
  }
  return [...asked];
}

/** Converts one tensor, its parts one after the other: numbers go to `write` as they come. */
async function convert(
  { name, form, encoded, parts }: Planned,
  checkpoint: Checkpoint,
  write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
): Promise<void> {
  const rows = rowsOf(name, checkpoint), { columns } = rows;
  const step = Math.max(1, Math.floor(CHUNK / columns));
  const [data, ...rest] = parts;
  const whole = rest.map(({ length }) => new Float32Array(length / 4)); // scales and minima
  for (let row = 0; row < rows.count; row += step) {
    const count = Math.min(step, rows.count - row);
    const [scales, minima = new Float32Array(0)] = whole.map((part) =>
      part.subarray(row * part.length / rows.count, (row + count) * part.length / rows.count)
    );
    if (form === "packed") {
      const packed = new Uint8Array(count * data!.length / rows.count);
      pack(encoded!.type, rows.bytes(row, count), { data: packed, scales: scales!, minima });
      await write(packed);
      continue;
    }
    const floats = new Float32Array(count * columns);
    rows.floats(row, count, floats);
    if (form === "dense") await write(new Uint8Array(floats.buffer));
    else {
      const quantized = quantizeRows(floats, columns, { bits: form, name });
      scales!.set(quantized.scales);
      await write(quantized.data);
    }
  }
  for (const part of whole) await write(new Uint8Array(part.buffer));
}

function headerOf(plans: readonly Planned[]): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = Object.create(null);
  const version = String(QUANTIZER_VERSION);
  header.__metadata__ = { format: "moi conversion", version };
  let end = 0;
  for (const part of plans.flatMap(({ parts }) => parts)) {
    const dtype = part.type === "uint8" ? "U8" : "F32";
    header[part.name] = { dtype, shape: part.dims, data_offsets: [end, end += part.length] };
  }
  const json = JSON.stringify(header);
  const text = new TextEncoder().encode(json.padEnd(json.length + 63 - (json.length + 7) % 64));
  const bytes = new Uint8Array(8 + text.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

/** Writes the copies to a file that appears only when it is whole. */
async function write(
  path: string,
  plans: readonly Planned[],
  checkpoint: Checkpoint,
  { label, onProgress, signal }: ConvertOptions,
): Promise<void> {
  const { files } = checkpoint;
  const total = plans.reduce((sum, { weight }) => sum + weight.length, 0);
  const report = (done: number) => onProgress?.({ label, done: Math.round(done), total });
  const part = `${path}.${crypto.randomUUID()}.part`;
  try {
    signal?.throwIfAborted();
    report(0);
    await Deno.mkdir(dirname(path), { recursive: true });
    await removeStale(dirname(path));
    using out = await Deno.open(part, { write: true, createNew: true });
    let done = 0;
    const put = async (bytes: Uint8Array<ArrayBuffer>) => {
      for (let at = 0; at < bytes.length;) at += await out.write(bytes.subarray(at));
    };
    await put(headerOf(plans));
    for (const plan of plans) {
      const { weight, encoded, parts } = plan;
      const size = parts.reduce((sum, { length }) => sum + length, 0);
      await convert(plan, checkpoint, async (bytes) => {
        signal?.throwIfAborted();
        await put(bytes);
        report(done += bytes.length / size * weight.length);
      });
      files[(encoded ?? weight).location]!.forget();
    }
    await out.syncData();
    await Deno.rename(part, path);
    report(total);
  } catch (cause) {
    await Deno.remove(part).catch(() => {});
    if (signal?.aborted || cause instanceof RangeError) throw cause;
    throw new Error(
      `Cannot convert the model as ${path} cannot be written (another 'cacheDir' may help)`,
      { cause },
    );
  }
}

/** Removes what killed processes left behind. */
async function removeStale(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".part")) continue;
    const path = join(folder, name), found = await Deno.stat(path).catch(() => undefined);
    if (found?.mtime && Date.now() - found.mtime.getTime() > STALE_MS) {
      await Deno.remove(path).catch(() => {});
    }
  }
}

/** Opens a finished copy; undefined where there is none or it is not what was planned. */
function open(path: string, plans: readonly Planned[]): Opened | undefined {
  let file: MappedFile;
  try {
    file = mapFile(path);
  } catch {
    return undefined;
  }
  try {
    const table = parseSafetensors(new Uint8Array(file.buffer), path);
    const tensors = new Map<string, StoredTensor>();
    for (const { name, type, dims } of plans.flatMap(({ parts }) => parts)) {
      const found = table.get(name);
      if (found?.type !== type || String(found.dims) !== String(dims)) throw new SyntaxError(name);
      tensors.set(name, { ...found, location: LOCATION });
    }
    return { file, tensors };
  } catch {
    file[Symbol.dispose]();
    return undefined;
  }
}
interface Opened {
  readonly file: MappedFile;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

async function keyOf(fingerprint: string, checkpoint: Checkpoint, plans: readonly Planned[]) {
  const text = JSON.stringify([
    QUANTIZER_VERSION,
    fingerprint,
    plans.map((
      { name, form, weight, encoded },
    ) => [name, form, encoded ?? weight.type, weight.dims]),
    Object.entries(checkpoint.files).map(([name, { modified }]) => [name, modified]),
  ]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest, 0, 16).toHex();
}

/**
 * Gives a graph weights in the forms that are due, converted now or mapped from the cache.
 *
 * @param checkpoint The opened checkpoint; it stays open as long as the result is used.
 * @param build Builds the graph: tells which matrices are those of linear layers.
 * @param options Forms, cache folder, progress, signal.
 * @returns Files and weights; disposing it closes the copy, not the checkpoint.
 * @throws {RangeError} Where a weight that is quantised is NaN or infinite, with its name.
 */
export async function convertWeights(
  checkpoint: Checkpoint,
  build: (weights: Weights) => Graph,
  options: ConvertOptions,
): Promise<Checkpoint> {
  const plans = plansFor(build, checkpoint, options.form);
  if (plans.length === 0) return { ...checkpoint, [Symbol.dispose]() {} };
  const key = await keyOf(options.fingerprint, checkpoint, plans);
  const path = join(options.cacheDir, "converted", `${key}.safetensors`);
  let opened = open(path, plans);
  if (!opened) {
    await write(path, plans, checkpoint, options);
    opened = open(path, plans);
    if (!opened) throw new Error(`Cannot convert the model as ${path} changed while it was read`);
  }
  const { file, tensors } = opened;
  return {
    files: { ...checkpoint.files, [LOCATION]: file },
    weights: withCopies(checkpoint.weights, plans, ({ name }) => tensors.get(name)!),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}
