/** `deno task serve`: a model behind HTTP, as OpenAI's clients know it. */

import { loadModel } from "../mod.ts";
import { serve } from "../lib/serve/mod.ts";
import { command, given, say } from "./_cli.ts";
import { LOAD_USAGE, loadOptions } from "./_tasks.ts";

const USAGE = `
Serves a model over HTTP: OpenAI's /v1/completions and /v1/chat/completions, with a method per request
in "vllm_xargs", as in {"moi_method": "moi", "moi_beta": 0.25}. Ctrl-C ends it when what runs is done;
pressed again, at once.

usage: deno task serve [options]

  --model ID            votes-tiny, countdown-tiny, a folder, a file or a name on the hub
                        (default: countdown-tiny)
${LOAD_USAGE}
  --port N              (default: 8000; 0 takes a free one)
  --host ADDRESS        where it listens (default: 127.0.0.1); others than this machine need a key
  --key TEXT            API key that requests must have (default: MOI_SERVE_KEY, else none)
  --name TEXT           the model's name in requests (default: the last part of its id)
  --context N           longest prompt and answer together, in tokens (default: the model's)
  --slots N             texts decoded at once (default: 64, less where memory is short)
  --queue N             texts that may wait for a slot (default: 256)
  --max-time SECONDS    that a request may take (default: 600)
  -h, --help            this text
`;

const VALUES = [
  ...["model", "port", "host", "key", "name", "context", "slots", "queue", "max-time"],
  ...["dtype", "kv", "device", "threads", "revision"],
];

/** SIGINTs within this many milliseconds are one press: a task runner passes on what the terminal sent. */
const ONE_PRESS_MS = 100;

/** Calls back at a first signal to end, and ends the program at a second one. */
function onEnd(end: () => void): void {
  let pressed = -Infinity;
  const press = () => {
    const now = performance.now();
    if (now - pressed < ONE_PRESS_MS) return;
    if (pressed > -Infinity) Deno.exit(130);
    pressed = now;
    end();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, press);
}

await command(USAGE, { values: VALUES }, async (args) => {
  const key = args.value("key") ?? (Deno.env.get("MOI_SERVE_KEY") || undefined);
  const options = given({
    ...{ key, name: args.value("name"), hostname: args.value("host") },
    ...{ port: args.number("port"), length: args.number("context"), slots: args.number("slots") },
    ...{ queue: args.number("queue"), maxSeconds: args.number("max-time") },
  });
  const id = args.value("model") ?? "countdown-tiny";
  await using model = await loadModel(id, loadOptions(args));
  await using server = serve(model, options);
  onEnd(() => {
    say("ends when what runs is done; press again to end at once");
    server.shutdown();
  });
  const header = key === undefined ? "" : ` -H 'authorization: Bearer KEY'`;
  say(`serving ${id} (${model.dtype}, ${model.device}) at ${server.url}/v1`);
  say(
    `curl ${server.url}/v1/completions -H 'content-type: application/json'${header} -d '{"prompt": ` +
      `[1], "vllm_xargs": {"moi_beta": 0.25}}'`,
  );
  await server.finished;
});
