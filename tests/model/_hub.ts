/** A Hugging Face Hub on this machine: lists, files, ranges, and faults on demand. */

import { createHash } from "node:crypto";
import { QWEN3 } from "../golden/golden.ts";

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

export interface Seen {
  readonly method: string;
  /** "list", or the name of the file. */
  readonly what: string;
  readonly range: string | null;
  readonly authorization: string | null;
  readonly path: string;
  /** Bytes that were sent. */
  sent: number;
}

export interface Sibling {
  rfilename: unknown;
  size?: unknown;
  blobId?: unknown;
  lfs?: { sha256: unknown; size: unknown };
}

export interface HubSetup {
  readonly files: Readonly<Record<string, Uint8Array<ArrayBuffer> | string>>;
  readonly commit?: string;
  /** Changes the list that the hub gives. */
  readonly list?: (answer: { sha: unknown; siblings: Sibling[] }) => unknown;
  /** Answers instead of the hub, where it answers. */
  readonly answer?: (seen: Seen, request: Request) => Response | undefined | Promise<Response>;
  /** Milliseconds between two chunks of 64 KiB. */
  readonly slow?: number;
}

const bytesOf = (content: Uint8Array<ArrayBuffer> | string) =>
  typeof content === "string" ? new TextEncoder().encode(content) : content;

export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
export const gitSha1 = (bytes: Uint8Array) =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

const isLarge = (name: string) => /\.(safetensors|onnx|bin)$/.test(name);

/** Name of a file's bytes. */
export function blobOf(name: string, content: Uint8Array<ArrayBuffer> | string): string {
  return isLarge(name) ? sha256(bytesOf(content)) : gitSha1(bytesOf(content));
}

/** The golden checkpoint, and what a repository has besides. */
export async function goldenFiles(): Promise<Record<string, Uint8Array<ArrayBuffer> | string>> {
  const read = (name: string) => Deno.readFile(new URL(name, QWEN3));
  return {
    ".gitattributes": "*.safetensors filter=lfs\n",
    "README.md": "# A model\n",
    "config.json": await read("config.json"),
    "generation_config.json": await read("generation_config.json"),
    "model.safetensors": await read("model.safetensors"),
    "modeling.py": "import os\n",
    "onnx/model.onnx": new Uint8Array(1000).fill(7),
    "pytorch_model.bin": new Uint8Array(2000).fill(9),
  };
}

export type Hub = AsyncDisposable & { readonly seen: Seen[]; readonly endpoint: string };

/** A stream of chunks that ends as it should, or breaks off after some bytes. */
export function streamOf(
  bytes: Uint8Array<ArrayBuffer>,
  { cut = Infinity, slow = 0, onSent = (_: number) => {} } = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (slow) await new Promise((resolve) => setTimeout(resolve, slow));
      if (at >= Math.min(cut, bytes.length)) return controller.close(); // short of its stated length
      const chunk = bytes.subarray(at, Math.min(at + 65536, cut));
      at += chunk.length;
      onSent(chunk.length);
      controller.enqueue(chunk);
    },
  }, { highWaterMark: 0 });
}

export function startHub(setup: HubSetup): Hub {
  const { files, commit = COMMIT, list = (answer) => answer, answer = () => undefined } = setup;
  const seen: Seen[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    const isList = /^\/api\/(models|datasets)\//.test(path);
    const parts = path.replace(/^\/datasets\//, "/").split("/");
    const what = isList ? "list" : parts.slice(5).join("/");
    const { method, headers } = request;
    const one: Seen = {
      ...{ method, what, path, sent: 0 },
      range: headers.get("range"),
      authorization: headers.get("authorization"),
    };
    seen.push(one);
    const other = await answer(one, request);
    if (other) return other;
    if (isList) {
      const siblings = Object.entries(files).map(([rfilename, content]): Sibling => {
        const bytes = bytesOf(content), size = bytes.length;
        return {
          ...{ rfilename, size, blobId: gitSha1(bytes) },
          ...(isLarge(rfilename) ? { lfs: { sha256: sha256(bytes), size } } : {}),
        };
      });
      return Response.json(list({ sha: commit, siblings }));
    }
    const content = files[what];
    if (content === undefined) return new Response("", { status: 404 });
    return fileResponse(one, bytesOf(content), setup.slow);
  });
  return {
    seen,
    endpoint: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A file, or the rest of it, as a hub or a CDN sends it. */
export function fileResponse(
  seen: Seen,
  bytes: Uint8Array<ArrayBuffer>,
  slow = 0,
  cut = Infinity,
): Response {
  const from = Number(/^bytes=(\d+)-$/.exec(seen.range ?? "")?.[1] ?? 0);
  if (from >= bytes.length && seen.range) return new Response("", { status: 416 });
  const rest = bytes.subarray(from);
  return new Response(
    seen.method === "HEAD" ? null : streamOf(rest, { slow, cut, onSent: (n) => seen.sent += n }),
    {
      status: seen.range ? 206 : 200,
      headers: {
        "content-length": `${rest.length}`,
        ...(seen.range
          ? { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` }
          : {}),
      },
    },
  );
}

/** Every file and link below a folder, by its path from there; locks apart. */
export async function pathsBelow(folder: string, base = folder): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (name === ".locks") continue;
    if (isDirectory) found.push(...await pathsBelow(path, base));
    else found.push(path.slice(base.length + 1));
  }
  return found.sort();
}
