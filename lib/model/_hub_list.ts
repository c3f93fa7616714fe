/**
 * What a revision is: its commit and that commit's files, as the hub tells them. Nothing that it says is
 * trusted: names cannot lead out of a folder, and what is no size or hash counts as not told.
 *
 * @module
 */

import { isCommit, isSafeName } from "./_hub_cache.ts";
import { fetchText, type HubRepo, pageOf, request, retrying } from "./_hub_request.ts";
import type { Wanted } from "./_hub_transfer.ts";

const MAX_LIST = 64 * 2 ** 20;

/** A file of a repository on the hub; size and hash where the hub tells. */
type HubFile =
  & Pick<Wanted, "name">
  & { readonly [Fact in "size" | "hash"]: Wanted[Fact] | undefined };

/** A revision, resolved: its commit and all files of that. */
export interface HubListing {
  readonly commit: string;
  readonly files: readonly HubFile[];
}

function fileOf(entry: unknown): HubFile | undefined {
  const { rfilename, size, blobId, lfs } = (entry ?? {}) as Record<string, unknown>;
  if (typeof rfilename !== "string") return undefined;
  const { sha256, size: large } = (lfs ?? {}) as Record<string, unknown>;
  const hex = (value: unknown, length: number) =>
    typeof value === "string" && value.length === length && /^[0-9a-f]+$/.test(value)
      ? value
      : undefined;
  const bytes = lfs ? large ?? size : size;
  return {
    name: rfilename,
    size: Number.isSafeInteger(bytes) && bytes as number >= 0 ? bytes as number : undefined,
    hash: lfs ? hex(sha256, 64) : hex(blobId, 40),
  };
}

export async function resolve(remote: HubRepo, revision: string): Promise<HubListing> {
  const url = `${remote.endpoint}/api/${remote.kind}s/${remote.id}/revision/${
    encodeURIComponent(revision)
  }?blobs=true`;
  const malformed = (what: string, cause?: unknown) =>
    new SyntaxError(`Cannot download ${remote.id} as the answer of ${url} ${what}`, { cause });
  let text: string;
  try {
    text = await fetchText(remote, url, MAX_LIST);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const what = `no such ${remote.kind}, or no revision '${revision}'`;
    throw new Deno.errors.NotFound(`${error.message}: ${what}`);
  }
  let answer: { sha?: unknown; siblings?: unknown } | null;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw malformed("is not JSON", cause);
  }
  const { sha, siblings } = answer ?? {};
  if (typeof sha !== "string" || !isCommit(sha)) throw malformed("names no commit");
  if (isCommit(revision) && sha !== revision) throw malformed(`is about another commit, ${sha}`);
  if (!Array.isArray(siblings)) throw malformed("has no list of files");
  const files = siblings.map((entry) => {
    const file = fileOf(entry);
    if (!file) throw malformed("has a file without a name");
    if (file.name.split("/").includes("..") || file.name.startsWith("/")) {
      throw malformed(`names a file outside of its folder: ${JSON.stringify(file.name)}`);
    }
    return file;
  });
  return { commit: sha, files: files.filter(({ name }) => isSafeName(name)) };
}

/** A file with all that its transfer must know; the hub is asked where its list does not tell. */
export async function wantedOf(remote: HubRepo, commit: string, file: HubFile): Promise<Wanted> {
  const path = file.name.split("/").map(encodeURIComponent).join("/");
  const url = `${pageOf(remote)}/resolve/${commit}/${path}`;
  let { size, hash } = file;
  if (size === undefined || hash === undefined) {
    const first = await retrying(remote, async () => {
      using answer = await request(remote, url, "HEAD");
      return answer.first;
    });
    const length = first("x-linked-size") ?? first("content-length");
    const tag = (first("x-linked-etag") ?? first("etag") ?? "").replace(/^W\//, "");
    size ??= /^\d{1,15}$/.test(length ?? "") ? Number(length) : undefined;
    hash ??= /^"?([A-Za-z0-9_-]{1,128})"?$/.exec(tag)?.[1];
  }
  if (size === undefined || hash === undefined) {
    throw new Error(
      `Cannot download ${remote.id} as the hub tells no usable size and ETag of ${file.name}`,
    );
  }
  return { name: file.name, url, size, hash };
}
