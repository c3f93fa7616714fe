/**
 * Words of formulas, and formulas as runs of them.
 *
 * @module
 */

import { matchAt } from "../answer/pieces.ts";
import { type Operation, TRIGONOMETRIC } from "./tree.ts";

export const FUNCTIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ...[...TRIGONOMETRIC, ...["ln", "log", "exp", "min", "max", "gcd", "lcm"] as const]
    .map((name) => [name, name] as const),
  ...[["asin", "arcsin"], ["acos", "arccos"], ["atan", "arctan"], ["lg", "log"]] as const,
  ["cis", "exp"], // of i x
]);
/** Words that stand in formulas as they are typed, longest first. */
const TYPED = [...FUNCTIONS.keys(), "sqrt", "cbrt", "abs", "floor", "ceil", "binom", "pi"]
  .sort((a, b) => b.length - a.length);

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));
export const NAMES = words(
  "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho " +
    "sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi " +
    "Omega ell hbar",
);
/** Commands that only dress what follows: a vector a is not a. */
export const DRESSES = words(
  "overline bar hat widehat tilde vec overrightarrow overleftarrow overleftrightarrow overarc " +
    "widetilde underline dot ddot",
);
/** Commands that only set what follows in another type. */
export const TYPES = words(
  "mathrm mathbf mathit boldsymbol bm rm bf mathsf mathcal text mbox textbf textrm textit",
);
/** Commands with a body that are not evaluated. */
export const BOUND = words("sum prod int iint lim oint");

export interface Token {
  readonly kind: "number" | "letter" | "word" | "command" | "mark" | "end";
  /** What it is, a command with its backslash; "" of the end. */
  readonly text: string;
  /** Whether a space stands before it. */
  readonly apart: boolean;
}

const TOKEN =
  /(?<number>\d+(?:\.\d+)?|\.\d+)|\\(?<command>[a-zA-Z]+|[^a-zA-Z])|(?<letters>[a-zA-Z]+)|(?<mark>[^\s])/y;
const EXPONENT = /[eE](?:([+-])(\d{1,6})|\d{1,6})(?![\d.a-zA-Z])/y;

/** The name of a token: that of a command is without its backslash. */
export const nameOf = ({ kind, text }: Token): string => kind === "command" ? text.slice(1) : text;

/** The tokens of a formula, the last of which is its end. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0, apart = false;
  const push = (kind: Token["kind"], own: string) => {
    tokens.push({ kind, text: own, apart });
    apart = false;
    at += own.length;
  };
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at++;
      apart = true;
      continue;
    }
    const { number, command, letters, mark } = matchAt(TOKEN, text, at)?.groups ?? {};
    if (number !== undefined) push("number", number + exponentAt(text, at + number.length, number));
    else if (command !== undefined) push("command", `\\${command}`);
    else if (letters !== undefined) {
      const known = TYPED.find((word) => letters.startsWith(word));
      // a long word that is none of ours is no product of its letters
      if (known !== undefined) push("word", known);
      else if (letters.length > 4) throw new SyntaxError(`'${letters}' is a word`);
      else push("letter", letters[0]!);
    } else if (mark !== undefined) push("mark", mark);
    else throw new SyntaxError("The formula ends within a command");
  }
  push("end", "");
  return tokens;
}

/** The exponent of 1.5e-7. In 2e-3 and 2e the letter is Euler's number. */
function exponentAt(text: string, from: number, mantissa: string): string {
  const own = matchAt(EXPONENT, text, from);
  if (!own) return "";
  const [exponent, sign, digits = ""] = own;
  return sign === undefined || mantissa.includes(".") || mantissa === "1" || digits.length > 1
    ? exponent
    : "";
}
