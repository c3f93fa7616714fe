import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);

/** Serves the repository as a registry does, counting what is asked for. */
function serve(): { port: number; requested: string[]; close: () => Promise<void> } {
  const requested: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    requested.push(pathname);
    const bytes = await Deno.readFile(new URL(`.${pathname}`, root)).catch(() => undefined);
    if (bytes === undefined) return new Response("not found", { status: 404 });
    const type = pathname.endsWith(".ts") ? "application/typescript" : "application/json";
    return new Response(bytes, { headers: { "content-type": type } });
  });
  return { port: server.addr.port, requested, close: () => server.shutdown() };
}

Deno.test("the package imported by URL fetches an embedded model once and decodes with it", async () => {
  const { port, requested, close } = serve();
  const cache = await Deno.makeTempDir();
  const code = `
    import { generate, loadModel, moi } from "http://127.0.0.1:${port}/mod.ts";
    const model = await loadModel("votes-tiny");
    const { tokens } = await generate(model, [1, 26], { method: moi(), seed: 1, maxNewTokens: 4 });
    console.log(JSON.stringify(tokens));
  `;
  const run = async () => {
    const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--config", fileURLToPath(new URL("deno.json", root)), code],
      env: { XDG_CACHE_HOME: cache, LOCALAPPDATA: cache },
    }).output();
    assertEquals(success, true, new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout)) as number[];
  };
  const weights = () => requested.filter((path) => path.endsWith("model.safetensors")).length;
  try {
    const first = await run();
    assertEquals(first.length, 4);
    assertEquals(weights(), 1);
    assertEquals(await run(), first);
    assertEquals(weights(), 1);
  } finally {
    await close();
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("the package imported by path runs in folders with a configuration of their own or none", async () => {
  const main = `
    import { generate, loadModel, mathEqual } from ${JSON.stringify(new URL("mod.ts", root).href)};
    await using model = await loadModel("votes-tiny");
    const { tokens } = await generate(model, [1, 26], { maxNewTokens: 4 });
    console.log(JSON.stringify([tokens.length, mathEqual("1/2", "0.5")]));
  `;
  for (const config of [undefined, "{}", `{"imports":{"x":"./x.ts"}}`]) {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/main.ts`, main);
      if (config !== undefined) await Deno.writeTextFile(`${folder}/deno.json`, config);
      const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "main.ts"],
        cwd: folder,
      }).output();
      assertEquals(success, true, new TextDecoder().decode(stderr));
      assertEquals(JSON.parse(new TextDecoder().decode(stdout)), [4, true]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
});

Deno.test("lib/ names npm packages whole, in the versions of deno.json", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const known = Object.values<string>(imports).filter((target) => target.startsWith("npm:"));
  const wrong: string[] = [], pending = [new URL("lib/", root)];
  for (let dir = pending.pop(); dir; dir = pending.pop()) {
    for (const entry of Deno.readDirSync(dir)) {
      const url = new URL(entry.isDirectory ? `${entry.name}/` : entry.name, dir);
      if (entry.isDirectory) pending.push(url);
      if (!entry.name.endsWith(".ts")) continue;
      const source = (await Deno.readTextFile(url)).replace(/^\s*\*.*$/gm, "");
      for (const [, target] of source.matchAll(/(?:\bfrom |\bimport\(|\bresolve\()"([^"\s]+)"/g)) {
        if (/^(\.|node:)/.test(target!)) continue;
        if (known.some((npm) => target === npm || target!.startsWith(`${npm}/`))) continue;
        wrong.push(`${url}: ${target}`);
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("every folder of lib is an export, and every export exists", async () => {
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const folders = [...Deno.readDirSync(new URL("lib", root))]
    .filter(({ isDirectory }) => isDirectory).map(({ name }) => `./${name}`);
  assertEquals(Object.keys(exports).sort(), [".", ...folders].sort());
  for (const path of Object.values<string>(exports)) await Deno.stat(new URL(path, root));
});

/** Folders in the order of the layers: a file may import from its own folder and those before it. */
const LAYERS = ["runtime", "graph", "model", "decode", "tasks", "study", "stats", "plot"];

Deno.test("imports point upward only, and lib/ needs no jsr: package", async () => {
  const wrong: string[] = [];
  for (const [level, folder] of LAYERS.entries()) {
    const pending = [new URL(`lib/${folder}/`, root)];
    for (let dir = pending.pop(); dir; dir = pending.pop()) {
      for (const entry of Deno.readDirSync(dir)) {
        const url = new URL(entry.isDirectory ? `${entry.name}/` : entry.name, dir);
        if (entry.isDirectory) pending.push(url);
        if (!entry.name.endsWith(".ts")) continue;
        const source = (await Deno.readTextFile(url)).replace(/^\s*\*.*$/gm, "");
        for (const [, target] of source.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
          if (target!.startsWith("@std/") || target!.startsWith("jsr:")) {
            wrong.push(`${url} ${target}`);
          }
          if (!target!.startsWith(".")) continue;
          const path = new URL(target!, url).pathname.split("/lib/")[1];
          const other = LAYERS.indexOf(path?.split("/")[0] ?? "");
          if (other > level) wrong.push(`${url} imports ${target}`);
        }
      }
    }
  }
  assertEquals(wrong, []);
});
