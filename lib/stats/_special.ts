/**
 * The special functions that the intervals and tests need, and no more: normal and Student-t
 * quantiles, and tails of the normal and of a fair binomial.
 *
 * Gamma functions enter through one quantity, the error of Stirling's formula,
 *
 *     δ(x) = ln Γ(x + 1) − (x + ½) ln x + x − ½ ln 2π,
 *
 * as in Loader (2000), "Fast and accurate computation of binomial probabilities". Differences of
 * ln Γ at large arguments lose digits (ln Γ(10⁶) ≈ 10⁷); written with δ, the large terms cancel on
 * paper instead of in floating point. Relative errors against mpmath stay below 10⁻¹²
 * (tests/stats/special_test.ts).
 *
 * @module
 */

/** δ(x), the error of Stirling's formula, for x > 0. */
export function stirlingError(x: number): number {
  let climbed = 0;
  for (; x < 16; x++) climbed += (x + 0.5) * Math.log1p(1 / x) - 1; // δ(x) − δ(x + 1)
  const r = 1 / (x * x);
  return climbed + (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / x;
}

/** ln B(a, b), the logarithm of the beta function, for a, b > 0. */
export function logBeta(a: number, b: number): number {
  if (a < b) [a, b] = [b, a];
  return 0.5 * Math.log(2 * Math.PI) - (a - 0.5) * Math.log1p(b / a) + (b - 0.5) * Math.log(b) -
    b * Math.log(a + b) + stirlingError(a) + stirlingError(b) - stirlingError(a + b);
}

/**
 * The regularised incomplete beta function I_x(a, b), with y = 1 − x given apart so that neither
 * end loses digits. Continued fraction DLMF 8.17.22, evaluated by the modified Lentz method.
 */
export function incompleteBeta(a: number, b: number, x: number, y: number): number {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(b, a, y, x);
  const logX = x < 0.5 ? Math.log(x) : Math.log1p(-y);
  const logY = y < 0.5 ? Math.log(y) : Math.log1p(-x);
  const TINY = 1e-300;
  let c = 1;
  let d = 1 / (1 - (a + b) * x / (a + 1) || TINY);
  let fraction = d;
  for (let m = 1; m < 100_000; m++) {
    const even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d || TINY);
    c = 1 + even / c || TINY;
    fraction *= c * d;
    const odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d || TINY);
    c = 1 + odd / c || TINY;
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return Math.exp(a * logX + b * logY - logBeta(a, b)) / a * fraction;
}

/** P(T > t) for t ≥ 0 and a Student-t variable T with `dof` degrees of freedom. */
export function studentTail(t: number, dof: number): number {
  const square = t * t;
  return 0.5 * incompleteBeta(dof / 2, 0.5, dof / (dof + square), square / (dof + square));
}

/** Density at t of a Student-t variable with `dof` degrees of freedom. */
export function studentDensity(t: number, dof: number): number {
  const log = -(dof + 1) / 2 * Math.log1p(t * t / dof) - logBeta(dof / 2, 0.5);
  return Math.exp(log) / Math.sqrt(dof);
}

/** P(0 < Z < z) for a standard normal Z and z ≥ 0 near 0: Taylor series. */
function normalArea(z: number): number {
  let sum = 0;
  for (let k = 1, term = z; term > 1e-17 * sum; k += 2, term *= z * z / k) sum += term;
  return normalDensity(z) * sum;
}

const normalDensity = (z: number) => Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);

/** P(Z > z) for z ≥ 0 and a standard normal Z: the series near 0, else a continued fraction. */
export function normalTail(z: number): number {
  if (z < 3) return 0.5 - normalArea(z);
  let fraction = z;
  for (let k = 60; k > 0; k--) fraction = z + k / fraction;
  return normalDensity(z) / fraction;
}

/**
 * Where a tail is as small as wanted, by Newton's method from below. A tail is convex beyond the middle,
 * so that the iterates only climb and cannot overshoot.
 *
 * @param excess How much the tail at x is too large.
 */
function climb(
  excess: (x: number) => number,
  density: (x: number) => number,
  from: number,
): number {
  let x = from;
  for (let i = 0; i < 5000; i++) {
    const step = excess(x) / density(x);
    x += step;
    if (!(step > 1e-14 * x)) break;
  }
  return x;
}

/** The t at which P(T > t) = `tail`, for 0 < tail < ½; the normal quantile lies below it. */
export function studentUpperQuantile(tail: number, dof: number): number {
  const excess = (t: number) => studentTail(t, dof) - tail;
  return climb(excess, (t) => studentDensity(t, dof), normalUpperQuantile(tail));
}

/** Student's interval of an estimate with a standard error, and the two-sided p of "it is 0". */
export function studentTest(
  estimate: number,
  error: number,
  dof: number,
  level: number,
): { readonly low: number; readonly high: number; readonly p: number } {
  const half = studentUpperQuantile((1 - level) / 2, dof) * error;
  const p = estimate === 0 ? 1 : error === 0 ? 0 : 2 * studentTail(Math.abs(estimate) / error, dof);
  return { low: estimate - half, high: estimate + half, p };
}

const polynomial = (x: number, coefficients: readonly number[]) =>
  coefficients.reduceRight((sum, c) => sum * x + c, 0);

/**
 * The z at which P(Z > z) = `tail` for a standard normal Z, 0 < tail < 1. Algorithm AS 241
 * (Wichura 1988), PPND16: relative error about 10⁻¹⁶.
 */
export function normalUpperQuantile(tail: number): number {
  const q = 0.5 - tail;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return q * polynomial(r, CENTRE[0]) / polynomial(r, CENTRE[1]);
  }
  const r = Math.sqrt(-Math.log(q > 0 ? tail : 1 - tail));
  const z = r <= 5
    ? polynomial(r - 1.6, FLANK[0]) / polynomial(r - 1.6, FLANK[1])
    : polynomial(r - 5, FAR[0]) / polynomial(r - 5, FAR[1]);
  return q > 0 ? z : -z;
}

// Numerator and denominator of AS 241, lowest power first. A few digits exceed a double's.
// deno-fmt-ignore
const CENTRE = [
  [3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
    45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727],
  [1, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077,
    21213.794301586595867, 39307.895800092710610, 28729.085735721942674, 5226.4952788528545610],
] as const;
// deno-fmt-ignore
const FLANK = [
  [1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
    1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833,
    7.74545014278341407640e-4],
  [1, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550,
    0.148103976427480074590, 0.0151986665636164571966, 5.47593808499534494600e-4,
    1.05075007164441684324e-9],
] as const;
// deno-fmt-ignore
const FAR = [
  [6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
    0.0265321895265761230930, 1.24266094738807843860e-3, 2.71155556874348757815e-5,
    2.01033439929228813265e-7],
  [1, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525,
    7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
    2.04426310338993978564e-15],
] as const;

/** P(X = k) for X the number of heads in n fair throws, for integers 0 ≤ k < n / 2. */
export function fairBinomial(k: number, n: number): number {
  if (n > 1000) return binomial(k, n, 0.5);
  let ways = 1;
  for (let i = 0; i < k; i++) ways = ways * (n - i) / (i + 1);
  return ways * 2 ** -n;
}

/** P(X ≤ k) for X the number of heads in n fair throws, for integers 0 ≤ k < n / 2. */
export function fairBinomialTail(k: number, n: number): number {
  if (n <= 1000) { // by counting: exact up to 2^53, and below overflow to here
    let sum = 1;
    for (let i = 0, ways = 1; i < k; i++) sum += ways = ways * (n - i) / (i + 1);
    return sum * 2 ** -n;
  }
  // Ratios of successive terms, from the largest (at k) downward, then one factor for all.
  let sum = 1;
  for (let i = k, term = 1; i > 0 && term > 1e-18 * sum; i--) sum += term *= i / (n - i + 1);
  return binomial(k, n, 0.5) * sum;
}

/** P(X = k) for X ~ Binomial(n, p), by Loader's saddle-point expansion. */
export function binomial(k: number, n: number, p: number): number {
  if (k === 0) return Math.exp(n * Math.log1p(-p));
  if (k === n) return p ** n;
  const log = stirlingError(n) - stirlingError(k) - stirlingError(n - k) -
    deviance(k, n * p) - deviance(n - k, n * (1 - p));
  return Math.exp(log) * Math.sqrt(n / (2 * Math.PI * k * (n - k)));
}

/** x ln(x/m) + m − x; near x = m only its series keeps digits. */
function deviance(x: number, m: number): number {
  const v = (x - m) / (x + m);
  if (Math.abs(v) > 0.1) return x * Math.log(x / m) + m - x;
  let sum = (x - m) * v;
  for (let j = 3, power = 2 * x * v ** 3; Math.abs(power / j) > 1e-17 * sum; j += 2) {
    sum += power / j;
    power *= v * v;
  }
  return sum;
}
