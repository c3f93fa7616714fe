/**
 * A GGUF file: what it says, as the files of a folder, and its tensors.
 *
 * @module
 */

import { ggufCheckpoint } from "../gguf/checkpoint.ts";
import { configOf, eosOf, samplingOf } from "../gguf/config.ts";
import { openGguf } from "../gguf/split.ts";
import { tokenizerOf } from "../gguf/tokenizer.ts";
import { checkpointSource } from "./checkpoint.ts";
import type { ModelFiles, Source } from "./source.ts";

/** What a GGUF file says, under the names of a folder's files. */
export function ggufFiles(path: string): ModelFiles {
  using header = openGguf(path);
  const { gguf } = header;
  const shape = configOf(gguf, header.files.map(({ buffer }) => new Uint8Array(buffer)));
  const { definition, config } = tokenizerOf(gguf);
  const files = new Map([
    ["config.json", shape],
    ["generation_config.json", { ...samplingOf(gguf), eos_token_id: eosOf(gguf) }],
    ["tokenizer.json", definition],
    ["tokenizer_config.json", config],
  ]);
  return {
    json: (name) => Promise.resolve(files.get(name)),
    text: (name) => Promise.resolve(JSON.stringify(files.get(name)) as string | undefined),
  };
}

/** The source of a GGUF file, of a split one any part. */
export async function ggufSource(path: string): Promise<Source> {
  const files = ggufFiles(path), config = (await files.json("config.json"))!;
  return checkpointSource(path, files, JSON.stringify(config), () => ggufCheckpoint(path, config));
}
