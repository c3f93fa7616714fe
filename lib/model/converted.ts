/**
 * Converted copies of a checkpoint's tensors, made once and kept on disk: quantised matrices, blocks of
 * a GGUF file in the layout of the runtime, the columns of a large table in 8 bits, and float32 of what
 * the runtime cannot read.
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
  columnParts,
  quantizeColumns,
  QUANTIZER_VERSION,
  quantizeRows,
  type StoredTensor,
  type Weight,
  type Weights,
} from "../graph/mod.ts";
import { ELEMENT_TYPES, elements, mapFile } from "../runtime/mod.ts";
import { replaceFile } from "../_cache_home.ts";
import { sha256 } from "../_sha256.ts";
import { type Checkpoint, type Encoded, rowsOf } from "./checkpoint.ts";
import { parseSafetensors } from "./safetensors.ts";
import type { PrepareRequest } from "./sources/source.ts";

/** What a linear layer's matrix becomes: quantised, packed as its blocks are, or float32. */
export type Form = 4 | 8 | "packed" | "dense";

/** What a tensor becomes: that, or its columns quantised in 8 bits, for sums over all rows. */
type AnyForm = Form | "columns";

/** Where the copy is kept and who watches its making. */
export interface ConvertOptions
  extends Omit<PrepareRequest, "dtype" | "maxLength" | "target" | "adapter"> {
  /** The form of a matrix, by itself and how it is stored. */
  readonly form: (weight: Weight, encoded: Encoded | undefined) => Form;
  readonly fingerprint: string;
}

/** Location name of the copy; no shard can have it. */
const LOCATION = ":converted";

/** Numbers converted at a time: bounds the memory, and how long an abort takes. */
const CHUNK = 2 ** 20;

/** Age from which a `.part` file is what a killed process left behind. */
const STALE_MS = 24 * 3600e3;

/** A tensor of the copy. */
type Part = Omit<StoredTensor, "location" | "offset"> & { readonly name: string };

/** Says where a part lies. */
type Places = (part: Part) => StoredTensor;

/** A tensor to be converted. */
interface Plan {
  readonly name: string;
  readonly weight: Weight;
  readonly encoded: Encoded | undefined;
  readonly form: AnyForm;
  /** Its float32 copy alone; or integers, then scales and, where there are any, minima. */
  readonly parts: readonly Part[];
  /** What is used instead of a weight. */
  copied(weight: Weight, place: Places): Weight;
}

function planOf(name: string, weight: Weight, encoded: Encoded | undefined, form: AnyForm): Plan {
  const part = (kind: string, type: "uint8" | "float32", dims: readonly number[]): Part => {
    const length = ELEMENT_TYPES[type].bytes * elements(dims);
    return { name: `${name}#${kind}`, type, dims, length };
  };
  const common = { name, weight, encoded, form };
  if (form === "dense") {
    const own = part("float32", "float32", weight.dims);
    return { ...common, parts: [own], copied: (weight, place) => ({ ...weight, ...place(own) }) };
  }
  if (form === "columns") {
    const dims = weight.dims as [number, number], [, columns] = dims;
    const pieces = columnParts(dims).map(({ rows }, i) => {
      const blocks = Math.ceil(rows / BLOCK_SIZE);
      const data = part(`columns${i}`, "uint8", [columns, blocks, BLOCK_SIZE]);
      return { rows, data, scales: part(`column_scales${i}`, "float32", [columns, blocks]) };
    });
    return {
      ...common,
      parts: [...pieces.map(({ data }) => data), ...pieces.map(({ scales }) => scales)],
      copied: (weight, place) => ({
        ...weight,
        columns: pieces.map(({ rows, data, scales }) => {
          const own = { data: place(data), scales: place(scales) };
          return { bits: 8, blockSize: BLOCK_SIZE, rows, ...own };
        }),
      }),
    };
  }
  const { bits, blockSize, minima } = form === "packed"
    ? encoded!.packing!
    : { bits: form, blockSize: BLOCK_SIZE, minima: false };
  const [rows, columns] = weight.dims as [number, number], blocks = Math.ceil(columns / blockSize);
  const parts = [
    part(`int${bits}`, "uint8", [rows, blocks, blockSize * bits / 8]),
    part("scales", "float32", [rows, blocks]),
    ...(minima ? [part("minima", "float32", [rows, blocks])] : []),
  ];
  return {
    ...common,
    parts,
    copied(weight, place) {
      const [data, scales, minima] = parts.map(place);
      const own = { data: data!, scales: scales!, ...(minima && { minima }) };
      return { ...weight, quantized: { bits, blockSize, sourceOffset: weight.offset, ...own } };
    },
  };
}

function withCopies(
  tensors: ReadonlyMap<string, Weight>,
  plans: readonly Plan[],
  place: Places,
): Map<string, Weight> {
  const all = new Map(tensors);
  const isLater = ({ form }: Plan) => Number(form !== "dense");
  for (const { name, copied } of plans.toSorted((a, b) => isLater(a) - isLater(b))) {
    all.set(name, copied(all.get(name)!, place));
  }
  return all;
}

/** What graphs ask for: linear layers in their form, float32 of the rest they could not read. */
function plansFor(
  build: (weights: Weights) => void,
  { tensors, encoded }: Checkpoint,
  formOf: ConvertOptions["form"],
): Plan[] {
  const plans = new Map<string, Plan>();
  const nowhere: Places = (part) => ({ ...part, location: LOCATION, offset: 0 });
  build({
    names: new Set(tensors.keys()),
    find(name, _dims, use) {
      const weight = tensors.get(name), own = encoded?.get(name);
      if (!weight) return undefined;
      const form = use === "sum" ? "columns" : use === "product" ? formOf(weight, own) : "dense";
      if (form === "dense" && !own) return weight;
      const plan = planOf(name, weight, own, form);
      plans.set(`${name}#${form}`, plan);
      return form === "dense" ? weight : plan.copied(weight, nowhere);
    },
  });
  return [...plans.values()];
}

/** Takes bytes of the copy. */
type Write = (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;

/**
 * Converts the columns of a table; a part of the rows is in memory at a time. Fewer of them than a chunk
 * are turned at once, as the processor's cache holds these (measured: a third faster).
 */
async function convertColumns(
  { name, weight }: Plan,
  checkpoint: Checkpoint,
  write: Write,
): Promise<void> {
  const rows = rowsOf(name, checkpoint),
    { columns } = rows,
    allScales: Float32Array<ArrayBuffer>[] = [];
  const most = BLOCK_SIZE * Math.max(1, Math.floor(CHUNK / (4 * BLOCK_SIZE * columns)));
  for (const part of columnParts(weight.dims as [number, number])) {
    const blocks = Math.ceil(part.rows / BLOCK_SIZE);
    const data = new Uint8Array(columns * blocks * BLOCK_SIZE);
    const scales = new Float32Array(columns * blocks);
    for (let row = 0; row < part.rows; row += most) {
      const count = Math.min(most, part.rows - row), floats = new Float32Array(count * columns);
      rows.floats(part.first + row, count, floats);
      const own = quantizeColumns(floats, columns, name);
      const size = Math.ceil(count / BLOCK_SIZE), block = row / BLOCK_SIZE;
      for (let column = 0; column < columns; column++) {
        const from = column * size, to = column * blocks + block;
        const bytes = own.data.subarray(from * BLOCK_SIZE, (from + size) * BLOCK_SIZE);
        data.set(bytes, to * BLOCK_SIZE);
        scales.set(own.scales.subarray(from, from + size), to);
      }
    }
    await write(data);
    allScales.push(scales);
  }
  for (const scales of allScales) await write(new Uint8Array(scales.buffer));
}

/** Converts one tensor, its parts one after the other: numbers go to `write` as they come. */
async function convert(plan: Plan, checkpoint: Checkpoint, write: Write): Promise<void> {
  const { name, form, encoded, parts } = plan;
  if (form === "columns") return await convertColumns(plan, checkpoint, write);
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
      encoded!.pack!(rows.bytes(row, count), { data: packed, scales: scales!, minima });
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

function headerOf(plans: readonly Plan[]): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = Object.create(null);
  header.__metadata__ = { format: "moi conversion", version: String(QUANTIZER_VERSION) };
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
  plans: readonly Plan[],
  checkpoint: Checkpoint,
  { label, onProgress, signal }: ConvertOptions,
): Promise<void> {
  const { files } = checkpoint;
  const total = plans.reduce((sum, { weight }) => sum + weight.length, 0);
  const report = (done: number) => onProgress?.({ label, done: Math.round(done), total });
  try {
    signal?.throwIfAborted();
    report(0);
    await replaceFile(path, async (part) => {
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
    });
    report(total);
  } catch (cause) {
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

/** Maps a finished copy; undefined where there is none or it is not what was planned. */
function open(path: string, plans: readonly Plan[]) {
  using scope = new DisposableStack();
  try {
    const file = scope.use(mapFile(path));
    const table = parseSafetensors(new Uint8Array(file.buffer), path);
    for (const { name, type, dims } of plans.flatMap(({ parts }) => parts)) {
      const found = table.get(name);
      if (found?.type !== type || String(found.dims) !== String(dims)) return undefined;
    }
    scope.move();
    const place: Places = ({ name }) => ({ ...table.get(name)!, location: LOCATION });
    return { file, place };
  } catch {
    return undefined;
  }
}

function keyOf(fingerprint: string, { files }: Checkpoint, plans: readonly Plan[]) {
  const forms = plans.map((
    { name, form, weight, encoded },
  ) => [name, form, encoded ?? weight.type, weight.dims]);
  const times = Object.entries(files).map(([name, { modified }]) => [name, modified]);
  const text = JSON.stringify([QUANTIZER_VERSION, fingerprint, forms, times]);
  return sha256(text, 32);
}

/**
 * Gives a graph weights in the forms that are due, converted now or mapped from the cache;
 * disposing them closes the copy, not the checkpoint. A weight to be quantised that is NaN or
 * infinite is a RangeError.
 */
export async function convertWeights(
  checkpoint: Checkpoint,
  build: (weights: Weights) => void,
  options: ConvertOptions,
): Promise<Checkpoint> {
  const plans = plansFor(build, checkpoint, options.form);
  if (plans.length === 0) return { ...checkpoint, [Symbol.dispose]() {} };
  const key = keyOf(options.fingerprint, checkpoint, plans);
  const path = join(options.cacheDir, "converted", `${key}.safetensors`);
  let copy = open(path, plans);
  if (!copy) await write(path, plans, checkpoint, options);
  copy ??= open(path, plans);
  if (!copy) throw new Error(`Cannot convert the model as ${path} changed while it was read`);
  const { file, place } = copy;
  return {
    files: { ...checkpoint.files, [LOCATION]: file },
    tensors: withCopies(checkpoint.tensors, plans, place),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}
