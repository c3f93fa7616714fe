/** `deno task evidence`: runs a pre-registered study, and prints its tables. */

import { loadModel } from "../mod.ts";
import { command, print } from "./_cli.ts";
import { planOf } from "./evidence/_plan.ts";
import { losses, type LossSettings, pilot } from "./evidence/losses.ts";

const USAGE = `x
`;

await command(USAGE, { values: ["model", "source"], words: true }, async (args) => {
  const name = args.one("run a study", "its name");
  const started = performance.now();
  await using model = await loadModel(args.value("model")!, { maxLength: 1024 });
  if (name === "pilot") {
    const rows = (await Deno.readTextFile(args.value("source")!)).trim().split("\n").map((l) =>
      JSON.parse(l)
    );
    await pilot(model, rows.map((r) => r.prompt ?? r.question));
  } else await losses(model, await planOf<LossSettings>("losses"));
  print(`\nwall time ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
});
