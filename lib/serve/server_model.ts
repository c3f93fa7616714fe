/**
 * A model behind a server, which goes where a model goes: `generate`, `generateBatch`, `runStudy`.
 *
 * The server decodes. Here are the tokenizer, the chat template and the recommended settings, without
 * weights: prompts are rendered here and sent as token ids, and texts are decoded here from theirs, so that
 * text and hash do not depend on the server.
 *
 * | server | methods | prompts |
 * | --- | --- | --- |
 * | `deno task serve` | all of the library's | token ids |
 * | vLLM with the plugin moi-vllm | those that it lists | token ids |
 * | vLLM as it is | `standard` | token ids |
 * | other OpenAI servers (llama-server, Ollama, hosted ones) | `standard` | text and messages, as they are |
 *
 * What a server cannot do is refused by name before anything is sent: methods and knobs that it does not
 * list, methods of one's own, β as a function, sampler settings that it does not take; traces, `forward`,
 * `stream` and probes, which need logits. Before the first text that is mixed the server must show that
 * it mixes: of β = ¼, 4 and ∞ every two must differ where seeds matter, and β = ∞ must be standard decoding.
 *
 * Every answer must tell the model, the version, and the method with the knobs that were asked for, else
 * the study ends rather than keep a run under a wrong name. Where nothing was answered (no connection, a
 * reset, time over, status 408, 429, 500, 502, 503, 504, an answer that is cut) the request is sent again,
 * later each time, no earlier than `Retry-After` says, and only to the same server: after a lost
 * connection, and after a pause in which one could go and another come, it must say of itself what it
 * said before. What was answered is never asked for again.
 *
 * @module
 */

import {
  anything,
  callable,
  checkOptions,
  kind,
  number,
  refusal,
  type Rules,
  text,
} from "../_check.ts";
import { given } from "../_given.ts";
import {
  createModel,
  type Engine,
  type Model,
  readWords,
  type Remote,
  type TextRequest,
} from "../model/mod.ts";
import { isDeepStrictEqual } from "node:util";
import { remoteText } from "./client/answer.ts";
import { ask, type Connection } from "./client/ask.ts";
import { canary, CANARY_TOKENS } from "./client/canary.ts";
import { PLAIN } from "./client/plain_text.ts";
import { type Peer, type Sent, sentRequest } from "./client/request.ts";
import { describeHost, type Host } from "./client/host.ts";

/** Options of {@linkcode serverModel}. */
export interface ServerModelOptions {
  /** Address of the server, with or without `/v1`, as in "http://localhost:8000". */
  readonly url: string | URL;
  /** Name of the model there. Default: the only one that the server has. */
  readonly model?: string;
  /** The server's API key. Default: none. */
  readonly key?: string;
  /**
   * Where tokenizer, chat template and recommended settings are: an embedded name, a folder, a GGUF file or
   * "org/name" on the hub, whose weights are not downloaded. `null`: texts and messages are sent as they
   * are, and a prompt's hash is that of its bytes. Default: where the server says that it has the model
   * from, else `model`; `null` with servers that take no token ids, where nothing else is allowed.
   */
  readonly tokenizer?: string | URL | null;
  /** Requests sent at once. Default: 32. */
  readonly concurrency?: number;
  /** Milliseconds after which a request counts as not answered. Default: 3,600,000, an hour. */
  readonly timeout?: number;
  /**
   * Milliseconds during which a request that was not answered is sent again; at the opening of the model, at
   * most 10,000. Default: 600,000.
   */
  readonly patience?: number;
  /** Told of each request that is sent again, and why. */
  readonly onRetry?: (note: string) => void;
}

const VERB = "use the server", CONCURRENCY = 32;

/** Milliseconds: an hour, ten minutes, and how long a server may take to be there at the start. */
const TIMEOUT = 3_600_000, PATIENCE = 600_000, OPENING = 10_000;

/** Milliseconds within which no other server takes the place of one that had nothing to do. */
const PAUSE = 100;

const RULES: Rules<ServerModelOptions> = {
  url: anything, // where it is parsed
  model: text,
  key: kind(
    "be a key without blanks",
    (value) => typeof value === "string" && /^[\x21-\x7e]+$/.test(value),
  ),
  tokenizer: kind(
    "be a name, a path, a URL or null",
    (value) => value === null || typeof value === "string" || value instanceof URL,
  ),
  concurrency: number({ min: 1, integer: true }),
  timeout: number({ min: 1, max: 2 ** 31 - 1 }),
  patience: number({ min: 0, max: 2 ** 31 - 1 }),
  onRetry: callable,
};

/** A server's address without what follows it. */
function baseOf(url: string | URL): string {
  const parsed = URL.parse(String(url)), isWeb = /^https?:$/.test(parsed?.protocol ?? "");
  if (!parsed || !isWeb || parsed.username !== "" || parsed.search !== "") {
    const rule = "be an http or https address without user and query (a key goes into 'key')";
    throw new TypeError(refusal(VERB, "url", rule, parsed?.username ? "…" : url));
  }
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, "").replace(/\/v1$/, "");
}

/** What is known here of the model's texts; undefined where they are sent as they are. */
async function wordsOf(server: Host, base: string, asked: ServerModelOptions["tokenizer"]) {
  const { id, device, root, takesIds, vocabularySize } = server;
  if (!takesIds && asked !== undefined && asked !== null) {
    const rule = `be left out, as ${device} at ${base} takes no token ids`;
    throw new TypeError(refusal(VERB, "tokenizer", rule, asked));
  }
  if (!takesIds || asked === null) return undefined;
  const places = asked === undefined ? [...new Set([root ?? id, id])] : [asked];
  for (const place of places) {
    try {
      const words = await readWords(place), size = words.config.vocabularySize;
      if (vocabularySize === undefined || size === vocabularySize) return words;
      const rule = `be that of ${id}, which has ${vocabularySize} tokens, not ${size}`;
      throw new RangeError(refusal(VERB, "tokenizer", rule, place));
    } catch (error) {
      if (asked !== undefined || !(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  const rule = `say where the tokenizer of ${id} is, as there is none here under ${
    places.join(" or ")
  } (null sends texts as they are)`;
  throw new TypeError(refusal(VERB, "tokenizer", rule, asked));
}

/** Fields of a description in which two differ. */
const changed = (here: Host, there: Host) =>
  [...new Set([...Object.keys(here), ...Object.keys(there)])].filter((name) =>
    !isDeepStrictEqual(here[name as keyof Host], there[name as keyof Host])
  );

/** Refuses a server that is no longer what it was. */
async function checkSame(connection: Connection, server: Host): Promise<void> {
  const once = { ...connection, patience: 0 }; // who asks again asks this again, too
  const now = await describeHost(once, server.id), names = changed(server, now);
  if (names.length === 0) return;
  const parts = names.map((name) => {
    const [before, after] = [server, now].map((one) => JSON.stringify(one[name as keyof Host]));
    return `${name} was ${before} and is ${after}`;
  });
  throw new Error(
    `Cannot go on with ${server.device} at ${connection.base} as it is another server since the ` +
      `last answer (${parts.join("; ")}): open the model anew, and name another file`,
  );
}

/** Bytes of an answer: of its text, its token ids and those of the prompt, and of what is around them. */
const limitOf = ({ maxNewTokens }: Sent, { prompt }: TextRequest) =>
  2 ** 20 + 4096 * maxNewTokens + 32 * prompt.length;

/** What asks the server for texts. */
function remoteOf(connection: Connection, asked: Peer, concurrency: number): Remote {
  const { server, base, tokenizer } = asked;
  let underWay = 0, quiet = performance.now(), isSure = true;
  const again = async () => {
    await checkSame(connection, server);
    isSure = true;
  };
  const textOf = async (request: TextRequest, signal?: AbortSignal) => {
    const sent = sentRequest(asked, request), { path, body } = sent;
    const limit = limitOf(sent, request);
    const read = (answer: unknown) => remoteText(asked, request, sent, answer);
    // while something is under way a server does not go unseen
    if (underWay++ === 0 && performance.now() - quiet > PAUSE) isSure = false;
    try {
      return await ask(connection, { path, body, limit, signal, read, lost: !isSure }, again);
    } finally {
      if (--underWay === 0) quiet = performance.now();
    }
  };

  let shown: Promise<void> | undefined;
  const encode = (text: string) =>
    (tokenizer ?? PLAIN.tokenizer).encode(text, { addSpecialTokens: true });
  const show = async ({ prompt }: TextRequest) => {
    const room = tokenizer ? Math.max(1, (server.maxLength ?? Infinity) - CANARY_TOKENS) : Infinity;
    const fault = await canary(
      textOf,
      prompt.slice(0, room),
      (text) => encode(text).slice(0, room),
    );
    if (fault === undefined) return;
    throw new Error(
      `Cannot mix on ${server.device} at ${base} as ${fault.seen}; ${fault.remedy}`,
    );
  };
  /** Waits until the server has shown that it mixes; one who has gone waits no longer. */
  const mixes = async (request: TextRequest, signal: AbortSignal | undefined) => {
    shown ??= show(request).catch((error) => {
      shown = undefined; // the next one asks again
      throw error;
    });
    const gone = Promise.withResolvers<never>();
    const end = () => gone.reject(signal!.reason);
    signal?.addEventListener("abort", end, { once: true });
    try {
      await Promise.race([shown, gone.promise]);
    } finally {
      signal?.removeEventListener("abort", end);
    }
  };

  return {
    concurrency,
    check: (request) => void sentRequest(asked, request),
    async complete(request, signal) {
      if (request.method.name !== "standard") await mixes(request, signal);
      return await textOf(request, signal);
    },
  };
}

/** What decodes there, and opens no cache here. */
function engineOf(
  connection: Connection,
  asked: Peer,
  concurrency: number,
  closing: AbortController,
): Engine {
  const { device, versions } = asked.server, { base } = connection;
  return {
    ...{ device, versions },
    remote: remoteOf(connection, asked, concurrency),
    openCache() {
      throw new TypeError(
        `Cannot open a cache as the model decodes on ${device} at ${base}, which gives texts and no ` +
          "logits; load it here (loadModel) for forward, traces and probes",
      );
    },
    [Symbol.asyncDispose]() {
      const reason = `Cannot ask ${base} as the model is disposed`;
      closing.abort(new Error(reason));
      return Promise.resolve();
    },
  };
}

/**
 * Opens a model behind a server.
 *
 * @param options Where the server is, which of its models, and its key.
 * @returns The model. Its `device` is the server with its version, `versions` say what decodes, and
 * `fingerprint` is that of the weights where the server tells it, else a digest of the model's name: a
 * study is continued on the same alone.
 * @throws {TypeError | RangeError} Where an option is outside its rule, or the server has no such model.
 * @throws {Error} Where the server cannot be reached, or refuses, with its own words.
 *
 * @example A study on a server
 * ```ts ignore
 * import { moi, runStudy, serverModel, standard, votes } from "@moi/moi";
 * await using model = await serverModel({ url: "http://localhost:8000", model: "votes-tiny" });
 * const methods = { "standard": standard(), "moi-1": moi({ beta: 1 }) };
 * const runs = await runStudy({ model, task: votes(), methods }, { store: "runs/votes.jsonl" });
 * ```
 */
export async function serverModel(options: ServerModelOptions): Promise<Model> {
  checkOptions(VERB, options, RULES);
  const { url, model, key, tokenizer, concurrency = CONCURRENCY, onRetry } = options;
  const { timeout = TIMEOUT, patience = PATIENCE } = options, base = baseOf(url);
  const closing = new AbortController();
  const connection: Connection = {
    ...{ base, timeout, patience, closed: closing.signal },
    ...given({ key, onRetry }),
  };
  const opening = { ...connection, patience: Math.min(patience, OPENING) };
  const server = await describeHost(opening, model);
  const words = await wordsOf(server, base, tokenizer);
  const { id, fingerprint, dtype } = server, all = [...server.notes, ...words?.notes ?? []];
  const { config } = words ?? PLAIN;
  const asked: Peer = { server, base, ...given({ tokenizer: words?.tokenizer }), seen: {} };
  return createModel({
    ...(words ?? PLAIN),
    ...{ id, fingerprint, dtype, config },
    maxLength: words ? server.maxLength ?? config.maxPositions : config.maxPositions,
    ...(all.length > 0 && { notes: all }),
    engine: engineOf(connection, asked, concurrency, closing),
  });
}
