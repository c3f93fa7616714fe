/**
 * A context of llama.cpp: the keys and values of some sequences, and runs that add to them.
 *
 * Each sequence has a buffer of its own and attention is computed without fusion, as only so the numbers of a
 * sequence do not depend on the others. Calls that would end the process are refused here.
 *
 * @module
 */

import { checkNumber } from "../_check.ts";
import { structIn } from "../runtime/structs.ts";
import { BATCH, type Calls } from "./api.ts";

/** Shape of a context. */
export interface ContextOptions {
  /** Number of sequences. */
  readonly sequences: number;
  /** Positions of each, a multiple of 256. */
  readonly length: number;
  /** Most inputs of a run, at least one a sequence. */
  readonly batch: number;
  /** Number format of keys and values. */
  readonly kv: "fp32" | "fp16";
}

/** Where an input of a run goes. */
export interface Place {
  readonly sequence: number;
  /** One after the last of the sequence. */
  readonly position: number;
  /** Whether logits are made. */
  readonly logits: boolean;
}

/** A context; one call at a time, and none after it is disposed. */
export interface Context extends Disposable {
  /**
   * Feeds inputs of consecutive sequences, and of each in the order of positions.
   *
   * @param input Token ids `[n]`, or embeddings `[n · D]`.
   * @returns Logits `[outputs · V]` in the order of the places that asked: valid until the next call.
   */
  decode(places: readonly Place[], input: Int32Array | Float32Array): Promise<Float32Array>;
  /** Number of positions of a sequence. */
  end(sequence: number): number;
  /** Forgets the positions of a sequence from one on. */
  cut(sequence: number, position: number): void;
  /** Copies a whole sequence over another. */
  copy(from: number, to: number): void;
  /** Ends the run that is under way, else the next; it then throws. */
  stop(): void;
}

/** What a context stands on. */
interface Parts {
  readonly call: Calls;
  readonly pointer: Deno.PointerValue;
  readonly isOnGpu: boolean;
  /** A byte that ends a run where it is not 0. */
  readonly stop: Uint8Array;
  /** Numbers of a position, of embeddings. */
  readonly axes: number;
  readonly hiddenSize: number;
  readonly vocabularySize: number;
}

/** The calls of a context. `closed` is called when it is freed. */
export function openContext(
  { call, pointer, isOnGpu, stop, axes, hiddenSize, vocabularySize }: Parts,
  { sequences, length, batch }: ContextOptions,
  closed: () => void,
): Context {
  const memory = call.llama_get_memory(pointer), lengths = new Int32Array(sequences);
  // what a run reads on another thread must not lie where the collector moves it, as small arrays may
  const ints = (size: number) => new Int32Array(new ArrayBuffer(4 * size));
  const pos = ints(batch * axes), count = ints(batch).fill(1), seq = ints(batch), ids = ints(batch);
  const wanted = new Int8Array(new ArrayBuffer(batch));
  const at = new BigUint64Array(new ArrayBuffer(8 * batch));
  const embeddings = new Float32Array(new ArrayBuffer(4 * batch * hiddenSize));
  const bytes = new Uint8Array(new ArrayBuffer(BATCH.size)), struct = structIn(BATCH, bytes.buffer);
  const start = Deno.UnsafePointer.value(Deno.UnsafePointer.of(seq));
  at.forEach((_, k) => at[k] = start + BigInt(4 * k));
  const arrays = { pos, n_seq_id: count, seq_id: at, logits: wanted };

  let isRunning = false, isFreed = false;
  const checkFree = (verb: string) => {
    if (isFreed) throw new Error(`Cannot ${verb} as the context is freed`);
    if (isRunning) throw new Error(`Cannot ${verb} as the run before must have ended`);
  };
  const checkSequence = (verb: string, sequence: number) =>
    checkNumber(verb, "sequence", sequence, { min: 0, max: sequences - 1, integer: true });

  /** Writes the places; refuses those that llama.cpp must not see. The number of logits. */
  const write = (places: readonly Place[]): number => {
    const next = new Map<number, number>();
    let outputs = 0;
    places.forEach(({ sequence, position, logits }, k) => {
      checkSequence("decode", sequence);
      const due = next.get(sequence) ?? lengths[sequence]!;
      checkNumber("decode", "position", position, { min: due, max: due, integer: true });
      checkNumber("decode", "position", position, { max: length - 1 });
      next.set(sequence, position + 1);
      for (let axis = 0; axis < axes; axis++) {
        pos[axis * places.length + k] = axis < 3 ? position : 0; // text moves on three axes alike
      }
      seq[k] = sequence;
      wanted[k] = logits ? 1 : 0;
      if (logits) outputs++;
    });
    return outputs;
  };
  return {
    async decode(places, input) {
      checkFree("decode");
      const n = places.length, isIds = input instanceof Int32Array;
      checkNumber("decode", "places.length", n, { min: 1, max: batch, integer: true });
      const least = isIds ? n : n * hiddenSize;
      checkNumber("decode", "input.length", input.length, { min: least });
      if (isIds) {
        for (let k = 0; k < n; k++) {
          checkNumber("decode", "id", input[k], { min: 0, max: vocabularySize - 1, integer: true });
        }
      }
      const outputs = write(places);
      struct.write("n_tokens", n);
      for (const name of ["pos", "n_seq_id", "seq_id", "logits"] as const) {
        struct.write(name, Deno.UnsafePointer.of(arrays[name])); // held as long as they are read
      }
      if (isIds) ids.set(input.subarray(0, n));
      else embeddings.set(input.subarray(0, least));
      struct.write("token", isIds ? Deno.UnsafePointer.of(ids) : 0);
      struct.write("embd", isIds ? 0 : Deno.UnsafePointer.of(embeddings));
      isRunning = true;
      const code = await call.decodeLater(pointer, bytes);
      if (isOnGpu) await call.waitLater(pointer); // it still computes, and reading would block
      isRunning = false;
      if (code === 2) stop.fill(0);
      if (code !== 0) {
        for (const { sequence } of places) {
          call.llama_memory_seq_rm(memory, sequence, lengths[sequence]!, -1); // what it had begun
        }
        const why = code === 2 ? "it was stopped" : `llama.cpp gives ${code}`;
        throw new Error(`Cannot decode as ${why}`);
      }
      for (const { sequence, position } of places) lengths[sequence] = position + 1;
      if (outputs === 0) return new Float32Array(0);
      const logits = call.llama_get_logits(pointer);
      if (logits === null) throw new Error("Cannot decode as llama.cpp gives no logits");
      const size = outputs * vocabularySize;
      return new Float32Array(Deno.UnsafePointerView.getArrayBuffer(logits, 4 * size));
    },
    end(sequence) {
      checkSequence("find an end", sequence);
      return lengths[sequence]!;
    },
    cut(sequence, position) {
      checkFree("cut a sequence");
      checkSequence("cut a sequence", sequence);
      const most = lengths[sequence]!;
      checkNumber("cut a sequence", "position", position, { min: 0, max: most, integer: true });
      if (position === most) return;
      if (!call.llama_memory_seq_rm(memory, sequence, position, -1)) {
        throw new Error("Cannot cut a sequence as the model's memory does not allow it");
      }
      lengths[sequence] = position;
    },
    copy(from, to) {
      checkFree("copy a sequence");
      checkSequence("copy a sequence", from);
      checkSequence("copy a sequence", to);
      if (from === to) return;
      call.llama_memory_seq_cp(memory, from, to, -1, -1); // a part of one ends the process
      lengths[to] = lengths[from]!;
    },
    stop: () => stop.fill(1, 0, 1),
    [Symbol.dispose]() {
      if (isFreed) return;
      checkFree("free a context");
      isFreed = true;
      call.llama_free(pointer);
      closed();
    },
  };
}
