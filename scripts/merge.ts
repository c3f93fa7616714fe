/** `deno task merge`: files of one study, such as those of its shards, as one. */

import { mergeRuns } from "../mod.ts";
import { command, print, say } from "./_cli.ts";
import { commandsOf, keepCommand } from "./_made_by.ts";

const USAGE = `
Joins files of runs of one study, such as those of its shards, into one.

usage: deno task merge FILE… --out FILE

Runs are joined by problem, method and repeat; one that is there twice with the same result is
kept once. The file is written when it is whole, in the order of the study; where it is there
already, its runs are joined to the others. Files of another study, another result of the same
run, and runs that are missing end it with exit code 1, and nothing is written.

  --out FILE    file to write
  --partial     writes what is there where runs are missing
  -h, --help    this text

example: deno task merge runs/votes-tiny-votes.shard-*.jsonl --out runs/votes-tiny-votes.jsonl
`;

await command(USAGE, { values: ["out"], flags: ["partial"], words: true }, async (args) => {
  const out = args.value("out"), files = args.rest;
  if (files.length === 0) throw new TypeError("Cannot merge as no file is named; see --help");
  if (out === undefined) throw new TypeError("Cannot merge as --out must name a file; see --help");
  const commands = (await Promise.all(files.map(commandsOf))).flat();
  const merged = await mergeRuns(files, { out, partial: args.flag("partial") });
  await keepCommand(out, "merge", commands);
  const { runs, duplicates, planned, missing } = merged;
  if (missing !== undefined) say(`partial: ${missing}`);
  if (duplicates > 0) say(`${duplicates} runs were there again`);
  print(`${runs.length} of ${planned} runs: ${out}\n`);
});
