import { assert, assertEquals, assertThrows } from "@std/assert";
import { joinStudies, partialOf, type Run, withPlanned } from "@moi/moi/study";
import { gains } from "@moi/moi/stats";

/** Runs of one method at a temperature. */
function runsOf(
  method: string,
  temperature: number,
  { problems = 4, repeats = 2, ...more }: Partial<Run> & { problems?: number; repeats?: number } =
    {},
): Run[] {
  return Array.from(
    { length: problems },
    (_, i) =>
      Array.from({ length: repeats }, (_, repeat): Run => ({
        ...{ study: `${method} at ${temperature}`, model: "m@0", device: "cpu", dtype: "fp32" },
        ...{ task: "t", problem: `p${i}`, method, parameters: { name: "standard" }, repeat },
        ...{ studySeed: 0, seed: i, prompt: `q${i}`, promptTokens: 1, tokens: [1], text: "" },
        sampler: { temperature, topK: 0, topP: 1, minP: 0, maxNewTokens: 1 },
        ...{ finishReason: "stop", grade: { correct: i % 2 === 0, extracted: null } },
        mixing: { meanEntropy: 0, meanOffSampleMass: 0 },
        timing: { prefillMs: 0, decodeMs: 0 },
        versions: {},
        ...more,
      })),
  ).flat();
}

Deno.test("joinStudies() puts other temperatures into one table", () => {
  const runs = joinStudies([runsOf("standard", 1), runsOf("cold", 0.3), []]);
  assertEquals(new Set(runs.map(({ study }) => study)).size, 1);
  assertEquals(gains(runs).map(({ method, n }) => [method, n]), [["standard", 8], ["cold", 8]]);
  assertEquals(runs.map(({ sampler }) => sampler.temperature).slice(7, 9), [1, 0.3]);
});

Deno.test("joinStudies() lets one repeat of greedy decoding stand for all", () => {
  const runs = joinStudies([runsOf("standard", 1), runsOf("greedy", 0, { repeats: 1 })]);
  assertEquals(gains(runs)[1]!.repeats, 2);
  const cold = [runsOf("standard", 1), runsOf("cold", 0.3, { repeats: 1 })];
  assertThrows(() => gains(joinStudies(cold)), RangeError, "same problems and repeats");
});

Deno.test("joinStudies() keeps the problems that all have, and what the first declares", () => {
  const main = runsOf("standard", 1, { primary: "cold" });
  const runs = joinStudies([main, runsOf("cold", 0.3, { problems: 3 })]);
  assertEquals(new Set(runs.map(({ problem }) => problem)).size, 3);
  assertEquals(gains(runs)[1]!.isPrimary, true);
  assert(!("primary" in joinStudies([runsOf("standard", 1)])[0]!));
});

Deno.test("joinStudies() of a study that was stopped is partial, and so are its rows", () => {
  const planned = { problems: 4, methods: ["standard"], repeats: 2, runs: 8 };
  const main = withPlanned(runsOf("standard", 1), planned);
  const cold = withPlanned(runsOf("cold", 0.3).slice(0, 3), { ...planned, methods: ["cold"] });
  assertEquals(partialOf(joinStudies([main, cold])), { finished: 7, planned: 16 });
  const [row] = gains(joinStudies([main, cold])); // of the one problem that both have finished
  assertEquals([row!.problems, row!.partial], [1, { finished: 7, planned: 16 }]);
  const none = withPlanned([] as Run[], { ...planned, methods: ["cold"] });
  assertEquals(partialOf(joinStudies([main, none])), { finished: 8, planned: 16 });
  assertEquals(gains(joinStudies([none, none])), []);
  const whole = withPlanned(runsOf("cold", 0.3), { ...planned, methods: ["cold"] });
  assertEquals(partialOf(joinStudies([main, whole])), undefined);
});

Deno.test("joinStudies() refuses what must not stand in one table", () => {
  const main = runsOf("standard", 1);
  const refused = (other: Run[], message: string) =>
    assertThrows(() => joinStudies([main, other]), RangeError, message);
  refused(runsOf("standard", 0.3), `two of them have a method "standard"`);
  refused(runsOf("cold", 0.3, { model: "n@1" }), "the same model");
  refused(runsOf("cold", 0.3, { task: "u" }), "the same task");
  refused(runsOf("cold", 0.3, { dtype: "int4" }), "the same dtype");
  refused(runsOf("cold", 0.3, { taskParameters: { grading: "last" } }), "the same taskParameters");
  assertThrows(() => joinStudies([]), RangeError, "hold runs of one study");
});
