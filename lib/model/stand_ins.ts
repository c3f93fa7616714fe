/**
 * A model that can be asked in words, whatever its folder lacks.
 *
 * @module
 */

import type { Model } from "./model.ts";

/** Characters that become one token where there is no tokenizer. */
const CHARACTERS = 4;

/** A conversation as plain text, which has no variables. */
const plainChat: Model["chat"] = (messages, { variables = {} } = {}) => {
  const [name] = Object.keys(variables);
  if (name !== undefined) {
    throw new TypeError(
      `Cannot render the chat as the model has no template that reads the variable '${name}'`,
    );
  }
  return messages.map(({ content }) => content).join("\n\n");
};

/**
 * The model with stand-ins for what it lacks: without a chat template a conversation becomes plain text,
 * and without a tokenizer (as checkpoints of tests are) every four characters become some token, so that
 * every part of a study runs and its answers mean nothing.
 *
 * @param model The model; it is shared, not copied.
 * @param note Told what was put in, in a few words.
 * @returns The model itself where nothing is lacking.
 *
 * @example Nothing is lacking
 * ```ts
 * import { loadModel, withStandIns } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("countdown-tiny");
 * assertEquals(withStandIns(model), model);
 * ```
 */
export function withStandIns(model: Model, note: (text: string) => void = () => {}): Model {
  const { tokenizer, config: { vocabularySize } } = model;
  const works = (use: () => unknown) => {
    try {
      use();
      return true;
    } catch {
      return false;
    }
  };
  const hasChat = works(() => model.chat([{ role: "user", content: "a" }]));
  const hasTokens = works(() => tokenizer.encode("a"));
  if (hasChat && hasTokens) return model;
  if (!hasChat) note("no chat template: prompts are plain text");
  if (!hasTokens) {
    note(
      `no tokenizer: every ${CHARACTERS} characters become a token, so that answers mean nothing`,
    );
  }
  const tokenOf = (part: string) =>
    [...part].reduce((id, c) => (31 * id + c.codePointAt(0)!) % vocabularySize, 7);
  const parts = new RegExp(`.{1,${CHARACTERS}}`, "gsu");
  const encode = (text: string) => (text.match(parts) ?? []).map(tokenOf);
  return {
    ...model,
    ...(hasChat ? {} : { chat: plainChat }),
    ...(hasTokens ? {} : { tokenizer: { ...tokenizer, encode } }),
  };
}
