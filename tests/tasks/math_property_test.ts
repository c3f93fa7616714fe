import { assertEquals } from "@std/assert";
import { type Random, seededRandom } from "../../lib/tasks/_random.ts";
import { mathEqual } from "../../lib/tasks/mod.ts";

/** An integer of at most so many digits, not 0. */
function integer(random: Random, digits: number): bigint {
  const length = 1 + random.below(digits);
  let text = String(1 + random.below(9));
  while (text.length < length) text += random.below(10);
  return random.below(2) === 0 ? BigInt(text) : -BigInt(text);
}

const small = (random: Random) => 1 + random.below(9);
const positive = (n: bigint) => n < 0n ? -n : n;
const fraction = (n: bigint, d: bigint) =>
  `${n < 0n !== d < 0n ? "-" : ""}\\frac{${positive(n)}}{${positive(d)}}`;
const grouped = (n: bigint) => `${n}`.replace(/\B(?=(\d{3})+$)/g, ",");
/** 3x^{2}-x+5, of coefficients from the highest on. */
function polynomial(coefficients: readonly bigint[], name = "x"): string {
  const degree = coefficients.length - 1;
  return coefficients.map((c, i) => `${c < 0n ? "-" : "+"}${positive(c)}${name}^{${degree - i}}`)
    .join("");
}
const scaled = (by: bigint, coefficients: readonly bigint[]) => coefficients.map((c) => by * c);
function times(a: readonly bigint[], b: readonly bigint[]): bigint[] {
  const product = Array<bigint>(a.length + b.length - 1).fill(0n);
  a.forEach((x, i) => b.forEach((y, j) => product[i + j]! += x * y));
  return product;
}
const two = <T>(draw: () => T): [T, T] => {
  const first = draw();
  let second = draw();
  while (second === first) second = draw();
  return [first, second];
};

/** What makes two answers that differ, by kind. */
const DIFFERENT: Readonly<Record<string, (random: Random) => [string, string]>> = {
  "integers": (random) => two(() => integer(random, 300)).map(String) as [string, string],
  "neighbours": (random) => {
    const n = integer(random, 300);
    return [`${n}`, `${n + 1n}`];
  },
  "fractions with one numerator": (random) => {
    const n = integer(random, 60), [a, b] = two(() => positive(integer(random, 60)));
    return [fraction(n, a), fraction(n, b)];
  },
  "fractions that nearly meet": (random) => {
    const d = positive(integer(random, 80)) + 1n, n = integer(random, 80);
    return [fraction(n, d), fraction(n * (d + 1n) + 1n, d * (d + 1n))]; // n/d + 1/(d (d + 1))
  },
  "decimals of one length": (random) => {
    const places = 1 + random.below(30),
      n = integer(random, 20),
      whole = positive(integer(random, 20));
    const digits = (m: bigint) => `${positive(m)}`.padStart(places, "0").slice(-places);
    return [`${whole}.${digits(n)}`, `${whole}.${digits(n + 1n)}`];
  },
  "decimals of two lengths": (random) => {
    const n = positive(integer(random, 12)), last = small(random);
    return [`0.${n}`, `0.${n}${last}`];
  },
  "powers": (random) => {
    const base = 2 + random.below(98), [a, b] = two(() => 1 + random.below(100_000));
    return [`${base}^{${a}}`, `${base}^{${b}}`];
  },
  "powers beyond all bounds": (random) => {
    const base = 2 + random.below(98), [a, b] = two(() => positive(integer(random, 40)));
    return [`${base}^{${a}}`, `${base}^{${b}}`];
  },
  "powers and their neighbours": (random) => {
    const power = `${2 + random.below(98)}^{${positive(integer(random, 12)) + 10n}}`;
    return [power, `${power}${random.pick(["+", "-"])}${small(random)}`];
  },
  "factorials": (random) => {
    const n = 2 + random.below(20_000);
    return [`${n}!`, random.pick([`${n + 1}!`, `${n}!+1`, `${n}!-1`])];
  },
  "surds": (random) => {
    const [a, b] = two(() => positive(integer(random, 30)) + 1n);
    return [`\\sqrt{${a}}`, `\\sqrt{${b}}`];
  },
  "surds and their squares' neighbours": (random) => {
    const n = positive(integer(random, 20));
    return [`\\sqrt{${n * n + 1n}}`, `${n}`];
  },
  "sums of surds": (random) => {
    const [a, b] = two(() => `\\sqrt{${random.pick([2, 3, 5, 7, 11, 13])}}`),
      n = integer(random, 6);
    return [`${a}+${n}${b}`, `${a}+${n + 1n}${b}`];
  },
  "surds and what they round to": (random) => {
    const n = 2n + positive(integer(random, 6)), root = Math.sqrt(Number(n));
    const digits = root.toFixed(8).replace(/\d$/, (last) => String((Number(last) + 2) % 10));
    return [`\\sqrt{${Number.isInteger(root) ? n + 1n : n}}`, digits];
  },
  "multiples of π": (random) => {
    const [a, b] = two(() => integer(random, 40));
    return [`${a}\\pi`, `${b}\\pi`];
  },
  "logarithms": (random) => {
    const [a, b] = two(() => positive(integer(random, 40)) + 1n);
    return [`\\ln ${a}`, `\\ln ${b}`];
  },
  "complex numbers": (random) => {
    const re = integer(random, 20), [a, b] = two(() => integer(random, 20));
    return [`${re}${a < 0n ? "" : "+"}${a}i`, `${re}${b < 0n ? "" : "+"}${b}i`];
  },
  "polynomials": (random) => {
    const own = Array.from({ length: 2 + random.below(8) }, () => integer(random, 12));
    const at = random.below(own.length), other = own.with(at, own[at]! + integer(random, 3));
    return [polynomial(own), polynomial(other)];
  },
  "names": (random) => {
    const [a, b] = two(() => random.pick([..."abcdkmnprstuvwxyz"])), n = integer(random, 9);
    return [`${n}${a}`, `${n}${b}`];
  },
  "assignments": (random) => {
    const [a, b] = two(() => integer(random, 9));
    return random.pick([
      [`x=${a}`, `y=${a}`],
      [`x=${a},y=${b}`, `x=${b},y=${a}`],
      [`(x,y)=(${a},${b})`, `(x,y)=(${b},${a})`],
    ]) as [string, string];
  },
  "sets": (random) => {
    const own = [1n, 2n, 3n].map((k) => 4n * integer(random, 20) + k), at = random.below(3);
    return [
      `\\{${own.join()}\\}`,
      `\\{${own.with(at, own[at]! + 4n * integer(random, 2)).join()}\\}`,
    ];
  },
  "intervals": (random) => {
    const low = integer(random, 20), high = low + positive(integer(random, 20)) + 1n;
    const [a, b] = two(() => random.pick(["()", "(]", "[)", "[]"]));
    return random.pick([
      [`${a[0]}${low},${high}${a[1]}`, `${b[0]}${low},${high}${b[1]}`],
      [`[${low},${high}]`, `[${low},${high + 1n}]`],
      [`x>${low}`, `x\\ge ${low}`],
      [`x>${low}`, `x>${low - 1n}`],
      [`x\\ne ${low}`, `(-\\infty,${low})\\cup(${high},\\infty)`],
    ]) as [string, string];
  },
  "percent": (random) => {
    const [a, b] = two(() => positive(integer(random, 6)));
    return [`${a}\\%`, `${b}\\%`];
  },
};

/** What rewrites an answer, by kind. */
const SAME: Readonly<Record<string, (random: Random) => [string, string]>> = {
  "integers with separators": (random) => {
    const n = integer(random, 300);
    return [
      `${n}`,
      random.pick([grouped(n), `${n}.0`, `${n}.`, grouped(n).replaceAll(",", "{,}")]),
    ];
  },
  "fractions not in lowest terms": (random) => {
    const n = integer(random, 60),
      d = positive(integer(random, 60)),
      by = positive(integer(random, 60));
    return [fraction(n, d), random.pick([fraction(n * by, d * by), `${n * by}/${d * by}`])];
  },
  "mixed numbers": (random) => {
    const d = BigInt(2 + random.below(98)), n = BigInt(1 + random.below(Number(d) - 1));
    const whole = positive(integer(random, 20)), sign = random.pick(["", "-"]);
    const mixed = random.pick([`${whole}\\frac{${n}}{${d}}`, `${whole} ${n}/${d}`]);
    return [sign + mixed, `${sign}\\frac{${whole * d + n}}{${d}}`];
  },
  "decimals as fractions": (random) => {
    const n = integer(random, 30), places = 1 + random.below(30);
    const text = `${positive(n)}`.padStart(places + 1, "0"), at = text.length - places;
    const decimal = `${n < 0n ? "-" : ""}${text.slice(0, at)}.${text.slice(at)}`;
    return [decimal, fraction(n, 10n ** BigInt(places))];
  },
  "rounded decimals": (random) => {
    const n = positive(integer(random, 4)), d = BigInt(random.pick([3, 7, 9, 11, 13, 17]));
    return [fraction(n * d + 1n, d), (Number(n * d + 1n) / Number(d)).toFixed(7)];
  },
  "powers": (random) => {
    const base = BigInt(2 + random.below(98)), n = positive(integer(random, 30));
    return [`${base}^{${2n * n}}`, `${base * base}^{${n}}`];
  },
  "differences of powers": (random) => {
    const base = 2 + random.below(98), n = positive(integer(random, 30)) + 1n;
    return [`${base}^{${n}}-${base}^{${n - 1n}}`, `${base - 1}\\cdot ${base}^{${n - 1n}}`];
  },
  "factorials": (random) => {
    const n = 2 + random.below(3000);
    return [`\\frac{${n}!}{${n - 1}!}`, `${n}`];
  },
  "surds": (random) => {
    const a = positive(integer(random, 30)), n = random.pick([2n, 3n, 5n, 7n, 11n]);
    return [
      `\\sqrt{${a * a * n}}`,
      random.pick([`${a}\\sqrt{${n}}`, `\\frac{${a * n}}{\\sqrt{${n}}}`]),
    ];
  },
  "nested surds": (random) => {
    const [a, b] = two(() => positive(integer(random, 8)));
    return [`\\sqrt{${a + b}+2\\sqrt{${a * b}}}`, `\\sqrt{${a}}+\\sqrt{${b}}`];
  },
  "rational denominators": (random) => {
    const a = positive(integer(random, 8)) + 1n, b = BigInt(random.pick([2, 3, 5, 7]));
    return [`\\frac{1}{${a}+\\sqrt{${b}}}`, `\\frac{${a}-\\sqrt{${b}}}{${a * a - b}}`].map((own) =>
      own.replace("{-", "{-")
    ) as [string, string];
  },
  "logarithms": (random) => {
    const a = 2 + random.below(98), n = 2 + random.below(98);
    return [`\\ln ${BigInt(a) ** BigInt(n)}`, `${n}\\ln ${a}`];
  },
  "squares of complex numbers": (random) => {
    const [a, b] = [positive(integer(random, 20)), positive(integer(random, 20))];
    return [`(${a}+${b}i)^2`, `${a * a - b * b}+${2n * a * b}i`];
  },
  "products of polynomials": (random) => {
    const draw = () => Array.from({ length: 2 + random.below(3) }, () => integer(random, 6));
    const [a, b] = [draw(), draw()];
    return [`(${polynomial(a)})(${polynomial(b)})`, polynomial(times(a, b))];
  },
  "equations by a factor": (random) => {
    const own = Array.from({ length: 3 }, () => integer(random, 6)), by = integer(random, 4);
    return [`y=${polynomial(own)}`, `${by}y=${polynomial(scaled(by, own))}`];
  },
  "lists in another order": (random) => {
    const own = Array.from({ length: 2 + random.below(6) }, () => integer(random, 20));
    return [own.join(", "), random.shuffled(own).join(", ")];
  },
  "sets of solutions": (random) => {
    const [a, b] = two(() => integer(random, 20));
    return [`x=${a} \\text{ or } x=${b}`, random.pick([`\\{${b},${a}\\}`, `${b}, ${a}`])];
  },
  "assignments": (random) => {
    const [a, b] = two(() => integer(random, 20));
    return [`x=${a}, y=${b}`, random.pick([`y=${b}, x=${a}`, `(${a}, ${b})`, `(y,x)=(${b},${a})`])];
  },
  "unions in pieces": (random) => {
    const a = integer(random, 20), b = a + positive(integer(random, 20));
    const c = b + positive(integer(random, 20));
    return [`[${a},${b}]\\cup[${b},${c})`, `[${a},${c})`];
  },
  "inequalities": (random) => {
    const a = integer(random, 20), by = positive(integer(random, 6));
    return random.pick([
      [`x<${a}`, `(-\\infty,${a})`],
      [`-${by}x\\le ${-by * a}`, `[${a},\\infty)`],
      [`x\\ne ${a}`, `\\mathbb{R}\\setminus\\{${a}\\}`],
    ]) as [string, string];
  },
};

for (const [kind, draw] of Object.entries(DIFFERENT)) {
  Deno.test(`answers that differ are never equal: ${kind}`, () => {
    const random = seededRandom(20_251_127);
    for (let i = 0; i < 60; i++) {
      const [a, b] = draw(random);
      assertEquals([a, b, mathEqual(a, b), mathEqual(b, a)], [a, b, false, false]);
    }
  });
}

for (const [kind, draw] of Object.entries(SAME)) {
  Deno.test(`an answer rewritten is equal: ${kind}`, () => {
    const random = seededRandom(20_251_128);
    for (let i = 0; i < 60; i++) {
      const [a, b] = draw(random);
      assertEquals([a, b, mathEqual(a, b), mathEqual(b, a)], [a, b, true, true]);
    }
  });
}

Deno.test("no text makes it throw, and it is the same either way round", () => {
  const random = seededRandom(7);
  const pieces = [
    ...String
      .raw`\frac \sqrt { } ( ) [ ] ^ _ 1 23 0 x y i e \pi \infty + - / \cdot ! | \pm \mp = < > \le`
      .split(" "),
    ...String
      .raw`\ne , ; : \{ \} \cup \cap \setminus \mathbb{R} \in \sin \log_ \ln \text{ \\ & . % ^\circ`
      .split(" "),
    ...String
      .raw`\binom f( and or \overline \sum_ $ \boxed{ ' \arctan \lfloor \rfloor 9^{9^{9}} 99999!`
      .split(" "),
    ...[
      "\\begin{pmatrix}",
      "\\end{pmatrix}",
      " ",
      "\ud800",
      "\u0000",
      "0.(3)",
      "2516_8",
      "10^{999999}",
    ],
  ];
  const draw = () =>
    Array.from({ length: 1 + random.below(20) }, () => random.pick(pieces)).join("");
  for (let i = 0; i < 3000; i++) {
    const a = draw(), b = random.below(3) === 0 ? `${a} ` : draw();
    assertEquals([a, b, mathEqual(a, b)], [a, b, mathEqual(b, a)]);
  }
});
