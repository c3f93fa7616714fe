/** `deno task play`: two methods side by side, in a browser. */

import { interruptSignal, loadModel } from "../mod.ts";
import { play } from "../lib/play/mod.ts";
import { command, given, say } from "./_cli.ts";
import { LOAD_USAGE, LOAD_VALUES, loadedText, loadOptions } from "./_tasks.ts";

const USAGE = `
Starts the playground: a page on this machine on which two methods answer a prompt side by side, and β
can be moved from any token on. Ctrl-C ends it.

usage: deno task play [options]

  --model ID            votes-tiny, countdown-tiny, a folder, a file or a name on the hub
                        (default: votes-tiny)
${LOAD_USAGE}
  --port N              (default: 8001; 0 takes a free one)
  -h, --help            this text
`;

const VALUES = ["model", "port", ...LOAD_VALUES];

await command(USAGE, { values: VALUES }, async (args) => {
  const id = args.value("model") ?? "votes-tiny";
  await using model = await loadModel(id, loadOptions(args));
  await using server = play(model, given({ port: args.number("port") }));
  const end = () => void server.shutdown();
  interruptSignal().addEventListener("abort", end);
  Deno.addSignalListener("SIGTERM", end);
  say(`${id} (${loadedText(model)}): open ${server.url} in a browser`);
  await server.finished;
});
