/**
 * What the environment says about the hub, by the names and the order of `huggingface_hub`: where it is,
 * where its cache lies, the user's token, and whether requests may be made.
 *
 * @module
 */

import { join } from "node:path";
import { homeFolder } from "../_cache_home.ts";
import { refusal } from "../_check.ts";

function environment(name: string): string | undefined {
  return Deno.env.get(name) || undefined;
}

function enabled(name: string): boolean {
  return ["1", "ON", "YES", "TRUE"].includes((environment(name) ?? "").toUpperCase());
}

function expand(path: string): string {
  return path === "~" || /^~[/\\]/.test(path) ? homeFolder() + path.slice(1) : path;
}

/** The folder of Hugging Face: token and cache. */
function hubHome(): string {
  const caches = environment("XDG_CACHE_HOME") ?? join(homeFolder(), ".cache");
  return expand(environment("HF_HOME") ?? join(caches, "huggingface"));
}

/** The cache folder that Hugging Face's tools share. */
export function hubCacheDir(): string {
  const set = environment("HF_HUB_CACHE") ?? environment("HUGGINGFACE_HUB_CACHE");
  return set === undefined ? join(hubHome(), "hub") : expand(set);
}

/** Whether no request may be made, where the caller does not say. */
export function isOffline(): boolean {
  return enabled("HF_HUB_OFFLINE") || enabled("TRANSFORMERS_OFFLINE");
}

/** The hub's address, without a slash at its end. */
export function hubEndpoint(given: string | undefined): string {
  const address = given ?? environment("HF_ENDPOINT") ?? "https://huggingface.co";
  const url = URL.parse(address);
  if (!url || !["http:", "https:"].includes(url.protocol) || url.search || url.hash) {
    const rule = "be an address that begins with http:// or https://";
    throw new RangeError(refusal("download the model", "endpoint", rule, address));
  }
  if (url.username || url.password) { // without the value: it has a secret
    throw new RangeError("Cannot download the model as 'endpoint' must have no user or password");
  }
  return address.replace(/\/+$/, "");
}

async function storedToken(): Promise<string | undefined> {
  if (enabled("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return undefined;
  const set = environment("HF_TOKEN") ?? environment("HUGGING_FACE_HUB_TOKEN");
  const path = environment("HF_TOKEN_PATH") ?? join(hubHome(), "token");
  return set ?? await Deno.readTextFile(path).catch(() => undefined);
}

/** The user's token; none where it is empty. */
export async function hubToken(given: string | undefined): Promise<string | undefined> {
  const found = (given ?? await storedToken())?.replace(/[\r\n]/g, "").trim();
  if (found !== undefined && !/^[\x21-\x7e]*$/.test(found)) {
    throw new RangeError( // without the value: it is a secret
      "Cannot download the model as 'token' must be printable ASCII without spaces",
    );
  }
  return found || undefined;
}
