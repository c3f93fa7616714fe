/** The study of decisions, on a few problems. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { loadModel } from "@moi/moi/model";
import { pancakes } from "@moi/moi/tasks";
import { planOf, planPath } from "../../scripts/evidence/_plan.ts";
import {
  contrastPoints,
  type DecisionsSettings,
  taughtEntropy,
} from "../../scripts/evidence/decisions.ts";
import { script } from "../_process.ts";
import { temporaryFolder } from "../_temporary.ts";

Deno.test("the models are uncertain of decisions, and of next to nothing else", async () => {
  for (const name of ["decisions-tiny-1", "decisions-tiny-2", "decisions-tiny-3"]) {
    await using model = await loadModel(name);
    const sums = { decisions: 0, forced: 0, others: 0 };
    for (const problem of await pancakes({ limit: 40 }).problems()) {
      const found = await taughtEntropy(model, problem, 1);
      for (const key of ["decisions", "forced", "others"] as const) sums[key] += found[key] / 40;
    }
    assert(sums.decisions > 0.15 && sums.decisions < 0.4, `${name}: ${sums.decisions}`);
    assert(sums.forced < sums.decisions / 3 && sums.others < 0.02, JSON.stringify(sums));
  }
});

Deno.test("contrasts are paired by problem and repeat", () => {
  const run = (method: string, problem: string, repeat: number, correct: boolean) =>
    ({ method, problem, repeat, grade: { correct } }) as never;
  const runs = [
    ...[run("a", "p", 0, true), run("a", "p", 1, false), run("a", "q", 0, true)],
    ...[run("b", "q", 0, true), run("b", "p", 1, true), run("b", "p", 0, false)],
  ];
  const H = (decisions: number) => ({ decisions, forced: 0, others: 0, mass: 0 });
  const part = { model: "m", runs, entropy: { p: H(0.2), q: H(0.3) } };
  assertEquals(contrastPoints([part], ["a", "b"]), [
    { x: 0.2, y: 1, cluster: "p", stratum: "m" },
    { x: 0.2, y: -1, cluster: "p", stratum: "m" },
    { x: 0.3, y: 0, cluster: "q", stratum: "m" },
  ]);
});

Deno.test("the study of decisions runs as its plan says, and goes on from what is there", async () => {
  await using folder = await temporaryFolder();
  const plan = await planOf<DecisionsSettings>(planPath("decisions"));
  const problems = { source: "generated", count: 12, seed: 4 } as const;
  const models = plan.settings.models.slice(0, 2);
  const file = `${folder.path}/plan.json`, settings = { ...plan.settings, problems, models };
  await Deno.writeTextFile(file, JSON.stringify({ ...plan, settings }));
  const env = { MOI_RUNS: folder.path };
  const run = () => script("evidence", ["decisions", "--plan", file], { env });
  const first = await run();
  assertEquals(first.code, 0, first.stderr);
  assertMatch(first.stdout, /decisions-tiny-2 +\d/);
  assertStringIncludes(first.stdout, "MoI 1 less standard");
  assertStringIncludes(first.stdout, "Gains, all models");
  const again = await run(), tables = (text: string) => text.replace(/wall time .*/, "");
  assertEquals(tables(again.stdout), tables(first.stdout));
  const named = await script("evidence", ["decisions", "--model", "votes-tiny"]);
  assertStringIncludes(named.stderr, "--model: its plan names its models");
});
