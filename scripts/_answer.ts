/** What the command line tells of a generation: why it ended, its trace, and all of it as JSON. */

import type { Generation, Method, Model, Step, Tokenizer } from "../mod.ts";
import { counted } from "../lib/_counted.ts";
import { modelName, scalars, versionsOf } from "../lib/study/_digest.ts";
import { given, visible } from "./_cli.ts";

/** Why a generation ended, in a line. */
export function ending(model: Model, generation: Generation): string {
  const { finishReason, promptTokens, text, tokens, trace } = generation;
  const count = counted(tokens.length, "token");
  const after = tokens.length === 0 && text !== "" ? "" : ` after ${count}`; // a server need not tell
  if (finishReason === "aborted") return `interrupted${after}`;
  if (finishReason === "stop") {
    const by = trace?.at(-1)?.end ? "end of text" : "ended by the method";
    return `${trace === undefined ? "ended" : by}${after}`; // a server does not tell by what
  }
  return promptTokens + tokens.length > model.maxLength
    ? `cut${after}, as the context of ${model.maxLength} is full`
    : `cut${after}, as --max-new-tokens is ${generation.sampler.maxNewTokens}`;
}

const fixed = (value: number) => value.toFixed(3).padStart(6);

function traceLine(step: Step, tokenizer: Tokenizer) {
  const { index, token, entropy, probability, offSampleMass, candidates, event } = step;
  const shown = visible(JSON.stringify(tokenizer.decode([token]))).padEnd(14);
  const top = candidates.slice(0, 4)
    .map((c) => `${visible(JSON.stringify(c.text))} ${c.probability.toFixed(2)}`);
  const figures = [probability, entropy, offSampleMass].map(fixed).join(" ");
  const place = `${String(index).padStart(4)} ${String(token).padStart(6)}  ${shown}`;
  return `${place} ${figures}  ${top.join("  ")}${event === undefined ? "" : `  [${event}]`}`;
}

/** A line per token: what was sampled, what was fed back. */
export function traceText(
  { mixing, tokens, trace = [] }: Generation,
  { name }: Method,
  tokenizer: Tokenizer,
): string {
  const entropy = mixing.meanEntropy.toFixed(4), mass = mixing.meanOffSampleMass.toFixed(4);
  return [
    "\nstep  token  text            p(y)      H    off  most probable",
    ...trace.map((step) => traceLine(step, tokenizer)),
    `\nmean H ${entropy}, mean off-sample mass ${mass}, ${tokens.length} tokens, ${name}\n`,
  ].join("\n");
}

/** A step as plain data. Of weight on all tokens of a large vocabulary the sum is told. */
function plainStep({ mixture, ...step }: Step) {
  const { ids, weights, dense, ...kind } = mixture;
  const all = given({ dense: dense && { weight: dense.weight } });
  return {
    ...step,
    mixture: { ids: Array.from(ids), weights: Array.from(weights), ...all, ...kind },
  };
}

/** What a generation came of. */
export interface Asked {
  readonly model: Model;
  readonly method: Method;
  readonly seed: number;
  /** Variables of the chat template. */
  readonly chat?: Readonly<Record<string, unknown>> | undefined;
}

/** A generation as one line of JSON, its fields named as those of stored runs; it cannot steer a terminal. */
export function answerJson(
  { text, tokens, finishReason, promptTokens, sampler, mixing, timing, trace }: Generation,
  { model, method, seed, chat }: Asked,
): string {
  const { name, parameters = {} } = method;
  const line = JSON.stringify({
    ...{ model: modelName(model), device: model.device, dtype: model.dtype },
    ...{ method: name, parameters: scalars({ name, ...parameters }), seed, sampler },
    ...given({ chat }),
    ...{ promptTokens, tokens, text, finishReason, mixing, timing, versions: versionsOf(model) },
    ...given({ trace: trace?.map(plainStep) }),
  });
  return line.replace(/[\u007f-\u009f]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}
