/** Writes GGUF files, sound ones and the parts from which unsound ones are made. */

import type { GgufTensorType } from "../../../lib/model/mod.ts";
import { GGUF_TENSOR_TYPES } from "../../../lib/model/gguf/parse.ts";

/** A value with its type in the file. */
export type Entry =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly bool: boolean }
  | { readonly text: string }
  | { readonly texts: readonly string[] }
  | { readonly i32s: readonly number[] }
  | { readonly f32s: readonly number[] };

/** A tensor: shape rows first, and its bytes. */
export interface Tensor {
  readonly type: GgufTensorType;
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

/** Bytes that are put one after the other. */
export function writer() {
  const parts: Uint8Array[] = [];
  let size = 0;
  const put = (bytes: Uint8Array) => {
    parts.push(bytes);
    size += bytes.length;
  };
  const number = (bytes: number, set: (view: DataView) => void) => {
    const view = new DataView(new ArrayBuffer(bytes));
    set(view);
    put(new Uint8Array(view.buffer));
  };
  const self = {
    put,
    u32: (value: number) => number(4, (v) => v.setUint32(0, value, true)),
    i32: (value: number) => number(4, (v) => v.setInt32(0, value, true)),
    f32: (value: number) => number(4, (v) => v.setFloat32(0, value, true)),
    u64: (value: number | bigint) => number(8, (v) => v.setBigUint64(0, BigInt(value), true)),
    text(value: string) {
      const bytes = new TextEncoder().encode(value);
      self.u64(bytes.length);
      put(bytes);
    },
    align: (to: number) => put(new Uint8Array((to - size % to) % to)),
    get size() {
      return size;
    },
    bytes() {
      const all = new Uint8Array(size);
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      return all;
    },
  };
  return self;
}

/** Writes an entry's type and value. */
export function putEntry(w: ReturnType<typeof writer>, entry: Entry): void {
  if ("u32" in entry) w.u32(4), w.u32(entry.u32);
  else if ("f32" in entry) w.u32(6), w.f32(entry.f32);
  else if ("bool" in entry) w.u32(7), w.put(Uint8Array.of(Number(entry.bool)));
  else if ("text" in entry) w.u32(8), w.text(entry.text);
  else if ("texts" in entry) {
    w.u32(9);
    w.u32(8);
    w.u64(entry.texts.length);
    for (const text of entry.texts) w.text(text);
  } else if ("i32s" in entry) {
    w.u32(9);
    w.u32(5);
    w.u64(entry.i32s.length);
    for (const value of entry.i32s) w.i32(value);
  } else {
    w.u32(9);
    w.u32(6);
    w.u64(entry.f32s.length);
    for (const value of entry.f32s) w.f32(value);
  }
}

/** A whole file. */
export function gguf(
  metadata: Readonly<Record<string, Entry>>,
  tensors: Readonly<Record<string, Tensor>>,
): Uint8Array {
  const w = writer();
  w.u32(0x46554747);
  w.u32(3);
  w.u64(Object.keys(tensors).length);
  w.u64(Object.keys(metadata).length);
  for (const [key, entry] of Object.entries(metadata)) {
    w.text(key);
    putEntry(w, entry);
  }
  let from = 0;
  for (const [name, { type, dims, data }] of Object.entries(tensors)) {
    w.text(name);
    w.u32(dims.length);
    for (const dim of dims.toReversed()) w.u64(dim);
    w.u32(GGUF_TENSOR_TYPES[type].id);
    w.u64(from);
    from += Math.ceil(data.length / 32) * 32;
  }
  w.align(32);
  for (const { data } of Object.values(tensors)) {
    w.put(data);
    w.align(32);
  }
  return w.bytes();
}
