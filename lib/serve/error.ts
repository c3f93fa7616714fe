/**
 * Errors as they are answered: a status, and OpenAI's shape of a body.
 *
 * @module
 */

import { refusal } from "../_check.ts";
import { given } from "../_given.ts";

/** What an error answers beside its sentence. */
export interface ErrorFacts {
  /** HTTP status. */
  readonly status: number;
  /** The field of the request that is wrong, where it is one. */
  readonly param?: string;
  /** A word for programs. */
  readonly code?: string;
  /** Headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error that is answered to whoever asked. */
export class ServeError extends Error {
  override readonly name = "ServeError";
  constructor(message: string, readonly facts: ErrorFacts) {
    super(message);
  }
}

/** Kinds of errors by status; others of the caller's are invalid requests. */
const TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  404: "not_found_error",
  408: "timeout_error",
  429: "rate_limit_error",
  504: "timeout_error",
};

/** Longest sentence and longest name of a field in an error: a request may have chosen them. */
const LONGEST = { message: 1500, param: 100 };

const cut = (text: string, length: number) =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;

/** The body of an error. */
export function errorBody({ message, facts: { status, param, code } }: ServeError): object {
  const type = TYPES[status] ?? (status < 500 ? "invalid_request_error" : "server_error");
  const field = param === undefined ? null : cut(param, LONGEST.param);
  return {
    error: { message: cut(message, LONGEST.message), type, param: field, code: code ?? null },
  };
}

/** An error as an answer. */
export function errorResponse(error: ServeError): Response {
  const { status, headers } = error.facts;
  return Response.json(errorBody(error), { status, ...given({ headers }) });
}

/** A request that is refused for one of its fields. */
export function refused(param: string, rule: string, value: unknown): ServeError {
  const message = refusal("complete", cut(param, LONGEST.param), rule, value);
  return new ServeError(message, { status: 400, param });
}

/** How the library's refusals begin: what cannot be done, and the name of what is wrong. */
const REFUSAL = /^Cannot ([^']*) as '([\w.]+)'/;

/** The field that an option of the library stands for; `verb` is what cannot be done. */
export type FieldOf = (option: string, verb: string) => string;

/** Does what the library may refuse; its refusal becomes one of the request, with the field's own name. */
export function inFields<T>(fieldOf: FieldOf, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw refusedBy(fieldOf, error);
  }
}

/** The library's refusal as one of the request; another error as it is. */
export function refusedBy(fieldOf: FieldOf, error: unknown): unknown {
  if (!(error instanceof Error) || !error.message.startsWith("Cannot ")) return error;
  const [, verb, option] = REFUSAL.exec(error.message) ?? [];
  if (option === undefined) return new ServeError(error.message, { status: 400 });
  const param = fieldOf(option, verb!);
  const message = error.message.replace(REFUSAL, () => `Cannot ${verb} as '${param}'`);
  return new ServeError(message, { status: 400, param });
}

/** Any error as one that is answered: one that nobody expected is the server's own. */
export function serveError(error: unknown): ServeError {
  if (error instanceof ServeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ServeError(`The server failed: ${message}`, { status: 500, code: "failed" });
}
