/**
 * The embedded controls, measured here, against what was measured in torch when they were made
 * (table "Measured in torch" of their model cards: other random numbers, the same problems).
 */

import { assert, assertAlmostEquals } from "@std/assert";
import { directMixture, linearMixture, moi, standard } from "@moi/moi/decode";
import { loadModel } from "@moi/moi/model";
import { gains } from "@moi/moi/stats";
import { runStudy } from "@moi/moi/study";
import { countdown, votes } from "@moi/moi/tasks";

/** votes-tiny, 1000 problems, T 1, top-p 1, paired: gain in points, off-sample mass, mean H. */
const VOTES = {
  "standard": { gain: 0, mass: 0, entropy: 0.309 },
  "moi-0.25": { gain: 18.4, mass: 0.202, entropy: 0.309 },
  "moi-1": { gain: 8.8, mass: 0.126, entropy: 0.309 },
  "direct": { gain: -4.3, mass: 0.462, entropy: 0.310 },
  "linear-0.5": { gain: -5.5, mass: 0.234, entropy: 0.312 },
};
/** Accuracy of standard decoding on the same problems, in percent. */
const VOTES_STANDARD = 53.7;

Deno.test("runStudy() on votes-tiny finds the published gains, entropies and masses", async () => {
  await using model = await loadModel("votes-tiny");
  const runs = await runStudy({
    model,
    task: votes({ limit: 300 }),
    methods: {
      "standard": standard(),
      "moi-0.25": moi({ beta: 0.25 }),
      "moi-1": moi({ beta: 1 }),
      "direct": directMixture(),
      "linear-0.5": linearMixture({ weight: 0.5 }),
    },
  });
  const rows = gains(runs, { baseline: "standard" });
  for (const { method, gain, low, high, mixing } of rows) {
    const published = VOTES[method as keyof typeof VOTES];
    const half = 50 * (high - low); // points
    assert(
      Math.abs(100 * gain - published.gain) <= half,
      `${method}: ${100 * gain} ± ${half} points, published ${published.gain}`,
    );
    assertAlmostEquals(mixing.meanEntropy, published.entropy, published.entropy / 10, method);
    assertAlmostEquals(mixing.meanOffSampleMass, published.mass, published.mass / 10, method);
  }
  const [base, strong] = rows;
  assert(base!.accuracyLow <= VOTES_STANDARD / 100 && VOTES_STANDARD / 100 <= base!.accuracyHigh);
  assert(strong!.low > 0 && strong!.adjustedP < 0.001, "an effect of this size is seen");
});

// countdown-tiny, 500 problems × 3 seeds, T 0.6, top-p 0.95, 128 new tokens: MoI 0.0 … +0.1,
// direct −24.6 ± 4.1 points; mean normalised entropy 0.016–0.022 over settings
Deno.test("runStudy() on the null control finds nothing for moi() and much against direct", async () => {
  await using model = await loadModel("countdown-tiny-baseline");
  const runs = await runStudy({
    model,
    task: countdown({ limit: 120 }),
    methods: { standard: standard(), moi: moi({ beta: 1 }), direct: directMixture() },
  });
  const [base, mixed, direct] = gains(runs, { baseline: "standard" });
  assert(Math.abs(mixed!.gain) <= 0.025, `moi: ${mixed!.gain}`);
  assert(direct!.gain <= -0.12, `direct: ${direct!.gain}`);
  assert(base!.mixing.meanEntropy < 0.03 && mixed!.mixing.meanOffSampleMass < 0.02);
});
