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
  const all = run as Record<string, unknown>;
  const told = (value: unknown) => {
    if (!isObject(value)) return undefined;
    const fields = Object.entries(value).filter(([, own]) => own !== null && !Number.isNaN(own));
    return fields.length > 0 ? Object.fromEntries(fields) : undefined;
  };
  const imported = isObject(all.versions) && typeof all.versions.imported === "string";
  const settings = told(all.sampler), isInvented = imported && settings?.maxNewTokens === 0;
  const temperature = settings?.temperature;
  const known = !isInvented
    ? settings
    : temperature === undefined
    ? undefined
    : settingsTold(settings!);
  const measured: Json = { mixing: told(all.mixing), timing: told(all.timing), sampler: known };
  const fields = Object.entries(all)
    .map(([name, value]) => [name, name in measured ? measured[name] : value] as const);
  return Object.fromEntries(fields.filter(([name, value]) => {
    if (value === undefined) return false;
    if (!imported) return true;
    if (name === "tokens") return !(Array.isArray(value) && value.length === 0);
    return name !== "prompt" && INVENTED[name] !== value;
  })) as unknown as R;
}

/** Settings of an imported run without those that were put there. */
function settingsTold({ topK: _, minP: __, maxNewTokens: ___, ...own }: Json): Json {
  return own;
}
