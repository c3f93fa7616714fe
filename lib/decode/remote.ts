/**
 * Generation where the model decodes elsewhere: so many requests at once, each answered with its text.
 *
 * @module
 */

import type { Model, Remote } from "../model/mod.ts";
import { type Generation, type Job, recordOf, textRequestOf } from "./generation.ts";

/** What is there of a generation that was ended before there was an answer. */
const NOTHING = {
  text: "",
  finishReason: "aborted",
  mixing: { meanEntropy: NaN, meanOffSampleMass: NaN },
} as const;

/** Asks for one text. */
async function ask(model: Model, remote: Remote, job: Job, signal: AbortSignal) {
  const start = performance.now(), ended = job.signal ? [job.signal, signal] : [signal];
  const any = AbortSignal.any(ended);
  const answer = any.aborted
    ? undefined
    : await remote.complete(textRequestOf(model, job), any).catch((error) => {
      if (any.aborted) return undefined;
      throw error;
    });
  const timing = { prefillMs: 0, decodeMs: performance.now() - start };
  const known = { sampler: recordOf(job), timing };
  const generation: Generation = answer
    ? { ...answer, tokens: [...answer.tokens], ...known }
    : { ...NOTHING, tokens: [], promptTokens: job.prompt.length, ...known };
  return { index: job.index, generation };
}

/**
 * Every job's generation once, in the order in which they come; `slots` are asked for at once. Where one fails, or
 * nobody listens any more, those that are under way are aborted.
 */
export async function* askRemote(
  model: Model,
  remote: Remote,
  jobs: readonly Job[],
  slots: number,
): AsyncGenerator<{ index: number; generation: Generation }> {
  const waiting = jobs.values(), end = new AbortController();
  const asked = new Map<number, ReturnType<typeof ask>>();
  const fill = () => {
    while (asked.size < slots) {
      const { value: job, done } = waiting.next();
      if (done) return;
      const answer = ask(model, remote, job, end.signal);
      answer.catch(() => {}); // thrown where it is awaited
      asked.set(job.index, answer);
    }
  };
  try {
    for (fill(); asked.size > 0; fill()) {
      const answer = await Promise.race(asked.values());
      asked.delete(answer.index);
      yield answer;
    }
  } finally {
    end.abort();
    await Promise.allSettled(asked.values());
  }
}
