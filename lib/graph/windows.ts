/**
 * How far back the layers of a decoder see: all positions, or the last ones.
 *
 * @module
 */

import type { Fields } from "./fields.ts";

/** Windows of layers, in numbers of last positions; undefined where a layer sees all. */
export type Windows = readonly (number | undefined)[];

const FULL = "full_attention", SLIDING = "sliding_attention";

/** The window of a config that leaves one of 4096 out; null is none. */
const windowOf = (f: Fields) => f.has("sliding_window") ? f.optionalSize("sliding_window") : 4096;

/** The same window in all layers, as Mistral configs give it. */
export function sameWindows(f: Fields, layers: number): Windows {
  return Array(layers).fill(windowOf(f));
}

/** Windows as Gemma 3 configs give them: in the layers that `layer_types` names, else all but each sixth. */
export function windowsByPattern(f: Fields, layers: number): Windows {
  const window = windowOf(f), old = f.optionalSize("sliding_window_pattern") ?? 6;
  const pattern = f.optionalSize("_sliding_window_pattern") ?? old;
  const sliding = slidingLayers(f, layers) ??
    Array.from({ length: layers }, (_, i) => (i + 1) % pattern !== 0);
  if (window === undefined && sliding.includes(true)) {
    f.refuse("sliding_window", "be an integer for layers of sliding_attention", null);
  }
  return sliding.map((isSliding) => isSliding ? window : undefined);
}

/** Which layers `layer_types` gives the window to, or undefined where the config has no such list. */
function slidingLayers(f: Fields, layers: number): boolean[] | undefined {
  const types = f.take("layer_types");
  if (types === undefined) return undefined;
  const valid = Array.isArray(types) && types.length === layers &&
    types.every((type) => type === FULL || type === SLIDING);
  const rule = `be a list of ${layers} times ${FULL} or ${SLIDING}`;
  return valid ? types.map((type) => type === SLIDING) : f.refuse("layer_types", rule, types);
}

/**
 * Windows as Qwen2 and Qwen3 configs give them: none unless `use_sliding_window`; then in the layers that
 * `layer_types` names, or from layer `max_window_layers` on.
 */
export function windowsOf(f: Fields, layers: number): Windows {
  const isUsed = f.flag("use_sliding_window");
  f.skip("sliding_window", "max_window_layers");
  const window = isUsed ? f.optionalSize("sliding_window") : undefined;
  const first = isUsed ? f.size("max_window_layers", { min: 0 }) : layers;
  const sliding = slidingLayers(f, layers);
  if (window === undefined && sliding?.includes(true)) {
    const rule = "hold only full_attention without a sliding window";
    f.refuse("layer_types", rule, f.take("layer_types"));
  }
  const isSliding = (layer: number) => sliding?.[layer] ?? layer >= first;
  return Array.from({ length: layers }, (_, i) => isSliding(i) ? window : undefined);
}
