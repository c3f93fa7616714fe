/**
 * What was fed back after a token, in words and as bars.
 *
 * @module
 */

import type { Named, Token } from "../../plot/page/tokens.ts";
import { element } from "./parts.ts";

/** A bar with its number; a number that is not told has none. */
function bar(value: number | undefined, kind: string): HTMLElement {
  if (value === undefined) return element("span", { className: "muted" }, "–");
  const own = element("i");
  own.style.width = `${Math.max(0, Math.min(1, value)) * 100}%`;
  return element("span", { className: `bar ${kind}` }, value.toFixed(3), own);
}

/** What was fed back, in words. */
function sentence({ name, probability, mixture = [] }: Token): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const told = mixture.filter(([, weight]) => weight >= 0.0005);
  const rest = told.reduce((left, [, weight]) => left - weight, 1);
  const parts = told.map(([other, weight]) => `${percent(weight)} ${other}`);
  if (rest >= 0.0005) parts.push(`${percent(rest)} others`);
  return `sampled ${name}${probability === undefined ? "" : ` (p ${probability.toFixed(3)})`}; ` +
    `fed back ${parts.join(", ")}`;
}

/** Tokens that are candidates or mixed, with both numbers, the most probable first. */
function rowsOf({ name, probability, candidates = [], mixture = [] }: Token) {
  const probabilities = new Map<string, number>(candidates as Named[]);
  if (probability !== undefined) probabilities.set(name, probability);
  const weights = new Map<string, number>(mixture as Named[]);
  return [...new Set([...probabilities.keys(), ...weights.keys()])]
    .map((one) => ({ one, p: probabilities.get(one), weight: weights.get(one) }))
    .sort((a, b) => (b.p ?? 0) - (a.p ?? 0) || (b.weight ?? 0) - (a.weight ?? 0));
}

/** A token that is chosen. */
export interface Chosen {
  /** Name of its side. */
  readonly side: string;
  readonly index: number;
  readonly token: Token;
  /** The method that made what was fed, in words. */
  readonly method: string;
}

/** Fills the part of the page that tells of a token. */
export function showDetail(place: HTMLElement, { side, index, token, method }: Chosen): void {
  const { entropy, offSampleMass = 0, norm, event, end } = token;
  const facts = [
    method,
    `H = ${entropy.toFixed(3)}`,
    `off-sample mass ${offSampleMass.toFixed(3)}`,
    ...(norm === undefined ? [] : [`length ${norm.toFixed(3)} of the token's own embedding`]),
    ...(event === undefined ? [] : [event]),
    ...(end ? ["the text ends here: nothing was fed"] : []),
  ];
  const head = element(
    "tr",
    {},
    ...["token", "probability", "weight in what was fed"].map((text) => {
      const cell = element("th", {}, text);
      cell.scope = "col";
      return cell;
    }),
  );
  const rows = rowsOf(token).map(({ one, p, weight }) =>
    element(
      "tr",
      { className: one === token.name ? "sampled" : "" },
      element("td", {}, one),
      element("td", {}, bar(p, "probability")),
      element("td", {}, bar(weight, "weight")),
    )
  );
  place.replaceChildren(
    element("h2", {}, `Token ${index} of the answer ${side}`),
    element("p", {}, sentence(token)),
    element("p", { className: "muted" }, facts.join(" · ")),
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)),
  );
}
