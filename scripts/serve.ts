/** `deno task serve`: a model behind HTTP, as OpenAI's clients know it. */

import { interruptSignal, loadModel, type Model } from "../mod.ts";
import { PATHS, serve } from "../lib/serve/mod.ts";
import { command, given, say } from "./_cli.ts";
import { LOAD_USAGE, LOAD_VALUES, loadedText, loadOptions } from "./_tasks.ts";

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
  --key TEXT            API key that requests must have (default: MOI_SERVER_KEY, else none)
  --name TEXT           the model's name in requests (default: the last part of its id)
  --context N           longest prompt and answer together, in tokens (default: the model's)
  --slots N             texts decoded at once (default: 64, less where memory is short)
  --queue N             texts that may wait for a slot (default: 256)
  --max-time SECONDS    that a request may take (default: 600)
  -h, --help            this text

example: deno task serve --model votes-tiny; it prints a request to try
`;

const VALUES = [
  ...["model", "port", "host", "key", "name", "context", "slots", "queue", "max-time"],
  ...LOAD_VALUES,
];

/** A request to try, for whoever has just started it. */
function example(url: string, { template }: Model, key: string | undefined): string {
  const vllm_xargs = { moi_beta: 0.25 };
  const messages = [{ role: "user", content: "Hello" }];
  const [path, body] = template === undefined
    ? [PATHS.completions, { prompt: [1], vllm_xargs }]
    : [PATHS.chat, { messages, vllm_xargs }];
  const headers = ["content-type: application/json"];
  if (key !== undefined) headers.push("authorization: Bearer KEY");
  const shown = headers.map((header) => `-H '${header}'`).join(" ");
  return `curl ${url}${path} ${shown} -d '${JSON.stringify(body)}'`;
}

await command(USAGE, { values: VALUES }, async (args) => {
  const key = args.value("key") ?? (Deno.env.get("MOI_SERVER_KEY") || undefined);
  const options = given({
    ...{ key, name: args.value("name"), hostname: args.value("host") },
    ...{ port: args.number("port"), length: args.number("context"), slots: args.number("slots") },
    ...{ queue: args.number("queue"), maxSeconds: args.number("max-time") },
  });
  const id = args.value("model") ?? "countdown-tiny";
  await using model = await loadModel(id, loadOptions(args));
  await using server = serve(model, options);
  const end = () => {
    Deno.removeSignalListener("SIGTERM", end); // a second one ends it at once, as a second Ctrl-C
    say("ends when what runs is done; press again to end at once");
    server.shutdown();
  };
  interruptSignal().addEventListener("abort", end);
  Deno.addSignalListener("SIGTERM", end);
  say(`serving ${id} (${loadedText(model)}) at ${server.url}/v1`);
  say(example(server.url, model, key));
  await server.finished;
});
