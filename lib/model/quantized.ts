/**
 * Quantised copies of a checkpoint's matrices, made once and kept on disk.
 *
 * The copy is a safetensors file beside other cached files; it holds what linear layers use and
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
import type { Progress } from "./progress.ts";
import { parseSafetensors } from "./safetensors.ts";
import type { Checkpoint } from "./weights.ts";

/** Where the copy is kept and who watches its making. */
export interface QuantizeWeightsOptions {
  /** Bits of a weight, by the name and shape of its matrix. */
  readonly bits: (name: string, weight: Weight) => 4 | 8;
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
const LOCATION = ":quantized";

/** Numbers converted at a time: bounds the memory, and how long an abort takes. */
const CHUNK = 2 ** 20;

/** Age from which a `.part` file is what a killed process left behind. */
const STALE_MS = 24 * 3600e3;

/** A matrix to be quantised: names, shapes and bytes of its parts. */
interface Planned {
  readonly name: string;
  readonly weight: Weight;
  readonly bits: 4 | 8;
  /** The parts by their name in the file, in order. */
  readonly parts: Readonly<Record<"data" | "scales", Part>>;
}
interface Part {
  readonly name: string;
  readonly type: "uint8" | "float32";
  readonly dims: readonly number[];
  readonly length: number;
}

function planOf(name: string, weight: Weight, bits: 4 | 8): Planned {
  const [rows, columns] = weight.dims as [number, number];
  const { blocks, data } = quantizedRowBytes(columns, bits);
  return {
    name,
    weight,
    bits,
    parts: {
      data: {
        name: `${name}#int${bits}`,
        type: "uint8",
        dims: [rows, blocks, data / blocks],
        length: rows * data,
      },
      scales: {
        name: `${name}#scales`,
        type: "float32",
        dims: [rows, blocks],
        length: 4 * rows * blocks,
      },
    },
  };
}

/** The weights with a quantised copy each; `tensorOf` says where a part of one lies. */
function withCopies(
  weights: Weights,
  plans: readonly Planned[],
  tensorOf: (part: Part) => StoredTensor,
): Map<string, Weight> {
  const all = new Map(weights);
  for (const { name, weight, bits, parts } of plans) {
    const data = tensorOf(parts.data), scales = tensorOf(parts.scales);
    const quantized = { bits, blockSize: BLOCK_SIZE, sourceOffset: weight.offset, data, scales };
    all.set(name, { ...weight, quantized });
  }
  return all;
}

const FLOATS: readonly OnnxType[] = ["float32", "float16", "bfloat16"];

/** The matrices of which a graph asks for the quantised copy: those of its linear layers. */
function linearWeights(
  build: (weights: Weights) => Graph,
  weights: Weights,
  bits: QuantizeWeightsOptions["bits"],
): Planned[] {
  const asked = new Set<Planned>(), nowhere = { location: LOCATION, offset: 0 };
  const observed = new Map(weights);
  for (const [name, weight] of weights) {
    if (weight.dims.length !== 2 || !FLOATS.includes(weight.type)) continue;
    if (elements(weight.dims) === 0) continue;
    const plan = planOf(name, weight, bits(name, weight));
    const get = (): QuantizedWeight => {
      asked.add(plan);
      const { data, scales } = plan.parts;
      return {
        bits: plan.bits,
        blockSize: BLOCK_SIZE,
        sourceOffset: weight.offset,
        data: { ...data, ...nowhere },
        scales: { ...scales, ...nowhere },
      };
    };
    observed.set(
      name,
      Object.defineProperty({ ...weight }, "quantized", { get, enumerable: true }),
    );
  }
  build(observed);
  return [...asked];
}

/** Widens stored numbers to float32, exactly. `bytes` starts at an even address. */
export function widen(type: OnnxType, bytes: Uint8Array<ArrayBuffer>, floats: Float32Array): void {
  const { buffer, byteOffset } = bytes, { length } = floats;
  if (type === "float32") floats.set(new Float32Array(buffer, byteOffset, length));
  else if (type === "float16") floats.set(new Float16Array(buffer, byteOffset, length));
  else {
    const halves = new Uint16Array(buffer, byteOffset, length);
    const bits = new Uint32Array(floats.buffer, floats.byteOffset, length);
    for (let i = 0; i < length; i++) bits[i] = halves[i]! << 16;
  }
}

/** Quantises one matrix: its numbers go to `write` as they come, its scales are returned. */
async function convert(
  { name, weight, bits }: Planned,
  file: MappedFile,
  write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
): Promise<Uint8Array<ArrayBuffer>> {
  const [rows, columns] = weight.dims as [number, number];
  const rowBytes = weight.length / rows, blocks = Math.ceil(columns / BLOCK_SIZE);
  const step = Math.max(1, Math.floor(CHUNK / columns));
  const scales = new Float32Array(rows * blocks);
  const bytes = new Uint8Array(Math.min(step, rows) * rowBytes);
  const floats = new Float32Array(Math.min(step, rows) * columns);
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    bytes.set(new Uint8Array(file.buffer, weight.offset + row * rowBytes, count * rowBytes));
    const part = floats.subarray(0, count * columns);
    widen(weight.type, bytes, part);
    const quantized = quantizeRows(part, columns, { bits, name });
    scales.set(quantized.scales, row * blocks);
    await write(quantized.data);
  }
  file.forget();
  return new Uint8Array(scales.buffer);
}

function headerOf(plans: readonly Planned[]): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = Object.create(null);
  const version = String(QUANTIZER_VERSION);
  header.__metadata__ = { format: "moi block quantisation", version, block_size: `${BLOCK_SIZE}` };
  let end = 0;
  for (const part of plans.flatMap(({ parts }) => [parts.data, parts.scales])) {
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
  { files }: Checkpoint,
  { label, onProgress, signal }: QuantizeWeightsOptions,
): Promise<void> {
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
      const { weight, parts } = plan;
      const scales = await convert(plan, files[weight.location]!, async (bytes) => {
        signal?.throwIfAborted();
        await put(bytes);
        report(done += bytes.length / parts.data.length * weight.length);
      });
      await put(scales);
    }
    await out.syncData();
    await Deno.rename(part, path);
    report(total);
  } catch (cause) {
    await Deno.remove(part).catch(() => {});
    if (signal?.aborted || cause instanceof RangeError) throw cause;
    throw new Error(
      `Cannot quantize the model as ${path} cannot be written (another 'cacheDir' may help)`,
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
    for (const { name, type, dims } of plans.flatMap(({ parts }) => [parts.data, parts.scales])) {
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
    plans.map(({ name, bits, weight }) => [name, bits, weight.type, weight.dims]),
    Object.entries(checkpoint.files).map(([name, { modified }]) => [name, modified]),
  ]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest, 0, 16).toHex();
}

/**
 * Gives a checkpoint's linear layers quantised weights, converted now or mapped from the cache.
 *
 * @param checkpoint The opened checkpoint; it stays open as long as the result is used.
 * @param build Builds the graph: tells which matrices are those of linear layers.
 * @param options Bits, cache folder, progress, signal.
 * @returns Files and weights; disposing it closes the copy, not the checkpoint.
 * @throws {RangeError} Where a weight is NaN or infinite, with its name.
 */
export async function quantizeWeights(
  checkpoint: Checkpoint,
  build: (weights: Weights) => Graph,
  options: QuantizeWeightsOptions,
): Promise<Checkpoint> {
  const plans = linearWeights(build, checkpoint.weights, options.bits);
  if (plans.length === 0) return { ...checkpoint, [Symbol.dispose]() {} };
  const key = await keyOf(options.fingerprint, checkpoint, plans);
  const path = join(options.cacheDir, "quantized", `${key}.safetensors`);
  let opened = open(path, plans);
  if (!opened) {
    await write(path, plans, checkpoint, options);
    opened = open(path, plans);
    if (!opened) throw new Error(`Cannot quantize the model as ${path} changed while it was read`);
  }
  const { file, tensors } = opened;
  return {
    files: { ...checkpoint.files, [LOCATION]: file },
    weights: withCopies(checkpoint.weights, plans, ({ name }) => tensors.get(name)!),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}
