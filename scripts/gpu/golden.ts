/**
 * The golden suites of all architectures on a device: the logits of transformers in fp32, those of
 * the CPU with the same weights elsewhere; prompts whole and in pieces, ragged batches, copied and
 * refilled slots; then prompts of lengths at which kernels change their ways.
 */

import { forward, type Input, type Model } from "../../lib/model/mod.ts";
import {
  type ArchitectureCase,
  caseOf,
  CASES,
  checkpointOf,
  logitsOf,
} from "../../tests/golden/architectures.ts";
import { QWEN3 } from "../../tests/golden/golden.ts";
import {
  CASES as LLAMA_CASES,
  type LlamaCase,
  numbersOf,
  pathOf,
  REFUSED,
} from "../../tests/golden/llama.ts";
import { onLlama } from "./card.ts";
import type { LeftOut } from "./found.ts";
import {
  errorsOf,
  type Formats,
  formatsOn,
  held,
  joined,
  limitOf,
  loadOn,
  onCpu,
  refused,
} from "./models.ts";
import type { Part } from "./part.ts";

/** Errors of a case: a prompt whole and in pieces, rows side by side, a copied and a refilled slot. */
async function caseErrors(model: Model, ids: readonly number[], expected: Float32Array) {
  const size = model.config.vocabularySize, length = ids.length;
  const rows = (from: number, to: number) => expected.subarray(from * size, to * size);
  const errors = errorsOf(joined(await forward(model, ids)), expected, size);
  using cache = model.openCache({ slots: 3, length });
  for (const [from, to] of [[0, 7], [7, 8], [8, 30]] as const) {
    const piece = await cache.prefill(0, from, ids.slice(from, to), "all");
    errors.push(...errorsOf(piece, rows(from, to), size));
  }
  await cache.prefill(1, 0, ids.slice(0, 12), "last");
  await cache.copy(0, 2, 25);
  for (let t = 0; t < 10; t++) {
    const at = [30 + t, 12 + t, 25 + t];
    const step = await cache.step(at.map((position) => ids[position]!), at);
    const due = joined(at.map((position) => rows(position, position + 1)));
    errors.push(...errorsOf(step.subarray(0, 3 * size), due, size));
  }
  const again = await cache.prefill(1, 0, ids.slice(0, 9), "all"); // over what it held
  return [...errors, ...errorsOf(again, rows(0, 9), size)];
}

/** The cases, first one of each architecture: what there is time for is spread over all of them. */
function spreadCases(): ArchitectureCase[] {
  const kinds = Map.groupBy(CASES, ({ config }) => config.model_type), all = [...kinds.values()];
  return CASES.flatMap((_, turn) => all.flatMap((cases) => cases[turn] ?? []));
}

/** Names of cases by what was said of them. */
type Said = Map<string, string[]>;

const add = (said: Said, words: string, name: string) =>
  said.set(words, [...said.get(words) ?? [], name]);

const casesText = (names: readonly string[]) =>
  names.length === 1 ? names[0]! : `${names.length} cases`;

async function architectures(part: Part, formats: Formats): Promise<void> {
  const { device, tell, quick } = part, limits = limitOf(part, formats);
  const place = { device, ...formats };
  const all = spreadCases(), cases = quick ? all.slice(0, 2) : all;
  const left: Said = new Map(), failed: Said = new Map(), tried: number[][] = [];
  let wrong = 0;
  for (const value of cases) {
    if (!part.hasTime()) {
      add(left, "no time was left", value.name);
      continue;
    }
    await using folder = await checkpointOf(value);
    const options = { ...formats, maxLength: value.max_length }, ids = value.input_ids;
    try {
      await using model = await loadOn(part, folder.path, options);
      const expected = formats.dtype === "fp32"
        ? logitsOf(value)
        : await onCpu(part, folder.path, options, ids);
      const errors = await caseErrors(model, ids, expected);
      tried.push(errors);
      const found = held(errors, limits);
      if (found.ok) continue;
      wrong++;
      tell({ kind: "check", part: "golden", what: value.name, ...place, ...found });
    } catch (error) {
      const why = refused(error);
      if (why !== undefined) add(left, why, value.name);
      else add(failed, (error as Error).message, value.name);
    }
  }
  for (const [why, names] of left) {
    const what = `golden: ${casesText(names)}`;
    tell({ kind: "left out", what, why, ...place } satisfies LeftOut);
  }
  for (const [detail, names] of failed) {
    const what = casesText(names);
    tell({ kind: "check", part: "golden", what, ...place, ok: false, detail });
  }
  if (tried.length === 0) return;
  const what = `${tried.length} cases of all architectures`;
  const found = { ...held(tried.flat(), limits), ok: wrong === 0 };
  tell({ kind: "check", part: "golden", what, ...place, ...found });
}

/** Lengths of prompts. */
const LENGTHS = [9, 31, 32, 40, 128, 300];

/** Positions of a piece, fewer than a subgroup of any card has lanes. */
const PIECE = 24;

/** Cases that are tried at every length: plain, windows, part of a head rotated, experts. */
const LONG = ["qwen2", "mistral, window", "gemma3_text", "phi3, half rotated"];

interface LongModel extends AsyncDisposable {
  readonly name: string;
  readonly id: string | URL;
}

async function longModel(name: string): Promise<LongModel> {
  const value: ArchitectureCase = caseOf(name);
  const folder = await checkpointOf(value, { max_position_embeddings: 512 });
  return { name, id: folder.path, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

/** Errors of a model's prompts of some lengths, whole and in pieces, by length. */
async function lengthErrors(part: Part, id: string | URL, formats: Formats, lengths: number[]) {
  const longest = Math.max(...lengths), options = { ...formats, maxLength: longest + 8 };
  await using model = await loadOn(part, id, options);
  const size = model.config.vocabularySize;
  const ids = Array.from({ length: longest }, (_, i) => 3 + (i * i + 7 * i) % (size - 3));
  const expected = await onCpu(part, id, options, ids), errors = new Map<number, number[]>();
  using cache = model.openCache({ slots: 2, length: longest + 8 });
  for (const length of lengths) {
    if (!part.hasTime()) break;
    const due = expected.subarray(0, length * size);
    const own = errorsOf(await cache.prefill(0, 0, ids.slice(0, length), "all"), due, size);
    const pieces: Float32Array[] = [];
    for (let from = 0; from < length; from += PIECE) {
      const piece = ids.slice(from, Math.min(length, from + PIECE));
      pieces.push(await cache.prefill(1, from, piece, "all"));
    }
    const all = Float32Array.from(pieces.flatMap((piece) => [...piece]));
    errors.set(length, [...own, ...errorsOf(all, due, size)]);
  }
  return errors;
}

async function prompts(part: Part, formats: Formats): Promise<void> {
  const { device, tell, quick } = part, limits = limitOf(part, formats);
  const place = { device, ...formats };
  const lengths = quick ? [9, 32, 40] : LENGTHS, all = new Map<number, number[]>();
  const add = (errors: ReadonlyMap<number, number[]>) =>
    errors.forEach((own, length) => all.set(length, [...all.get(length) ?? [], ...own]));
  let failure: unknown;
  try {
    add(await lengthErrors(part, QWEN3, formats, lengths));
    for (const name of quick ? [] : LONG) {
      await using model = await longModel(name);
      if (part.hasTime()) add(await lengthErrors(part, model.id, formats, lengths));
    }
  } catch (error) {
    failure = error;
  }
  for (const [length, errors] of all) {
    const what = `${length} tokens, whole and in pieces`;
    tell({ kind: "check", part: "prompts", what, ...place, ...held(errors, limits) });
  }
  if (failure === undefined) return;
  const why = refused(failure);
  if (why !== undefined) tell({ kind: "left out", what: "prompts by length", why, ...place });
  else {
    const detail = (failure as Error).message;
    tell({ kind: "check", part: "prompts", what: "by length", ...place, ok: false, detail });
  }
}

/** Errors of a case that llama.cpp reads: prompts of ids and mixtures, their last ones as steps of three rows. */
async function llamaErrors(model: Model, value: LlamaCase): Promise<number[]> {
  const size = model.config.vocabularySize, { ids } = value, errors: number[] = [], LAST = 30;
  const mixed = ids.map((id, at): Input => value.mixtures.find((one) => one.position === at) ?? id);
  using cache = model.openCache({ slots: 3, length: ids.length });
  for (
    const [inputs, positions, logits] of [
      [ids, value.positions, value.logits],
      [mixed, value.mixed_positions, value.mixed],
    ] as const
  ) {
    const due = numbersOf(logits), found = await cache.prefill(0, 0, inputs, "all");
    const rowOf = (all: Float32Array, row: number) => all.subarray(row * size, (row + 1) * size);
    errors.push(...errorsOf(joined(positions.map((at) => rowOf(found, at))), due, size));
    for (const slot of [1, 2]) await cache.copy(0, slot, LAST);
    for (let at = LAST; at < ids.length; at++) {
      const step = await cache.step(Array(3).fill(inputs[at]!), Array(3).fill(at));
      const row = positions.indexOf(at);
      if (row < 0) continue;
      const own = rowOf(due, row);
      for (const slot of [0, 1, 2]) errors.push(...errorsOf(rowOf(step, slot), own, size));
    }
  }
  return errors;
}

/** The cases that llama.cpp reads, and the refusal of those that it may not be given. */
async function llamaCases(part: Part, formats: Formats): Promise<void> {
  const { device, tell, quick } = part, limits = limitOf(part, formats);
  const place = { device, ...formats }, tried: number[][] = [];
  const cases = [...LLAMA_CASES, ...REFUSED].slice(0, quick ? 2 : undefined);
  for (const value of cases) {
    const isRefused = typeof value === "string", name = isRefused ? value : value.name;
    const check = { kind: "check", part: "golden", what: name, ...place } as const;
    if (!part.hasTime()) {
      tell({ kind: "left out", what: `golden: ${name}`, why: "no time was left", ...place });
      continue;
    }
    try {
      await using model = await loadOn(part, pathOf(name), { ...formats, maxLength: 48 });
      if (isRefused) throw new Error("it must be refused, and loads");
      const errors = await llamaErrors(model, value), found = held(errors, limits);
      tried.push(errors);
      if (!found.ok) tell({ ...check, ...found });
      if (!model.checked!.isBatchExact) tell({ ...check, what: `${name}, batch exact`, ok: false });
    } catch (error) {
      if (isRefused && error instanceof SyntaxError) continue;
      tell({ ...check, ok: false, detail: (error as Error).message });
    }
  }
  const what = `${tried.length} cases of llama.cpp`;
  tell({ kind: "check", part: "golden", what, ...place, ...held(tried.flat(), limits) });
}

/** Runs the suites, format by format. */
export async function golden(part: Part): Promise<void> {
  if (onLlama(part.device)) {
    for (const formats of formatsOn(part)) await llamaCases(part, formats);
    return;
  }
  for (const formats of formatsOn(part)) await prompts(part, formats);
  for (const formats of formatsOn(part)) await architectures(part, formats);
}
