/**
 * What a model's small files say of text: tokenizer, chat template, recommended settings, shape.
 *
 * @module
 */

import { sha256 } from "../_sha256.ts";
import type { DecoderConfig } from "../graph/mod.ts";
import { chatTemplate } from "./chat.ts";
import { eosTokenIds, generationDefaults, generationNotes, parseConfig } from "./config.ts";
import { downloadWords } from "./download.ts";
import { isGguf } from "./gguf/split.ts";
import type { DatasetOptions } from "./hub.ts";
import type { Model } from "./model.ts";
import { placeOf } from "./place.ts";
import { configText, filesOf } from "./sources/mod.ts";
import type { ModelFiles } from "./sources/source.ts";
import { createTokenizer, missingTokenizer } from "./tokenizer.ts";

/** What is known of a model's texts without its weights. */
export type Words = Pick<Model, "tokenizer" | "defaults" | "notes" | "chat" | "template">;

/** What a model's small files say of text. */
export async function wordsOf(files: ModelFiles): Promise<Words> {
  const generation = await files.json("generation_config.json") ?? {};
  const definition = await files.json("tokenizer.json");
  const config = await files.json("tokenizer_config.json") ?? {};
  const template = await files.text("chat_template.jinja") ??
    (await files.json("chat_template.json"))?.chat_template ?? // of processors of earlier releases
    config.chat_template ?? undefined;
  const eos = eosTokenIds(generation, await files.json("config.json") ?? {});
  const notes = generationNotes(generation);
  return {
    tokenizer: definition ? createTokenizer(definition, config, eos) : missingTokenizer(eos),
    defaults: generationDefaults(generation),
    ...(notes.length > 0 ? { notes } : {}),
    chat: chatTemplate({ ...config, chat_template: template }),
    ...(template === undefined ? {} : { template: sha256(JSON.stringify(template)) }),
  };
}

/**
 * Reads a model's small files, wherever `loadModel` would find them; of one of the hub its weights are
 * not brought.
 *
 * @param id Embedded name, folder, GGUF file or "org/name" on the Hugging Face Hub.
 * @throws {SyntaxError} Where a file is malformed or asks for what is not implemented.
 * @throws {Deno.errors.NotFound} Where a file is missing.
 */
export async function readWords(
  id: string | URL,
  options: DatasetOptions = {},
): Promise<Words & { readonly config: DecoderConfig }> {
  const place = await placeOf(id, options, downloadWords);
  try {
    const config = parseConfig(await configText(place));
    return { ...await wordsOf(filesOf(place)), config };
  } catch (error) {
    if (!isGguf(place) || !(error instanceof SyntaxError)) throw error;
    const how = "tokenizer and template are in the model's folder in Hugging Face format, too";
    throw new SyntaxError(`${error.message}; ${how}`, { cause: error });
  }
}
