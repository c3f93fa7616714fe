/**
 * Models that decode elsewhere, such as those of a server: they are asked for whole texts, not for logits.
 *
 * @module
 */

/** A text that is asked for: plain data, so that it can be sent. */
export interface TextRequest {
  /** Token ids of the prompt. */
  readonly prompt: readonly number[];
  /** Name of the method, and its knobs as they are recorded. */
  readonly method: {
    readonly name: string;
    readonly parameters: Readonly<Record<string, unknown>>;
  };
  /** Sampler settings by name, those that are off left out. */
  readonly sampler: Readonly<Record<string, unknown>>;
  /** Largest number of new tokens. */
  readonly maxNewTokens: number;
  /** Texts that end it; they are cut off. */
  readonly stop: readonly string[];
  /** Seed. */
  readonly seed: number;
  /** Whether end-of-text tokens are treated like any other. */
  readonly ignoreEos: boolean;
}

/** A text that was decoded elsewhere. */
export interface RemoteText {
  /** The text. */
  readonly text: string;
  /** Token ids; empty where they are not told. */
  readonly tokens: readonly number[];
  /** Why it ended. */
  readonly finishReason: "stop" | "length";
  /** Number of prompt tokens. */
  readonly promptTokens: number;
  /** Evidence that mixing happened, as of a generation; NaN where it is not told. */
  readonly mixing: { readonly meanEntropy: number; readonly meanOffSampleMass: number };
}

/** What an engine is asked in place of logits: whole texts. */
export interface Remote {
  /** Requests that it is sent at once. */
  readonly concurrency: number;
  /**
   * Refuses what it cannot do, before anything is sent.
   *
   * @throws {TypeError} Naming the method, option or setting.
   */
  check(request: TextRequest): void;
  /** Asks for one text; rejects where there is none, also when it is aborted. */
  complete(request: TextRequest, signal?: AbortSignal): Promise<RemoteText>;
}
