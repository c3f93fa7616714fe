/**
 * What a file is that is not what its name says.
 *
 * @module
 */

import { mapFile, type MappedFile } from "../runtime/mod.ts";

const LFS = "version https://git-lfs.github.com/spec/v1";
const HEAD = 1024;
const AGAIN = "download the file again";

/**
 * What a file's first bytes are where they are surely none of a model's: a phrase with what to do,
 * for "… as it is …"; undefined where they may be what they should.
 */
export function mistaken(file: Uint8Array): string | undefined {
  if (file.length === 0) return `empty: ${AGAIN}`;
  const starts = (...bytes: number[]) => bytes.every((byte, i) => file[i] === byte);
  if (starts(0x50, 0x4b, 3, 4)) {
    return "a zip archive, such as torch.save writes: pickled files are not loaded, only safetensors, " +
      "GGUF and ONNX";
  }
  const text = new TextDecoder().decode(file.subarray(0, HEAD)).trimStart();
  if (text.startsWith(LFS)) {
    const size = /^size (\d{1,15})$/m.exec(text)?.[1];
    return `a Git LFS pointer to ${
      size === undefined ? "the file" : `${size} bytes`
    } and not the file itself: run 'git lfs pull' in its folder, or ${AGAIN}`;
  }
  if (/^<(!doctype|html|head|body|\?xml|error)\b/i.test(text)) {
    return `a page of HTML or XML, such as a server's error message: ${AGAIN}`;
  }
  return undefined;
}

export function mistakenText(text: string): string | undefined {
  return mistaken(new TextEncoder().encode(text.slice(0, HEAD)));
}

/** Maps a file of a model; refuses one that is surely something else, such as a Git LFS pointer. */
export function openFile(path: string): MappedFile {
  let file: MappedFile;
  try {
    file = mapFile(path);
  } catch (cause) {
    if (cause instanceof RangeError) {
      const isEmpty = cause.message.endsWith("empty");
      throw new RangeError(isEmpty ? `${cause.message}: ${AGAIN}` : cause.message, { cause });
    }
    throw new Deno.errors.NotFound(`Cannot load the model as ${path} cannot be read`, { cause });
  }
  const what = mistaken(new Uint8Array(file.buffer, 0, Math.min(HEAD, file.byteLength)));
  if (what === undefined) return file;
  file[Symbol.dispose]();
  throw new SyntaxError(`Cannot load the model as ${path} is ${what}`);
}
