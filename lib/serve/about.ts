/**
 * What a server says of itself, at `/v1/moi`: whose it is, which model it has, and which methods it knows.
 *
 * @module
 */

import { isObject, refusal } from "../_check.ts";

/** The protocol's number: it changes where a reader of the one before would misread an answer. */
export const PROTOCOL = 1;

/** Where a server answers. */
export const PATHS = {
  about: "/v1/moi",
  models: "/v1/models",
  completions: "/v1/completions",
  chat: "/v1/chat/completions",
  health: "/health",
  metrics: "/metrics",
} as const;

/** A program and its version. */
export interface ProgramVersion {
  /** Its name. */
  readonly name: string;
  /** Its version. */
  readonly version: string;
}

/** What a server says of itself, as it stands in the answer. */
export interface ServerAbout {
  /** The protocol that it speaks. */
  readonly protocol: number;
  /** The server: "moi" or "vllm". */
  readonly server: ProgramVersion;
  /** What has taught it to mix, where that is not the server itself. */
  readonly plugin?: ProgramVersion;
  /** The model. */
  readonly model: {
    /** Name by which requests ask for it. */
    readonly id: string;
    /** Fingerprint of its configuration and weights, as this library computes it; null: not known there. */
    readonly fingerprint: string | null;
    /** Number format that it computes with. */
    readonly dtype: string;
    /** Where it is computed. */
    readonly device: string;
    /** Longest prompt and answer together, in tokens. */
    readonly max_length: number;
    /** Rows of its embedding table. */
    readonly vocabulary_size: number;
  };
  /** The methods that it knows, and the knobs of each, in snake case and without `moi_`. */
  readonly methods: Readonly<Record<string, readonly string[]>>;
}

/**
 * Whether a value is a name as runs and terminals take it, whoever tells it: a text that is not empty, of up to 1024
 * characters, none of which steers a terminal or turns the direction of writing.
 */
export const isName = (value: unknown): value is string =>
  typeof value === "string" && value.length <= 1024 &&
  /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+$/u.test(value);

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0;
const isProgram = (value: unknown) =>
  isObject(value) && isName(value.name) && isName(value.version);
const isModel = (value: unknown) =>
  isObject(value) && ["id", "dtype", "device"].every((name) => isName(value[name])) &&
  (value.fingerprint === null || isName(value.fingerprint)) &&
  isCount(value.max_length) && isCount(value.vocabulary_size);
const isMethods = (value: unknown) =>
  isObject(value) &&
  Object.values(value).every((knobs) => Array.isArray(knobs) && knobs.every(isName));

/** The rules of the answer: what each field must be, and whether it is. */
const FIELDS: Readonly<Record<keyof ServerAbout, readonly [string, (value: unknown) => boolean]>> =
  {
    protocol: [`be ${PROTOCOL}, which this version speaks`, (value) => value === PROTOCOL],
    server: ["be a program's name and version", isProgram],
    plugin: ["be a program's name and version", (value) => value === undefined || isProgram(value)],
    model: ["have id, fingerprint, dtype, device, max_length and vocabulary_size", isModel],
    methods: ["map names of methods to lists of knobs", isMethods],
  };

/**
 * Reads what a server says of itself, which may be anything.
 *
 * @param value The answer's JSON. Fields beyond those of {@linkcode ServerAbout} are passed over.
 * @throws {TypeError} Naming the field that is wrong, as of a server that does not speak the protocol.
 *
 * @example
 * ```ts
 * import { aboutOf } from "@moi/moi/serve";
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => aboutOf({ object: "list" }), TypeError, "'protocol' must be 1");
 * ```
 */
export function aboutOf(value: unknown): ServerAbout {
  const verb = `use the server's ${PATHS.about}`;
  if (!isObject(value)) throw new TypeError(refusal(verb, "answer", "be an object", value));
  for (const [name, [rule, is]] of Object.entries(FIELDS)) {
    if (!is(value[name])) throw new TypeError(refusal(verb, name, rule, value[name]));
  }
  return value as unknown as ServerAbout;
}
