/**
 * What a line of a file tells, and nothing else.
 *
 * @module
 */

import { isObject, type Json } from "./import/_found.ts";
import type { Run } from "./run.ts";

/** What earlier releases wrote into imported runs without being told. */
const INVENTED: Readonly<Record<string, unknown>> = {
  device: "unknown",
  dtype: "unknown",
  studySeed: 0,
  seed: 0,
  promptTokens: 0,
};

/**
 * A stored run with what it does not tell left out: numbers that are null in the file, since JSON has no
 * NaN, and what earlier releases put into imported runs (seed 0, no tokens, device "unknown").
 *
 * @param run A run as read from a file; not changed.
 */
export function asTold<R extends Pick<Run, "problem">>(run: R): R {
  const { mixing, timing, sampler, ...rest } = run as Record<string, unknown>;
  const told = (value: unknown) => {
    if (!isObject(value)) return undefined;
    const fields = Object.entries(value).filter(([, own]) => own !== null && !Number.isNaN(own));
    return fields.length > 0 ? Object.fromEntries(fields) : undefined;
  };
  const imported = isObject(rest.versions) && typeof rest.versions.imported === "string";
  const settings = told(sampler), isInvented = imported && settings?.maxNewTokens === 0;
  const { topK: _, minP: __, maxNewTokens: ___, ...own } = settings ?? {} as Json;
  const known = isInvented && own.temperature !== undefined
    ? own
    : isInvented
    ? undefined
    : settings;
  const fields = Object.entries({
    ...rest,
    mixing: told(mixing),
    timing: told(timing),
    sampler: known,
  });
  return Object.fromEntries(fields.filter(([name, value]) => {
    if (value === undefined) return false;
    if (!imported) return true;
    if (name === "tokens") return !(Array.isArray(value) && value.length === 0);
    return name !== "prompt" && INVENTED[name] !== value;
  })) as unknown as R;
}
