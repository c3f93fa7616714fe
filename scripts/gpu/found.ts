/** What the parts of a run find, line by line, and what follows from it: shares, rates, ratios. */

import type { Column } from "../../lib/plot/table.ts";
import { digits, type Summary } from "../bench/rows.ts";
import { onLlama, ONNX_DEVICES } from "./card.ts";
import { type Format, SHAPES, stepBytes } from "../bench/weights.ts";

/** Where something was found. */
export interface Place {
  /** "cpu", "webgpu", "cuda", "llama:vulkan" and its like; "torch" for the loop that is compared with. */
  readonly device: string;
  readonly model?: string;
  readonly dtype?: string;
  readonly kv?: string;
  readonly batch?: number;
  readonly context?: number;
}

/** Whether something is as it should be. */
export interface Check extends Place {
  readonly kind: "check";
  readonly part: string;
  readonly what: string;
  readonly ok: boolean;
  /** The largest deviation, and what it may be. */
  readonly worst?: number;
  readonly limit?: number;
  readonly detail?: string;
}

/** A time. */
export interface Figure extends Place, Summary {
  readonly kind: "figure";
  readonly what: string;
  /** "s" or "ms". */
  readonly unit: "s" | "ms";
  /** Of steps: what is fed back, and the candidates of the sampler, 0 for the whole vocabulary. */
  readonly method?: "standard" | "moi";
  readonly candidates?: number;
  /**
   * Of steps: milliseconds outside of the runtime, and inside by function. On WebGPU a run only hands
   * its work over, and the copy of what comes back waits for it; CUDA's copies count as outside.
   */
  readonly js?: number;
  readonly inside?: Readonly<Record<string, number>>;
  /** Of steps: milliseconds of processor time, all threads together. */
  readonly processor?: number;
}

/** A relation of two steps. */
export interface Ratio extends Place, Summary {
  readonly kind: "ratio";
  readonly what: string;
}

/** What was not done, and why. */
export interface LeftOut extends Partial<Place> {
  readonly kind: "left out";
  readonly what: string;
  readonly why: string;
}

/** Anything that is worth a place in the report. */
export interface Fact {
  readonly kind: "fact";
  readonly what: string;
  readonly value: unknown;
}

export type Found = Check | Figure | Ratio | LeftOut | Fact;

/** Takes what was found. */
export type Tell = (found: Found) => void;

/** Memory bandwidth of a few common cards by their makers' data sheets, GB/s; the first that fits. */
const BANDWIDTHS: readonly (readonly [name: RegExp, gbPerSecond: number])[] = [
  [/\bB200\b/, 8000],
  [/\bH200\b/, 4800],
  [/\bH100 NVL\b/, 3938],
  [/\bH100 PCIe\b/, 2039],
  [/\bH100\b/, 3352],
  [/\bA100.*80GB/, 2039],
  [/\bA100\b/, 1555],
  [/\bL40S?\b/, 864],
  [/\bL4\b/, 300],
  [/\bA10G?\b/, 600],
  [/\bT4\b/, 320],
  [/\bV100\b/, 900],
  [/RTX 5090\b/, 1792],
  [/RTX 4090\b/, 1008],
  [/RTX 4080\b/, 717],
  [/RTX 4070\b/, 504],
  [/RTX 3090\b/, 936],
  [/RTX 3080\b/, 760],
  [/RTX 6000 Ada\b/, 960],
  [/RTX A6000\b/, 768],
];

/** Peak bandwidth of a card by its name, GB/s; undefined for one that is not in the list. */
export function peakBandwidth(card: string): number | undefined {
  return BANDWIDTHS.find(([name]) => name.test(card))?.[1];
}

/** The rate at which a step reads its weights: GB/s, and the share of the card's, where that is known. */
export function readRate(
  { model, dtype, median }: Figure,
  card: string | undefined,
): { gbPerSecond: number; percent?: number } | undefined {
  const shape = SHAPES[model ?? ""];
  if (!shape || (dtype !== "int4" && dtype !== "fp16")) return undefined;
  const gbPerSecond = stepBytes(shape, dtype satisfies Format) / median / 1e6;
  const peak = card === undefined ? undefined : peakBandwidth(card);
  return peak === undefined ? { gbPerSecond } : { gbPerSecond, percent: 100 * gbPerSecond / peak };
}

/**
 * How often a step of what is compared with has room for one of ours, for every place where both ran: of PyTorch's
 * loop, and with ONNX Runtime of llama.cpp's engine on the same weights.
 */
export function against(figures: readonly Figure[]): Ratio[] {
  const steps = figures.filter(({ what }) => what === "step");
  const same = (a: Figure, b: Figure) =>
    (["model", "batch", "context", "method", "candidates"] as const).every((of) => a[of] === b[of]);
  const isOther = (other: Figure, own: Figure) =>
    other.device === "torch"
      ? own.device !== "torch"
      : onLlama(other.device) !== undefined && ONNX_DEVICES.includes(own.device) &&
        other.dtype === own.dtype;
  return steps.flatMap((own) => {
    const others = steps.filter((step) => isOther(step, own) && same(step, own));
    const { device, model, dtype, kv, batch, context } = own;
    return others.map((other): Ratio => ({
      ...{ kind: "ratio", what: `${other.device} / ${device}, ${stepName(own)}` },
      ...{ device, model: model!, dtype: dtype!, batch: batch!, context: context! },
      ...(kv && { kv }),
      median: other.median / own.median,
      low: other.low / own.high,
      high: other.high / own.low,
    }));
  });
}

/** What a step fed back. */
export function stepName({ method, candidates }: Pick<Figure, "method" | "candidates">): string {
  const own = method === "moi" ? "MoI" : "standard";
  return candidates === 0 ? `${own}, whole vocabulary` : `${own}, top ${candidates}`;
}

/** A line of the table. */
interface Line {
  readonly what: string;
  readonly where: string;
  readonly found: string;
  readonly detail: string;
}

const range = ({ median, low, high }: Summary, unit: string) =>
  `${digits(median)} ${unit} [${digits(low)}, ${digits(high)}]`;

function placeText({ device, model, dtype, kv, batch, context }: Partial<Place>): string {
  const formats = [dtype ?? [], kv ?? []].flat().join("/");
  return [
    device ?? [],
    [model ?? [], formats].flat().join(" ").trim() || [],
    batch === undefined ? [] : `B ${batch}`,
    context === undefined ? [] : `ctx ${context}`,
  ].flat().join(", ");
}

/** What a step says beside its time. */
function stepDetail(figure: Figure, card: string | undefined): string {
  const { batch = 1, median, js, inside = {}, processor } = figure, rate = readRate(figure, card);
  const parts = Object.entries(inside).map(([name, ms]) => `${name.slice(0, 4)} ${digits(ms)}`);
  const share = rate?.percent === undefined ? "" : ` = ${digits(rate.percent)} %`;
  return [
    `${(1e3 * batch / median).toFixed(0)} tokens/s`,
    rate === undefined ? [] : `${digits(rate.gbPerSecond)} GB/s${share}`,
    js === undefined ? [] : `ms: ${[`JS ${digits(js)}`, ...parts].join(", ")}`,
    processor === undefined ? [] : `CPU ${digits(processor)}`,
  ].flat().join(", ");
}

/** What was found as a line; facts have none. */
export function lineOf(found: Found, card?: string): Line | undefined {
  if (found.kind === "fact") return undefined;
  const where = placeText(found);
  if (found.kind === "left out") {
    return { what: found.what, where, found: "left out", detail: found.why.slice(0, 160) };
  }
  if (found.kind === "ratio") {
    return { what: found.what, where, found: range(found, "×"), detail: "" };
  }
  if (found.kind === "figure") {
    const isStep = found.what === "step";
    const what = isStep ? `step, ${stepName(found)}` : found.what;
    const detail = isStep ? stepDetail(found, card) : "";
    return { what, where, found: range(found, found.unit), detail };
  }
  const { part, what, ok, worst, limit, detail = "" } = found;
  const far = worst === undefined ? "" : `${worst.toExponential(1)} of ${limit?.toExponential(1)}`;
  const text = [far, detail].filter((part) => part !== "").join("; ");
  return { what: `${part}: ${what}`, where, found: ok ? "right" : "WRONG", detail: text };
}

export const COLUMNS: readonly Column<Line>[] = [
  { heading: "", of: "what", width: 50 },
  { heading: "where", of: "where", align: "left", width: 36 },
  { heading: "found", of: "found", align: "left", width: 24 },
  { heading: "", of: "detail", align: "left" },
];
