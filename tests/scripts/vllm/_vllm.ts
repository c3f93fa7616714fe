/** vLLM with the plugin, from the environment that `.ci/run` makes: scripts, and a server. */

import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath as fromFileUrl } from "node:url";
import { freePort } from "../../_port.ts";
import { root } from "../../_repository.ts";
import { temporaryFolder } from "../../_temporary.ts";

/** The Python of vLLM. */
const python = () => join(Deno.env.get("MOI_VLLM")!, "bin", "python");

/** Runs Python with what `PYTHONPATH` says, to its end. */
export async function runPython(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stdin = "",
): Promise<string> {
  const command = new Deno.Command(python(), {
    ...{ args: [...args], env: { PYTHONDONTWRITEBYTECODE: "1", ...env } },
    ...{ stdin: "piped", stdout: "piped", stderr: "piped" },
  });
  const child = command.spawn(), ended = child.output(), writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin));
  await writer.close();
  const { success, stdout, stderr } = await ended, text = new TextDecoder();
  assertEquals(success, true, text.decode(stderr));
  return text.decode(stdout);
}

/** Folder of the plugin's sources. */
export const sources: string = fromFileUrl(new URL("scripts/vllm", root));

/** A running server. */
export interface Server extends AsyncDisposable {
  /** Its address, without a path. */
  readonly url: string;
  /** What it said so far. */
  readonly log: () => Promise<string>;
}

/** Copies the plugin and installs it into a folder, as a user would: nothing is left in the checkout. */
async function install(folder: string): Promise<string> {
  const copy = join(folder, "src"), site = join(folder, "site");
  await Deno.mkdir(join(copy, "moi_vllm"), { recursive: true });
  for (const name of ["pyproject.toml", "README.md", "moi_vllm"]) {
    const from = join(sources, name);
    if (name.includes(".")) {
      await Deno.copyFile(from, join(copy, name));
      continue;
    }
    for await (const file of Deno.readDir(from)) {
      if (file.isFile) await Deno.copyFile(join(from, file.name), join(copy, name, file.name));
    }
  }
  const options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"];
  await runPython(["-m", "pip", "install", ...options, "--target", site, copy], { HOME: folder });
  return site;
}

/** Starts vLLM with the plugin and an embedded model; it has ended when the value is disposed. */
export async function startServer(model: string, args: readonly string[]): Promise<Server> {
  const folder = await temporaryFolder(), { path } = folder;
  const site = await install(path), port = freePort(), logFile = join(path, "log");
  const options = ["--model", fromFileUrl(new URL(`lib/model/embedded/${model}`, root))];
  const all = [
    ...["-m", "vllm.entrypoints.openai.api_server", ...options, "--served-model-name", model],
    ...["--host", "127.0.0.1", "--port", `${port}`, "--dtype", "float32", "--enforce-eager"],
    ...["--generation-config", "vllm", "--disable-uvicorn-access-log", ...args],
  ];
  const line = `exec "$0" "$@" >"${logFile}" 2>&1`;
  const child = new Deno.Command("bash", {
    args: ["-c", line, python(), ...all],
    env: {
      VLLM_PLUGINS: "moi",
      PYTHONPATH: site,
      PYTHONDONTWRITEBYTECODE: "1",
      VLLM_CPU_KVCACHE_SPACE: "1",
      ...{ VLLM_CPU_OMP_THREADS_BIND: "nobind", OMP_NUM_THREADS: "1" },
      VLLM_WORKER_MULTIPROC_METHOD: "fork",
      TORCHDYNAMO_DISABLE: "1", // else the first request for logprobs waits for a compiler
      VLLM_NO_USAGE_STATS: "1",
      HF_HUB_OFFLINE: "1",
      ...{ HOME: path, TMPDIR: path, XDG_CACHE_HOME: path, XDG_CONFIG_HOME: path },
    },
  }).spawn();
  let ended = false;
  const over = child.status.then((status) => (ended = true, status));
  const log = () => Deno.readTextFile(logFile);
  const server: Server = {
    url: `http://127.0.0.1:${port}`,
    log,
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGTERM");
      await over;
      await folder[Symbol.asyncDispose]();
    },
  };
  try {
    await untilHealthy(server.url, () => ended);
  } catch (error) {
    const said = (await log()).split("\n").filter((line) => line.includes("Error")).join("\n");
    await server[Symbol.asyncDispose]();
    throw new Error(`${error}\n${said}`);
  }
  return server;
}

async function untilHealthy(url: string, hasEnded: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    if (hasEnded()) throw new Error("vLLM ended before it served");
    const answer = await fetch(`${url}/health`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error("vLLM did not start in five minutes");
}
