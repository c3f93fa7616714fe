import type { Gguf } from "./parse.ts";
/** Stand-in until the helper's rules are merged. */
export function checkSound(_gguf: Gguf): void {}
