/**
 * GGUF files in parts, as llama.cpp's `gguf-split` makes them: `name-00001-of-00003.gguf` and so on. The
 * first has the metadata, each has a header of its own with tensors of its own.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import type { MappedFile } from "../../runtime/mod.ts";
import { openFile } from "../_contents.ts";
import { type Gguf, type GgufTensor, parseGguf } from "./parse.ts";

/** Whether a path is that of a GGUF file. */
export const isGguf = (path: string): boolean => /\.gguf$/i.test(path);

const NAME = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

/** Names of all parts of a file, by the name of one of them, in order; of a file in one part its own. */
export function partNames(name: string): string[] {
  const [, start, no, count] = NAME.exec(name) ?? [];
  if (start === undefined || Number(no) < 1 || Number(no) > Number(count)) return [name];
  const digits = (i: number) => String(i).padStart(5, "0");
  return Array.from(
    { length: Number(count) },
    (_, i) => `${start}-${digits(i + 1)}-of-${count}.gguf`,
  );
}

/** A GGUF file, mapped, in all its parts. */
export interface OpenGguf extends Disposable {
  readonly files: readonly MappedFile[];
  /** Metadata of the first, tensors of all. */
  readonly gguf: Gguf;
}

function fail(path: string, why: string): never {
  throw new SyntaxError(`Cannot read the GGUF file as ${path} ${why}`);
}

/** Opens a file by any of its parts; a SyntaxError where they are not those of one file. */
export function openGguf(path: string): OpenGguf {
  using scope = new DisposableStack();
  const names = partNames(basename(path)), folder = dirname(path);
  const tensors = new Map<string, GgufTensor>(), files: MappedFile[] = [];
  const headers = names.map((name, part) => {
    const file = scope.use(openFile(join(folder, name)));
    const gguf = parseGguf(new Uint8Array(file.buffer));
    files.push(file);
    if (part === 0) {
      const count = gguf.metadata.get("split.count") ?? 1;
      if (count !== names.length && !(count === 0 && names.length === 1)) {
        const rule = `be one of as many parts, ${String(count)}, as 'split.count' in it says`;
        fail(name, `must ${rule}: parts are named NAME-00001-of-00002.gguf and so on`);
      }
    }
    for (const [tensor, place] of gguf.tensors) {
      if (tensors.has(tensor)) fail(name, `holds ${JSON.stringify(tensor)}, as a part before`);
      tensors.set(tensor, part === 0 ? place : { ...place, part });
    }
    const own = { "split.no": part, "split.count": names.length };
    for (const [key, value] of names.length > 1 ? Object.entries(own) : []) {
      const found = gguf.metadata.get(key);
      if (found !== value) fail(name, `must have ${value} as '${key}': current value is ${found}`);
    }
    return gguf;
  });
  const { metadata } = headers[0]!, total = metadata.get("split.tensors.count") ?? tensors.size;
  if (total !== tensors.size) {
    const rule = `and the parts after it must hold ${String(total)} tensors: they hold`;
    fail(names[0]!, `${rule} ${tensors.size}`);
  }
  const opened = scope.move();
  return { files, gguf: { metadata, tensors }, [Symbol.dispose]: () => opened.dispose() };
}
