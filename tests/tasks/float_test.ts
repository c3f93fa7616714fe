import { assertEquals, assertThrows } from "@std/assert";
import {
  arithmetic,
  bits,
  type Complex,
  integerRoot,
  NoValue,
  type Real,
  toNumber,
} from "../../lib/tasks/math/float.ts";

const F = arithmetic(256);
const over = (n: number, d: number) => F.divide(F.integer(n), F.integer(d));
const complex = (re: number, im: number) => F.add(F.integer(re), F.multiply(F.i, F.integer(im)));

/** A real number to 60 digits after the point. */
function digits({ m, e }: Real): string {
  const scaled = m * 10n ** 60n, half = e < 0 ? 1n << BigInt(-e - 1) : 0n;
  const n = e < 0 ? (scaled + half) >> BigInt(-e) : scaled << BigInt(e);
  const text = `${n < 0n ? -n : n}`.padStart(61, "0");
  return `${n < 0n ? "-" : ""}${text.slice(0, -60)}.${text.slice(-60)}`;
}

/** Values of mpmath at 75 digits. */
const VALUES: readonly [string, Complex, string, string?][] = [
  ["π", F.pi, "3.1415926535897932384626433832795028841971693993751058209749445923"],
  [
    "exp(7/3)",
    F.exp(over(7, 3)),
    "10.312258501325765027015572108537296976210347327600828723392693846",
  ],
  [
    "ln(7/3)",
    F.ln(over(7, 3)),
    "0.8472978603872036137101075065206540249895941717591117367246958163",
  ],
  [
    "sin(7/3)",
    F.circle(over(7, 3)).sin,
    "0.72308588173832461679788792861636732638014347040866769304437585552",
  ],
  [
    "cos(7/3)",
    F.circle(over(7, 3)).cos,
    "-0.69075813974987629272797169475634878701002748643361818981996484301",
  ],
  [
    "arctan(7/3)",
    F.onAxis(F.arctan(over(7, 3))),
    "1.1659045405098131959192487626303088255466980635018772928200417704",
  ],
  [
    "arcsin(1/3)",
    F.onAxis(F.arcsin(over(1, 3))),
    "0.33983690945412193709639251339176406638824469033245807143192396249",
  ],
  [
    "sin(10^30)",
    F.circle(F.real({ m: 10n ** 30n, e: 0 })).sin,
    "-0.09011690191213805803038642895298733027439633299304344988546066658",
  ],
  [
    "ln(-2)",
    F.ln(F.integer(-2)),
    "0.69314718055994530941723212145817656807550013436025525412068000949",
    "3.1415926535897932384626433832795028841971693993751058209749445923",
  ],
  [
    "sqrt(-1-2i)",
    F.sqrt(complex(-1, -2)),
    "0.7861513777574232860695585858429589295231220578377232376649019701",
    "-1.2720196495140689642524224617374914917156080418400962486166403825",
  ],
  [
    "(-2)^(1/3)",
    F.power(F.integer(-2), over(1, 3)),
    "0.62996052494743658238360530363911417528512573235075399004098755608",
    "1.0911236359717214035600726141898088813258733387403009407036410732",
  ],
  [
    "exp(1+2i)",
    F.exp(complex(1, 2)),
    "-1.1312043837568136384312552555107947106288679958265257502177219104",
    "2.4717266720048189276169308935516645327361903692410081842007588353",
  ],
  [
    "arctan(2+i)",
    F.arctan(complex(2, 1)),
    "1.1780972450961724644234912687298135815739385247656646828656042221",
    "0.17328679513998632735430803036454414201887503359006381353017000237",
  ],
];

for (const [name, value, re, im] of VALUES) {
  Deno.test(`arithmetic() gives 55 digits of ${name}`, () => {
    const near = (own: string) => own.slice(0, own.indexOf(".") + 56);
    assertEquals(near(digits(value.re)), near(re));
    assertEquals(near(digits(value.im)), near(im ?? digits({ m: 0n, e: 0 })));
  });
}

Deno.test("bits() and integerRoot() are exact", () => {
  assertEquals([0n, 1n, 2n, 255n, 256n, -256n, 1n << 1000n].map(bits), [0, 1, 2, 8, 9, 9, 1001]);
  for (const n of [0n, 1n, 2n, 3n, 4n, 8n, 9n, 15n, 16n, 10n ** 40n - 1n, 10n ** 40n]) {
    const root = integerRoot(n);
    assertEquals([root * root <= n, (root + 1n) ** 2n > n], [true, true], `${n}`);
  }
});

Deno.test("what has no value, or none that can be had, is NoValue", () => {
  const hopeless = [
    () => F.divide(F.integer(1), F.integer(0)),
    () => F.ln(F.integer(0)),
    () => F.power(F.integer(0), F.integer(-1)),
    () => F.exp(F.real({ m: 1n, e: 60 })),
    () => F.circle(F.real({ m: 1n, e: 10_000 })).sin,
  ];
  for (const compute of hopeless) assertThrows(compute, NoValue);
});

Deno.test("toNumber() is the double", () => {
  assertEquals(toNumber(F.pi.re), Math.PI);
  assertEquals(toNumber(over(-1, 4).re), -0.25);
  assertEquals(toNumber({ m: 1n, e: 5000 }), Infinity);
  assertEquals(toNumber({ m: 0n, e: 0 }), 0);
});
