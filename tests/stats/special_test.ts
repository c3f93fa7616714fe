import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  fairBinomialTail,
  incompleteBeta,
  logBeta,
  normalTail,
  normalUpperQuantile,
  stirlingError,
  studentTail,
  studentUpperQuantile,
} from "../../lib/stats/_special.ts";

// Expected values: mpmath 1.3, 60 digits (loggamma, erfinv, betainc with findroot).

function assertClose(actual: number, expected: number, relative: number) {
  assertAlmostEquals(actual, expected, Math.abs(expected) * relative);
}

// deno-fmt-ignore
const STUDENT = [ // degrees of freedom, upper tail, t
  [1, 0.25, 1.0],
  [1, 0.025, 12.706204736174704],
  [1, 0.0005, 636.6192487687196],
  [2, 0.25, 0.81649658092772603],
  [2, 0.025, 4.3026527297494637],
  [2, 0.0005, 31.59905457644362],
  [5, 0.25, 0.72668684380042265],
  [5, 0.025, 2.5705818356363155],
  [5, 0.0005, 6.8688266258811102],
  [29, 0.25, 0.68304386082161315],
  [29, 0.025, 2.0452296421327043],
  [29, 0.0005, 3.6594050194663328],
  [99, 0.25, 0.67697598554615263],
  [99, 0.025, 1.9842169515864175],
  [99, 0.0005, 3.3915288333636506],
  [1999, 0.25, 0.67461249891532207],
  [1999, 0.025, 1.961151420170562],
  [1999, 0.0005, 3.2954005769273776],
  [50000, 0.25, 0.67449465692640067],
  [50000, 0.025, 1.9600114310936801],
  [50000, 0.0005, 3.2907213365587937],
] as const;

Deno.test("studentUpperQuantile() agrees with mpmath", () => {
  for (const [dof, tail, t] of STUDENT) assertClose(studentUpperQuantile(tail, dof), t, 5e-13);
});

Deno.test("studentTail() undoes studentUpperQuantile(), far out too", () => {
  for (const dof of [1, 4, 30, 999, 1e6]) {
    for (const tail of [0.4, 0.1, 1e-3, 1e-9, 1e-15]) {
      assertClose(studentTail(studentUpperQuantile(tail, dof), dof), tail, 1e-10);
    }
  }
});

// deno-fmt-ignore
const NORMAL = [ // upper tail, z
  [0.9, -1.2815515655446006],
  [0.5001, -0.00025066283008800749],
  [0.4, 0.25334710313579974],
  [0.2, 0.84162123357291417],
  [0.1, 1.2815515655446004],
  [0.075, 1.4395314709384559],
  [0.05, 1.6448536269514727],
  [0.025, 1.9599639845400542],
  [0.005, 2.5758293035489008],
  [0.0025, 2.8070337683438041],
  [0.0001, 3.7190164854556806],
  [1e-08, 5.6120012441747887],
  [1e-12, 7.0344838253011319],
  [1e-20, 9.2623400897984076],
] as const;

Deno.test("normalUpperQuantile() agrees with mpmath", () => {
  for (const [tail, z] of NORMAL) assertClose(normalUpperQuantile(tail), z, 1e-12);
});

Deno.test("normalTail() agrees with scipy, and undoes normalUpperQuantile()", () => {
  // deno-fmt-ignore
  const golden = [
    [0, 0.5], [0.1, 0.460172162722971], [1, 0.15865525393145707], [1.96, 0.024997895148220435],
    [2.9, 0.0018658133003840375], [3.1, 0.0009676032132183563], [5, 2.866515718791933e-07],
    [8, 6.22096057427174e-16], [20, 2.7536241186061556e-89],
  ] as const;
  for (const [z, tail] of golden) assertClose(normalTail(z), tail, 1e-12);
  for (let z = 0.05; z < 12; z += 0.05) assertClose(normalUpperQuantile(normalTail(z)), z, 1e-12);
});

Deno.test("normalUpperQuantile() is odd around one half", () => {
  assertEquals(normalUpperQuantile(0.5), 0);
  for (const tail of [0.45, 0.2, 0.01]) {
    assertClose(normalUpperQuantile(1 - tail), -normalUpperQuantile(tail), 1e-14);
  }
});

// deno-fmt-ignore
const STIRLING = [ // x, δ(x)
  [0.5, 0.15342640972002735],
  [1.0, 0.081061466795327258],
  [1.5, 0.054814121051917654],
  [2.0, 0.041340695955409294],
  [7.5, 0.011104559758206917],
  [15.5, 0.0053755990329268345],
  [16.0, 0.0052076559196096404],
  [49.5, 0.0016834787837236084],
  [1000.0, 8.3333330555556349e-5],
  [1000000.0, 8.3333333333330556e-8],
] as const;

Deno.test("stirlingError() agrees with mpmath", () => {
  for (const [x, delta] of STIRLING) assertClose(stirlingError(x), delta, 1e-12);
});

Deno.test("logBeta() is symmetric and knows B(½, ½) = π and B(2, 3) = 1/12", () => {
  assertClose(logBeta(0.5, 0.5), Math.log(Math.PI), 1e-14);
  assertClose(logBeta(2, 3), -Math.log(12), 1e-14);
  assertEquals(logBeta(7, 0.5), logBeta(0.5, 7));
});

Deno.test("incompleteBeta() has its closed forms and its reflection", () => {
  for (const x of [0, 0.01, 0.3, 0.5, 0.9, 1]) {
    assertClose(incompleteBeta(1, 1, x, 1 - x), x, 1e-14);
    assertClose(incompleteBeta(3, 1, x, 1 - x), x ** 3, 1e-13);
    const sum = incompleteBeta(2.5, 40, x, 1 - x) + incompleteBeta(40, 2.5, 1 - x, x);
    assertClose(sum, 1, 1e-14);
  }
});

Deno.test("fairBinomialTail() does not jump where counting ends", () => {
  // P(X ≤ k; n + 1) = P(X ≤ k; n) − ½ P(X = k; n), across n = 1000.
  for (const k of [0, 100, 450, 499]) {
    const point = fairBinomialTail(k, 1000) - (k > 0 ? fairBinomialTail(k - 1, 1000) : 0);
    assertClose(fairBinomialTail(k, 1001), fairBinomialTail(k, 1000) - point / 2, 1e-11);
  }
  assert(fairBinomialTail(0, 1001) > 0);
});
