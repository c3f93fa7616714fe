import { assertEquals, assertThrows } from "@std/assert";
import { betaGrid, type BetaGridOptions } from "@moi/moi/study";

/** Name and knobs of a grid's methods. */
function laidOut(options?: BetaGridOptions): Record<string, object> {
  return Object.fromEntries(
    Object.entries(betaGrid(options)).map((
      [key, { name, parameters }],
    ) => [key, { name, ...parameters }]),
  );
}

Deno.test("betaGrid() has the paper's β, and the controls", () => {
  const moi = (beta: number) => ({ name: "moi", beta, preset: "paper" });
  const linear = (weight: number) => ({ name: "linearMixture", weight, prior: "sampler", topK: 0 });
  const random = (beta: number, mass = "drawn") => ({
    ...{ name: "randomMixture", beta, tokens: "uniform", mass },
  });
  const like = (matchBeta: number) => ({ name: "linearMixture", matchBeta });
  assertEquals(laidOut(), {
    "standard": { name: "standard" },
    "moi-0.25": moi(0.25),
    "moi-0.5": moi(0.5),
    "moi-1": moi(1),
    "moi-2": moi(2),
    "moi-4": moi(4),
    "moi-8": moi(8),
    "direct": { name: "directMixture", prior: "sampler", topK: 0 },
    "linear-0.25": linear(0.25),
    "linear-0.5": linear(0.5),
    "linear-0.75": linear(0.75),
    "linear-like-0.25": like(0.25),
    "linear-like-1": like(1),
    "random-0.25": random(0.25),
    "random-1": random(1),
    "random-expected-0.25": random(0.25, "expected"),
    "random-expected-1": random(1, "expected"),
  });
});

Deno.test("betaGrid() keeps standard first and the β in the order given", () => {
  const keys = Object.keys(betaGrid({ betas: [2, 0, Infinity], controls: false }));
  assertEquals(keys, ["standard", "moi-2", "moi-0", "moi-Infinity"]);
});

Deno.test("betaGrid() imitates the smallest β and 1, each once", () => {
  const random = (betas: number[]) =>
    Object.keys(betaGrid({ betas })).filter((key) => /^random-[\d.]+$/.test(key));
  assertEquals(random([4, 0.5]), ["random-0.5", "random-1"]);
  assertEquals(random([1]), ["random-1"]);
  assertEquals(random([Infinity]), ["random-1"]);
});

Deno.test("betaGrid() of a preset lays out that preset", () => {
  const { "moi-1": one } = laidOut({ betas: [1], preset: "mixinputs-0.1.1" });
  assertEquals(one, { name: "moi", beta: 1, preset: "mixinputs-0.1.1" });
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [{ betas: [] }, RangeError, "'betas' must hold different values, at least one"],
  [{ betas: [1, 2, 1] }, RangeError, "'betas' must hold different values, at least one"],
  [{ betas: [1, -1] }, RangeError, "'beta' must be a number at least 0: current value is -1"],
  [{ betas: [NaN] }, RangeError, "'beta' must be a number at least 0: current value is NaN"],
  [{ betas: ["1"] }, TypeError, `'beta' must be a number at least 0: current value is "1"`],
  [{ betas: 1 }, TypeError, "'betas' must be a list: current value is 1"],
  [{ controls: "no" }, TypeError, `'controls' must be true or false: current value is "no"`],
  [{ preset: "mine" }, RangeError, "'preset' must be 'paper' or 'mixinputs-0.1.1'"],
  [{ beta: [1] }, TypeError, "'beta' is not an option: known options are betas, preset, controls"],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`betaGrid() refuses ${Deno.inspect(options)}`, () => {
    assertThrows(() => betaGrid(options), type, sentence);
  });
}
