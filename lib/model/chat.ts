/**
 * Chat messages and the template that turns them into a prompt.
 *
 * @module
 */

import { boolean, checkOptions, isObject, kind, type Rules } from "../_check.ts";
import { given } from "../_given.ts";
import { hint } from "../_near.ts";
import { jinja, type JinjaTemplate, Refusal } from "./jinja/mod.ts";

/** One turn of a conversation. */
export interface Message {
  /** Who speaks: "system", "user", "assistant", … as the template knows them. */
  readonly role: string;
  /** What is said. */
  readonly content: string;
}

/** Options of a chat template. */
export interface ChatOptions {
  /** Whether the start of the answer is appended. Default: true. */
  readonly addGenerationPrompt?: boolean;
  /**
   * Further variables that the template reads, such as `enable_thinking`, `tools` or `documents`, of
   * what JSON can say; whole numbers are Python's `int`. Default: none; `tools` and `documents` are
   * then Python's None, as in transformers.
   */
  readonly variables?: Readonly<Record<string, unknown>>;
}

const RULES: Rules<ChatOptions> = {
  addGenerationPrompt: boolean,
  variables: kind("be an object", isObject),
};

/** Turns messages into the text of a prompt. */
export type ChatTemplate = (messages: readonly Message[], options?: ChatOptions) => string;

/** A special token in `tokenizer_config.json`: a string, or an object with its content. */
function tokenText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const content = (value as { content?: unknown } | null | undefined)?.content;
  return typeof content === "string" ? content : undefined;
}

/** The special tokens that templates can name: `bos_token` and the like. */
function specialTokens(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { extra_special_tokens: extra } = config;
  const named = isObject(extra) ? extra : {};
  const all = [...Object.entries(config), ...Object.entries(named)];
  const isNamed = ([name]: [string, unknown]) =>
    name.endsWith("_token") || Object.hasOwn(named, name);
  const texts = all.filter(isNamed).map(([name, value]) => [name, tokenText(value)] as const);
  return Object.fromEntries(texts.filter(([, text]) => text !== undefined));
}

/** The templates by name: one text is the one named "default". */
function templateTexts(value: unknown): ReadonlyMap<string, string> {
  if (typeof value === "string") return new Map([["default", value]]);
  const entries: unknown[] = Array.isArray(value) ? value : [];
  return new Map(entries.flatMap((entry) => {
    const { name, template } = (entry ?? {}) as { name?: unknown; template?: unknown };
    return typeof name === "string" && typeof template === "string" ? [[name, template]] : [];
  }));
}

/** Variables that are not the caller's, and what gives them. */
const RESERVED: Readonly<Record<string, string>> = {
  messages: "the prompt",
  add_generation_prompt: "'addGenerationPrompt'",
};

function checkVariables(variables: Readonly<Record<string, unknown>>, reads: ReadonlySet<string>) {
  for (const [name, value] of Object.entries(variables)) {
    const why = Object.hasOwn(RESERVED, name)
      ? `'${name}' is no variable of 'chat': ${RESERVED[name]} gives it`
      : `the model's template does not read the variable '${name}'${hint(name, [...reads])}`;
    if (Object.hasOwn(RESERVED, name) || (value !== undefined && !reads.has(name))) {
      throw new TypeError(`Cannot render the chat as ${why}`);
    }
  }
}

/** Runs a template's part; its errors become sentences. */
function told<T>(part: () => T): T {
  try {
    return part();
  } catch (error) {
    const { message } = error as Error, by = "Cannot render the chat by the model's template";
    if (error instanceof Refusal) {
      const refused = `Cannot render the chat as the model's template refuses it: ${message}`;
      throw new Error(refused, { cause: error });
    }
    for (const kind of [SyntaxError, RangeError, TypeError]) {
      if (error instanceof kind) throw new kind(`${by}: ${message}`, { cause: error });
    }
    throw error;
  }
}

/**
 * The chat template of a `tokenizer_config.json`, rendered as transformers' `apply_chat_template`
 * renders it; of a list of named ones that named "default", or "tool_use" where `tools` are given.
 * It throws where there is none, where it refuses the messages or uses what is not supported, and
 * where a variable is given that it never reads.
 */
export function chatTemplate(config: Readonly<Record<string, unknown>>): ChatTemplate {
  const sources = templateTexts(config.chat_template), tokens = specialTokens(config);
  const parsed = new Map<string, JinjaTemplate>();
  return (messages, options = {}) => {
    checkOptions("render the chat", options, RULES);
    const { addGenerationPrompt = true, variables = {} } = options;
    const named = (variables.tools ?? null) !== null && sources.has("tool_use")
      ? "tool_use"
      : "default";
    const source = sources.get(named);
    if (source === undefined) {
      throw new TypeError(
        "Cannot render the chat as the model has no chat template; pass the prompt as a string",
      );
    }
    const template = parsed.get(named) ?? told(() => jinja(source));
    parsed.set(named, template);
    checkVariables(variables, template.reads);
    return told(() =>
      template.render({
        ...{ tools: null, documents: null, ...tokens, ...given(variables) },
        messages: messages.map(({ role, content }) => ({ role, content })),
        add_generation_prompt: addGenerationPrompt,
      })
    );
  };
}
