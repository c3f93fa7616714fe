/**
 * What a server is: found out by asking it, at `/v1/moi` and `/v1/models`.
 *
 * Three kinds are told apart: servers that mix (ours, and vLLM with the plugin), vLLM as it is, and all
 * others that speak OpenAI's protocol. The last two decode by `standard` alone: they answer a request with
 * a β as if it had none.
 *
 * @module
 */

import { isObject, refusal } from "../../_check.ts";
import { sha256 } from "../../_sha256.ts";
import { type Sampler, SAMPLER_FIELDS } from "../../decode/mod.ts";
import { aboutOf, isName, PATHS, type ServerAbout } from "../about.ts";
import { ask, type Connection, Refused } from "./ask.ts";

/** A server, as far as a study must know it. */
export interface Host {
  /** Name of the model, as requests ask for it. */
  readonly id: string;
  /** The server in a word or two, such as "vllm 0.32.0". */
  readonly device: string;
  /** Versions of what decodes there. */
  readonly versions: Readonly<Record<string, string>>;
  /** Digest of the model; where the server tells none of its weights, one of its name. */
  readonly fingerprint: string;
  readonly dtype: string;
  /** Longest context in tokens, where it is told. */
  readonly maxLength?: number;
  /** Number of tokens that there are, where it is told. */
  readonly vocabularySize?: number;
  /** Where the server has the model from, where it is told. */
  readonly root?: string;
  /** Methods, and the knobs that it takes of each. */
  readonly methods: ServerAbout["methods"];
  /** The version that each answer tells; absent: it does not mix, and tells nothing. */
  readonly mixes?: string;
  /** Whether prompts may be token ids, and templates take variables. */
  readonly takesIds: boolean;
  /** Whether it is vLLM, with names of its own for a few settings. */
  readonly isVllm: boolean;
  /** Sampler settings that it takes. */
  readonly settings: readonly (keyof Sampler)[];
  /** Settings that are sent also where they are off, since the server may recommend others. */
  readonly always: Partial<Sampler>;
  /** What should be known, in sentences. */
  readonly notes: readonly string[];
}

const OPENAI: readonly (keyof Sampler)[] = [
  ...["temperature", "topP", "presencePenalty", "frequencyPenalty"] as const,
];
const VLLM: readonly (keyof Sampler)[] = [...OPENAI, "topK", "minP", "repetitionPenalty"];

const PENALTIES = { repetitionPenalty: 1, presencePenalty: 0, frequencyPenalty: 0 };
const CUTS = { typicalP: 1, epsilonCutoff: 0, etaCutoff: 0 };

/** Programs by the owner that their lists of models name. */
const OWNERS: ReadonlyMap<unknown, string> = new Map([
  ...[["vllm", "vllm"], ["llamacpp", "llama.cpp"], ["library", "ollama"]] as const,
]);

/** Number formats by the names that torch gives them. */
const DTYPES: ReadonlyMap<string, string> = new Map([
  ...[["float32", "fp32"], ["float16", "fp16"], ["bfloat16", "bf16"]] as const,
]);

/** Milliseconds after which what a server should say of itself counts as not answered. */
const TIMEOUT = 30_000;

/** Statuses with which a server says that it has no such page. */
const NO_PAGE = [400, 404, 405, 501];

/** An answer, or undefined where the server has no such page. */
async function optional<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Refused && NO_PAGE.includes(error.status)) return undefined;
    throw error;
  }
}

/** Stands for the fingerprint of a model that is known by its name. */
const digest = (names: readonly unknown[]) => sha256(JSON.stringify(names));

/** The answer as it is. */
const asIs = (answer: unknown) => answer;

const nameOr = (value: unknown) => isName(value) ? value : undefined;

/** A model in the list of a server: untrusted but for its name. */
type Entry = Readonly<Record<string, unknown>> & { readonly id: string };

/** The entry of a model in the list of a server; without a name, its only one. */
function entryOf(list: unknown, model: string | undefined, base: string): Entry {
  const data: unknown[] = isObject(list) && Array.isArray(list.data) ? list.data : [];
  const entries = data.filter((one): one is Entry => isObject(one) && isName(one.id));
  const named = model === undefined ? entries : entries.filter(({ id }) => id === model);
  const [entry] = named;
  if (entry !== undefined && (model !== undefined || named.length === 1)) return entry;
  const names = entries.slice(0, 8).map(({ id }) => `'${id}'`).join(", ") || "none";
  const rule = `name a model that ${base} has (${names})`;
  throw new RangeError(refusal("use the server", "model", rule, model));
}

/** A server that speaks OpenAI's protocol and does not mix. */
async function plainHost(connection: Connection, entry: Entry): Promise<Host> {
  const { id } = entry, root = nameOr(entry.root);
  const name = OWNERS.get(entry.owned_by) ?? "openai";
  const isVllm = name === "vllm", length = entry.max_model_len;
  const told = isVllm
    ? await optional(ask(connection, { path: "/version", read: asIs }))
    : undefined;
  const version = isObject(told) ? nameOr(told.version) : undefined;
  const device = version === undefined ? name : `${name} ${version}`;
  return {
    ...{ id, device, versions: { server: device }, dtype: "unknown", isVllm, takesIds: isVllm },
    fingerprint: digest([name, id, root]),
    ...(Number.isSafeInteger(length) && (length as number) > 0 && { maxLength: length as number }),
    ...(root !== undefined && { root }),
    methods: { standard: [] },
    ...{ settings: isVllm ? VLLM : OPENAI, always: isVllm ? PENALTIES : {} },
    notes: [
      `${device} at ${connection.base} does not mix: it decodes by 'standard' alone, and its model is ` +
      `known by its name, '${id}'`,
      ...(isVllm ? [] : [
        `${device} has settings of its own, such as top-k or penalties, that OpenAI's protocol cannot ` +
        "switch off and that runs do not record: start it without them",
      ]),
    ],
  };
}

/** A server that says what it mixes. */
function mixingHost(about: ServerAbout, entry: Entry): Host {
  const { server, plugin, model, methods } = about, { name, version } = server;
  const isVllm = name !== "moi", root = nameOr(entry.root);
  if (isVllm && plugin === undefined) {
    const rule = "name what mixes there, and its version";
    throw new TypeError(refusal("use the server", "plugin", rule, plugin));
  }
  const where = model.device === "cpu" ? "" : `, ${model.device}`;
  const told = (entry.parent ?? null) === null ? model.fingerprint : null; // an adapter is another model
  return {
    id: entry.id,
    device: `${name} ${version}${where}`,
    versions: {
      server: `${name} ${version}`,
      ...(plugin && { plugin: `${plugin.name} ${plugin.version}` }),
    },
    fingerprint: told ?? digest([name, entry.id, root]),
    dtype: DTYPES.get(model.dtype) ?? model.dtype,
    ...{ maxLength: model.max_length, vocabularySize: model.vocabulary_size },
    ...(root !== undefined && { root }),
    ...{ methods, mixes: (plugin ?? server).version, isVllm, takesIds: true },
    settings: isVllm ? VLLM : SAMPLER_FIELDS,
    always: isVllm ? PENALTIES : { ...PENALTIES, ...CUTS },
    notes: told !== null ? [] : [
      `${name} tells no fingerprint of its weights: the model is known by its name, '${entry.id}'`,
    ],
  };
}

/**
 * Asks a server what it is, which it must say within half a minute, however long its texts take.
 *
 * @param model The model that is asked for. Default: the only one that the server has.
 */
export async function describeHost(patient: Connection, model?: string): Promise<Host> {
  const connection = { ...patient, timeout: Math.min(patient.timeout, TIMEOUT) };
  const about = await optional(ask(connection, { path: PATHS.about, read: aboutOf }));
  const entry = entryOf(
    await ask(connection, { path: PATHS.models, read: asIs }),
    model,
    connection.base,
  );
  return about === undefined ? await plainHost(connection, entry) : mixingHost(about, entry);
}
