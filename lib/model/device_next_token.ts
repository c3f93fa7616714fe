/**
 * {@linkcode NextToken} for logits on a device: of a row the most probable tokens and two numbers of each softmax
 * come back, and all of it where somebody reads all.
 *
 * @module
 */

import {
  encodeGraph,
  type Graph,
  NEXT_TOKEN,
  ON_DEVICE,
  softmaxOnDevice,
  topTokensOnDevice,
} from "../graph/mod.ts";
import {
  type Binding,
  createSession,
  type Device,
  type DeviceMemory,
  type Session,
  takingTurns,
  type Tensor,
  tensor,
  type Tensors,
} from "../runtime/mod.ts";
import type { LogitRows } from "./logit_rows.ts";
import type { HeldOnDevice } from "./held.ts";
import { trusted } from "./mixture.ts";
import {
  hidePadding,
  inverseOf,
  type NextToken,
  type NextTokens,
  SHORTLIST,
  type Softmax,
} from "./next_token.ts";
import type { CreateSession } from "./sessions.ts";
import type { DeviceRows } from "./steps.ts";

const FOUND = 2 * SHORTLIST + 1, NUMBERS = 3;

/** The two sessions over logits of so many tokens, on a device. */
export async function startOnDevice(
  device: Device,
  vocabularySize: number,
  tokens: number,
  create: CreateSession = createSession,
) {
  await using starting = new AsyncDisposableStack();
  const start = async (graph: Graph) =>
    starting.use(await create(encodeGraph(graph), { device, capture: true }));
  const top = await start(topTokensOnDevice(vocabularySize, tokens, SHORTLIST));
  const softmax = await start(softmaxOnDevice(vocabularySize, tokens, SHORTLIST));
  const owned = starting.move();
  return { top, softmax, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** What {@linkcode startOnDevice} starts. */
export type DeviceSessions = Awaited<ReturnType<typeof startOnDevice>>;

/** Tensors of so many rows at most, on the device and here, and runs of them that are recorded. */
function openRows(memory: DeviceMemory, size: number) {
  const scope = new DisposableStack();
  const keep = (value: Tensor) => scope.use(value);
  return {
    scope,
    place: (width: number) => keep(memory.allocate("float32", [size, width])),
    first: (whole: Tensor, n: number) => keep(memory.view(whole, 0, [n, whole.dims[1]!])),
    here: (data: Float32Array<ArrayBuffer>, n: number, width: number) =>
      keep(tensor(data, [n, width])),
    bind: (session: Session, inputs: Tensors, outputs: Tensors): Binding =>
      scope.use(session.bind(inputs, outputs, true)),
  };
}

/** Orders tokens of equal logits, which a device finds in any order and float16 makes often, by their ids. */
export function lowerFirst(ids: Int32Array, logits: Float32Array): void {
  for (let k = 1; k < ids.length; k++) {
    const id = ids[k]!;
    let to = k;
    for (; to > 0 && logits[to - 1] === logits[k] && ids[to - 1]! > id; to--) {
      ids[to] = ids[to - 1]!;
    }
    ids[to] = id;
  }
}

/** What looks at logits in one place of a device. */
function lookAt(
  { top, softmax }: DeviceSessions,
  logits: Tensor,
  size: number,
  vocabularySize: number,
) {
  const memory = top.memory!, rows = openRows(memory, size), run = takingTurns();
  const once = <T>(make: (n: number) => T) => {
    const made: T[] = [];
    return (n: number): T => made[n] ??= make(n);
  };
  const found = new Float32Array(size * FOUND), foundThere = rows.place(FOUND);
  const ids = new Int32Array(size * SHORTLIST), best = new Float32Array(size * SHORTLIST);
  const part = <T extends Int32Array | Float32Array>(all: T, row: number, width: number) =>
    all.subarray(row * width, (row + 1) * width) as T;
  const topOf = once((n) => {
    const there = rows.first(foundThere, n);
    const inputs = { [NEXT_TOKEN.logits]: rows.first(logits, n) };
    const binding = rows.bind(top, inputs, { [ON_DEVICE.found]: there });
    return { binding, pair: [there, rows.here(found, n, FOUND)] as const };
  });
  const softmaxSet = () => {
    const inverse = new Float32Array(size), numbers = new Float32Array(size * NUMBERS);
    const inverseThere = rows.place(1), numbersThere = rows.place(NUMBERS);
    const all = rows.place(vocabularySize);
    let read: Float32Array<ArrayBuffer> | undefined;
    return {
      inverse,
      numbers,
      all,
      of: once((n) => {
        const [there, scales] = [rows.first(numbersThere, n), rows.first(inverseThere, n)];
        const inputs = {
          [NEXT_TOKEN.logits]: rows.first(logits, n),
          [ON_DEVICE.found]: rows.first(foundThere, n),
          [NEXT_TOKEN.inverseTemperature]: scales,
        };
        const outputs = {
          [NEXT_TOKEN.probabilities]: rows.first(all, n),
          [ON_DEVICE.numbers]: there,
        };
        return {
          binding: rows.bind(softmax, inputs, outputs),
          send: [rows.here(inverse, n, 1), scales] as const,
          pair: [there, rows.here(numbers, n, NUMBERS)] as const,
        };
      }),
      forget: () => read = undefined,
      /** All probabilities of the first n rows, read once. */
      read(n: number) {
        if (read) return read;
        read = new Float32Array(n * vocabularySize);
        using here = tensor(read, [n, vocabularySize]);
        using there = memory.view(all, 0, [n, vocabularySize]);
        memory.copy([there, here]);
        return read;
      },
    };
  };
  const sets: ReturnType<typeof softmaxSet>[] = [];

  /** What is known of a row's softmax; the rest where somebody reads it. */
  const softmaxOf = (set: number, row: number, n: number, temperature: number): Softmax => {
    const { numbers, all, read, inverse } = sets[set]!;
    const [largest, log, entropy] = part(numbers, row, NUMBERS) as unknown as number[];
    const own = part(ids, row, SHORTLIST), logits = part(best, row, SHORTLIST), by = inverse[row]!;
    const held: HeldOnDevice = {
      ...{ tensor: all, rows: n, row },
      of(id) {
        const place = own.indexOf(id);
        return place < 0 ? undefined : Math.exp((logits[place]! - largest!) * by - log!);
      },
    };
    return {
      ...{ temperature, entropy: entropy!, held },
      get probabilities() {
        return trusted(part(read(n), row, vocabularySize));
      },
    };
  };

  return {
    async of(temperatures: readonly (readonly number[])[]): Promise<NextTokens[]> {
      const n = temperatures.length, { binding, pair } = topOf(n);
      await run(binding);
      memory.copy(pair);
      for (let row = 0; row < n; row++) {
        const own = part(found, row, FOUND), isNumber = !Number.isNaN(own[FOUND - 1]);
        for (let k = 0; k < SHORTLIST; k++) {
          ids[row * SHORTLIST + k] = own[k]!;
          best[row * SHORTLIST + k] = isNumber ? own[SHORTLIST + k]! : NaN;
        }
        lowerFirst(part(ids, row, SHORTLIST), part(best, row, SHORTLIST));
      }
      const most = temperatures.reduce((most, { length }) => Math.max(most, length), 0);
      for (let at = 0; at < most; at++) {
        const set = sets[at] ??= softmaxSet(), { binding, send, pair } = set.of(n);
        for (let row = 0; row < n; row++) {
          set.inverse[row] = inverseOf(temperatures[row]![at] ?? 1, best[row * SHORTLIST]!);
        }
        set.forget();
        memory.copy(send);
        await run(binding);
        memory.copy(pair);
      }
      return temperatures.map((own, row): NextTokens => ({
        top: { ids: part(ids, row, SHORTLIST), logits: part(best, row, SHORTLIST) },
        softmax: own.map((temperature, set) => softmaxOf(set, row, n, temperature)),
      }));
    },
    [Symbol.dispose]: () => rows.scope.dispose(),
  };
}

/**
 * Opens what looks at rows of logits where they lie.
 *
 * @param sessions The sessions, started when first needed; undefined where the device has not all operators.
 * @param host Looks at rows that are here.
 */
export function openOnDevice(
  sessions: () => Promise<DeviceSessions | undefined>,
  vocabularySize: number,
  tokens: number,
  host: NextToken,
): NextToken {
  const known = new Map<Tensor, ReturnType<typeof lookAt>>(); // by where the logits are
  const isThere = (logits: Float32Array | LogitRows): logits is DeviceRows => "place" in logits;
  return {
    async of(logits, temperatures) {
      if (!isThere(logits)) return await host.of(logits, temperatures);
      const own = await sessions();
      if (!own) {
        const all = logits.all();
        hidePadding(all, logits.count, vocabularySize, tokens);
        return await host.of(all, temperatures);
      }
      const { place } = logits;
      const looking = known.get(place) ?? lookAt(own, place, place.dims[0]!, vocabularySize);
      known.set(place, looking);
      return await looking.of(temperatures);
    },
    top: host.top,
    [Symbol.dispose]() {
      for (const looking of known.values()) looking[Symbol.dispose]();
      host[Symbol.dispose]();
    },
  };
}
