/**
 * Prompts for servers that take no token ids: a text or a conversation, as bytes.
 *
 * A model's prompt is a list of token ids. Where there is no tokenizer, the ids are the UTF-8 bytes of what
 * is sent, so that a prompt's hash is that of what is sent; of a conversation they are its JSON.
 *
 * @module
 */

import type { DecoderConfig, Message, Model, Tokenizer } from "../../model/mod.ts";

/** How the bytes of a conversation begin: a character that no text has, as Unicode reserves it. */
const CONVERSATION = "\ufdd0";

/** Text to bytes and back. */
const bytes: Tokenizer = {
  encode: (text) => [...new TextEncoder().encode(text)],
  decode: (ids) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(ids)),
  eosTokenIds: [],
  size: 256,
};

/** A shape that says nothing but the number of bytes. */
const NO_SHAPE: DecoderConfig = {
  ...{ architecture: "unknown", hiddenSize: 0, layers: 0, heads: 0, kvHeads: 0, headDim: 0 },
  ...{ intermediateSize: 0, vocabularySize: 256, maxPositions: 2 ** 31, rmsNormEps: 0 },
  ...{ ropeTheta: 0, tiedEmbeddings: false, kv: [] },
};

/** Parts of a model whose prompts are bytes. */
export const PLAIN: Pick<Model, "tokenizer" | "chat" | "config" | "defaults"> = {
  tokenizer: bytes,
  config: NO_SHAPE,
  defaults: {},
  chat: (messages, { variables = {} } = {}) =>
    CONVERSATION + JSON.stringify({
      messages: messages.map(({ role, content }) => ({ role, content })),
      variables,
    }),
};

/** What is sent for a prompt of bytes. */
export type PlainPrompt =
  | { readonly text: string }
  | {
    readonly messages: readonly Message[];
    readonly variables: Readonly<Record<string, unknown>>;
  };

/** The text or the conversation whose bytes a prompt is. */
export function plainPrompt(prompt: readonly number[]): PlainPrompt {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    .decode(Uint8Array.from(prompt));
  return text.startsWith(CONVERSATION) ? JSON.parse(text.slice(1)) : { text };
}
