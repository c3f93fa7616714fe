/**
 * Small parts of the page.
 *
 * @module
 */

/** Flat fields of a method, as a request has them. */
export type Fields = Readonly<Record<string, string | number | boolean>>;

/** How a text ended. */
export interface Ended {
  readonly finishReason: "stop" | "length" | "aborted";
  readonly promptTokens: number;
  readonly tokens: number;
  readonly meanEntropy: number;
  readonly meanOffSampleMass: number;
}

/** An element with properties and contents. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Readonly<Record<string, string | boolean>> = {},
  ...contents: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...contents);
  return made;
}

/** What is typed as a value of JSON: a number, true, false, or the text. */
export function valueOf(text: string): string | number | boolean {
  const own = text.trim();
  if (own === "true" || own === "false") return own === "true";
  return own !== "" && Number.isFinite(Number(own)) ? Number(own) : own;
}

/** A method in words, as in "moi, beta 0.25". */
export function methodText({ moi_method: method, ...knobs }: Fields): string {
  const told = Object.entries(knobs).map(([field, value]) =>
    `${field.replace(/^moi_/, "").replaceAll("_", " ").replace(/^beta$/, "β")} ${value}`
  );
  return [method, ...told].join(", ").replace("Infinity", "∞");
}

/** How a text ended, in words. */
export function endText(ended: Ended): string {
  const { finishReason, promptTokens, tokens, meanEntropy, meanOffSampleMass } = ended;
  const end = finishReason === "stop"
    ? "end of text"
    : finishReason === "length"
    ? "cut"
    : "stopped";
  return `${end} after ${tokens} ${tokens === 1 ? "token" : "tokens"} (prompt ${promptTokens}); ` +
    `mean H ${meanEntropy.toFixed(3)}, mean off-sample mass ${meanOffSampleMass.toFixed(3)}`;
}
