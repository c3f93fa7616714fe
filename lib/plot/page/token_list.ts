/**
 * A text in a page, token by token: coloured by entropy, told of on hover, chosen by click or keys.
 *
 * @module
 */

import { shade, type Token, told, visible } from "./tokens.ts";

/** Options of {@linkcode tokenList}. */
export interface TokenListOptions {
  /** What the list is, for those who do not see it. */
  readonly label: string;
  /** Entropy that gets the full colour, 0 to 1. */
  readonly max: number;
  /** Called with the place of a token that is chosen. */
  readonly onSelect: (index: number) => void;
}

/** Share of the full colour from which on letters are black on dark pages, too; below they are white. */
export const HOT = 0.63;

/** A text in a page. */
export interface TokenList {
  /** What is put into the page. */
  readonly element: HTMLElement;
  /** The tokens, in their order. */
  readonly tokens: readonly Token[];
  /** Puts a token at a place, at most one beyond the last. */
  put(index: number, token: Token): void;
  /** Drops the tokens from a place on. */
  cut(length: number): void;
  /** Entropy that gets the full colour from here on; 0: no colours. */
  colour(max: number): void;
  /** Marks the token at a place, or none. */
  select(index: number | undefined): void;
  /** What is told of the token at a place. */
  told(index: number): string[];
  /** Marks tokens from a place on as another text's; none where it is undefined. */
  differFrom(index: number | undefined): void;
}

/** Makes a list of tokens, empty at first. */
export function tokenList({ label, max: full, onSelect }: TokenListOptions): TokenList {
  const element = document.createElement("div");
  element.className = "tokens";
  const tokens: Token[] = [], spans: HTMLElement[] = [];
  element.setAttribute("aria-label", label);
  /** A list without an entry is none to a screen reader. */
  const nameRole = () => {
    element.setAttribute("role", spans.length > 0 ? "listbox" : "group");
  };
  let max = full, selected: number | undefined, differs = Infinity;

  const paint = (i: number) => {
    const span = spans[i]!, { entropy } = tokens[i]!;
    const share = max > 0 ? Math.min(1, entropy / max) : 0;
    span.style.background = share > 0 ? shade(share) : "";
    span.classList.toggle("hot", share > HOT);
    span.classList.toggle("differs", i >= differs);
    span.setAttribute("aria-selected", `${i === selected}`);
    span.tabIndex = i === (selected ?? 0) ? 0 : -1;
  };
  const choose = (i: number) => {
    if (i < 0 || i >= spans.length) return;
    spans[i]!.focus();
    onSelect(i);
  };
  const at = (target: EventTarget | null) => spans.indexOf(target as HTMLElement);
  nameRole();
  element.addEventListener("click", ({ target }) => choose(at(target)));
  element.addEventListener("keydown", (event) => {
    const moves: Record<string, (i: number) => number> = {
      ArrowLeft: (i) => i - 1,
      ArrowRight: (i) => i + 1,
      Home: () => 0,
      End: () => spans.length - 1,
      Enter: (i) => i,
      " ": (i) => i,
    };
    const move = moves[event.key], i = at(event.target);
    if (!move || i < 0) return;
    event.preventDefault();
    choose(move(i));
  });
  return {
    element,
    tokens,
    put(index, token) {
      const isNew = index === spans.length,
        span = isNew ? document.createElement("span") : spans[index]!;
      span.textContent = visible(token);
      span.title = told(token).join("\n");
      span.setAttribute("role", "option");
      span.setAttribute("aria-label", `${token.name}, H ${token.entropy.toFixed(3)}`);
      tokens[index] = token;
      spans[index] = span;
      paint(index);
      if (isNew) element.append(span);
      if (index === 0) nameRole();
    },
    cut(length) {
      for (const span of spans.splice(length)) span.remove();
      tokens.length = spans.length;
      nameRole();
    },
    colour(value) {
      max = value;
      spans.forEach((_, i) => paint(i));
    },
    select(index) {
      const before = selected;
      selected = index;
      for (const i of [before ?? 0, index ?? 0]) if (spans[i]) paint(i);
    },
    told: (index) => told(tokens[index]!),
    differFrom(index) {
      const [before, now] = [differs, index ?? Infinity];
      differs = now;
      const end = Math.min(spans.length, Math.max(before, now)); // those beyond stay marked
      for (let i = Math.min(before, now); i < end; i++) paint(i);
    },
  };
}
