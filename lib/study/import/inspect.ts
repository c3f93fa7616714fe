/**
 * Logs of inspect: JSON, or `.eval`, a zip archive of a header and a JSON file a sample:
 *
 *     { eval, plan, results, samples: [{ id, epoch, input, target, output, scores, error, limit }] }
 *
 * Checked on logs (version 2) of inspect 0.3.100, whose members are deflated, and 0.3.285, whose members are
 * Zstandard, and against its code for large samples, which are in folders of their own.
 *
 * @module
 */

import { zipMembers } from "../../_archive.ts";
import { isObject } from "../../_check.ts";
import { parseJson, textIn } from "../../_json.ts";
import { answersOf, chosen, fault, type Found, gradeOf, grouped, isVerdict } from "./_found.ts";
import { type Json, leftOut, numbersIn, type Result, textOf, VERB } from "./_found.ts";

/** Most bytes of an archive's members together. */
const MOST = 2 ** 32;

const CONVERT = "`inspect log dump FILE` writes it as JSON";

/** The log in an `.eval` archive, its events left out. */
export function logOf(bytes: Uint8Array<ArrayBuffer>, file: string): Json {
  try {
    const members = zipMembers(bytes, MOST);
    const read = (name: string) => parseJson(textIn(members.get(name)!.read()));
    const head = ["header.json", "_journal/start.json"].find((name) => members.has(name));
    if (head === undefined) throw new SyntaxError("it has no header.json, as logs of inspect have");
    const samples = [...members.keys()]
      .filter((name) => /^samples\/.*_epoch_\d+(\/sample)?\.json$/s.test(name))
      .map((name) => {
        const sample = read(name);
        if (!isObject(sample)) throw new SyntaxError(`${name} is no sample`);
        const { events: _, events_data: __, messages: ___, store: ____, ...rest } = sample;
        return rest;
      });
    const header = read(head);
    return { ...isObject(header) ? header : {}, samples };
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new RangeError(`Cannot ${VERB} as ${file} must have at most 4 GiB unpacked`, { cause });
    }
    throw new SyntaxError(
      `Cannot ${VERB} as ${file} cannot be read (${(cause as Error).message}); ${CONVERT}`,
      { cause },
    );
  }
}

/** Text of a message's content: itself, or its parts that are text. */
function contentOf(content: unknown): string | undefined {
  if (!Array.isArray(content)) return textOf(content);
  const parts = content.filter((part) => isObject(part) && part.type === "text");
  return parts.length > 0 ? parts.map((part) => textOf(part.text) ?? "").join("\n") : undefined;
}

/** What was generated; undefined where nothing was. */
function generatedBy(sample: Json): { text: string; stop: unknown } | undefined {
  if (!isObject(sample.output)) return undefined;
  const { output } = sample;
  const [choice] = Array.isArray(output.choices) ? output.choices.filter(isObject) : [];
  const message = isObject(choice?.message) ? contentOf(choice.message.content) : undefined;
  const whole = textOf(output.completion);
  if (choice === undefined && (whole === undefined || whole === "")) return undefined;
  const text = whole || message || whole;
  return text === undefined ? undefined : { text, stop: choice?.stop_reason };
}

/** The last message of the user. */
function questionOf(input: unknown): string {
  if (!Array.isArray(input)) return textOf(input) ?? "";
  const last = input.filter(isObject).findLast(({ role }) => role === "user");
  return contentOf(last?.content) ?? "";
}

/** Values and answers by scorer; a scorer of several values counts as "scorer.value" each. */
function scoresOf(sample: Json): Map<string, { value: unknown; answer: string | null }> {
  const scores = isObject(sample.scores) ? Object.entries(sample.scores) : isObject(sample.score) // of old logs
    ? [["score", sample.score]] as const
    : [];
  return new Map(scores.flatMap(([name, score]) => {
    if (!isObject(score)) return [];
    const answer = textOf(score.answer) ?? null;
    return isObject(score.value)
      ? Object.entries(score.value).map(([key, value]) =>
        [`${name}.${key}`, { value, answer }] as const
      )
      : [[name, { value: score.value, answer }] as const];
  }));
}

const LIMITS = ["max_tokens", "model_length", "length"];

/** Settings of a generation. */
const SETTINGS = {
  temperature: "temperature",
  topP: "top_p",
  topK: "top_k",
  maxNewTokens: "max_tokens",
};

/** Reads the samples of a log. */
export function inspect(log: Json, choice: { readonly scorer?: string }): Found {
  const own = isObject(log.eval) ? log.eval : {}, all = log.samples as readonly unknown[];
  const samples = all.map((sample, i) => {
    if (!isObject(sample)) return fault(`sample ${i}`, "be an object");
    const id = textOf(sample.id) ?? fault(`sample ${i}`, "have an id");
    const epoch = Number.isSafeInteger(sample.epoch) ? sample.epoch as number : 1;
    const isErrored = isObject(sample.error), generated = generatedBy(sample);
    return { where: `sample ${i}`, sample, id, epoch, isErrored, generated };
  });
  const usable = samples.filter(({ isErrored, generated }) => !isErrored && generated);
  if (usable.length === 0) {
    const [first] = samples;
    const why = first?.isErrored ? ": every one ended with an error" : "";
    return fault(first?.where ?? "the log", `have an output${why}`);
  }
  const values = grouped(
    usable.flatMap(({ sample }) =>
      [...scoresOf(sample)].map(([name, { value }]) => [name, value] as const)
    ),
  );
  if (values.size === 0) fault(usable[0]!.where, "have a score");
  const tells = (name: string) => Number(values.get(name)!.some(isVerdict));
  const scorers = [...values.keys()].sort((a, b) => tells(b) - tells(a));
  const scorer = chosen("scorer", choice.scorer, scorers);
  const seen = new Map<string, string>();
  const results = usable.map(({ sample, where, id, epoch, generated }): Result => {
    const key = JSON.stringify([id, epoch]), earlier = seen.get(key);
    if (earlier !== undefined) {
      return fault(where, `not repeat epoch ${epoch} of '${id}' of ${earlier}`);
    }
    seen.set(key, where);
    const attachments = isObject(sample.attachments) ? sample.attachments : {};
    const resolved = (text: string) => {
      const name = /^attachment:\/\/(\w+)$/.exec(text)?.[1];
      return name === undefined
        ? text
        : textOf(attachments[name]) ?? fault(where, `have its attachment ${name}`);
    };
    const score = scoresOf(sample).get(scorer), question = resolved(questionOf(sample.input));
    return {
      problem: { id, question, ...answersOf(sample.target) },
      repeat: epoch - 1,
      text: resolved(generated!.text),
      grade: gradeOf(score?.value, scorer, score?.answer ?? null),
      cut: LIMITS.includes(generated!.stop as string) || isObject(sample.limit),
    };
  });
  const planned = isObject(log.results) ? log.results.total_samples : undefined;
  const missing = typeof planned === "number" ? planned - samples.length : 0;
  const errored = samples.length - usable.length;
  const config = isObject(log.plan) && isObject(log.plan.config) ? log.plan.config : {};
  const settings = isObject(own.model_generate_config) ? own.model_generate_config : {};
  return {
    format: "inspect",
    task: textOf(own.task) ?? "unknown",
    model: textOf(own.model) ?? "unknown",
    sampler: { ...numbersIn(settings, SETTINGS), ...numbersIn(config, SETTINGS) },
    results,
    verdicts: { scorer: { taken: scorer, of: scorers } },
    leftOut: leftOut({ errored, missing }),
  };
}
