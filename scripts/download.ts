/** `deno task download`: a model of the Hugging Face Hub into the shared cache. */

import { interruptSignal, progressBar } from "../mod.ts";
import { downloadModel, type DownloadOptions } from "../lib/model/mod.ts";
import { command, given, print, say } from "./_cli.ts";

const USAGE = `
Downloads a model of the Hugging Face Hub into the cache that all its tools share, and prints the
folder. What is there already is not fetched again; a download that was cut goes on where it ended.

usage: deno task download <org/name> [options]

  --revision R          branch, tag or commit (default: main)
  --cache-dir DIR       the cache folder (default: $HF_HUB_CACHE, or $HF_HOME/hub, or
                        ~/.cache/huggingface/hub)
  --offline             make no request; fail if a file is missing
  --file NAMES          exact names of files, separated by commas (default: configuration,
                        tokenizer, chat template and safetensors)
  -h, --help            this text

environment: HF_TOKEN (or \`hf auth login\`) for private and gated models, HF_ENDPOINT,
HF_HUB_OFFLINE
`;

const VALUES = ["revision", "cache-dir", "file"];

await command(USAGE, { values: VALUES, flags: ["offline"], words: true }, async (args) => {
  const id = args.one("download", "one org/name");
  await using bar = progressBar({ label: `download ${id}`, unit: "bytes" });
  const signal = interruptSignal();
  const options: DownloadOptions = {
    signal,
    onProgress: (progress) => bar.update(progress),
    ...given({
      revision: args.value("revision"),
      cacheDir: args.value("cache-dir"),
      offline: args.flag("offline") || undefined,
      files: args.value("file")?.split(","),
    }),
  };
  try {
    print(`${await downloadModel(id, options)}\n`);
  } catch (error) {
    if (!signal.aborted) throw error;
    await bar.close();
    say("stopped; the same command goes on where it ended");
    Deno.exitCode = 130;
  }
});
