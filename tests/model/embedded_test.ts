import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { defaultCacheDir, EMBEDDED, embeddedFolder, forward, loadModel } from "@moi/moi/model";
import { temporaryFolder } from "../_temporary.ts";

const FILES = [
  "config.json",
  "generation_config.json",
  "model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
];
const SOURCE = new URL("../../lib/model/", import.meta.url);

/** A server of the embedded files that records every request and may answer otherwise. */
function startHub(answer: (path: string) => Response | undefined | Promise<Response | undefined>) {
  const requests: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    requests.push(pathname.split("/").at(-1)!);
    const other = await answer(pathname);
    if (other) return other;
    try {
      return new Response(await Deno.readFile(new URL(`.${pathname}`, SOURCE)));
    } catch {
      return new Response("not found", { status: 404 });
    }
  });
  return {
    requests,
    base: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

/** Every file below a folder. */
async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await filesBelow(path));
    else found.push(path);
  }
  return found.sort();
}

Deno.test("embeddedFolder() of a package on disk is the folder itself", async () => {
  for (const name of EMBEDDED) {
    const folder = await embeddedFolder(name);
    assertEquals(await namesIn(folder), FILES);
  }
});

Deno.test("the embedded files have the sums that a fetch would check", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub(() => undefined);
  for (const name of EMBEDDED) {
    const folder = await embeddedFolder(name, { base: hub.base, cacheDir: cache.path });
    for (const file of FILES) {
      assertEquals(
        await Deno.readFile(`${folder}/${file}`),
        await Deno.readFile(new URL(`embedded/${name}/${file}`, SOURCE)),
      );
    }
  }
});

Deno.test("embeddedFolder() refuses an unknown name", async () => {
  for (const base of [undefined, "http://127.0.0.1:1/"]) {
    for (const name of ["votes", "", "..", "__proto__", "toString"]) {
      await assertRejects(
        () => embeddedFolder(name, base ? { base } : {}),
        RangeError,
        "'name' must be one of votes-tiny, countdown-tiny",
      );
    }
  }
});

Deno.test("embeddedFolder() fetches every file once and keeps it", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub(() => undefined);
  const options = { base: hub.base, cacheDir: cache.path };
  const folder = await embeddedFolder("votes-tiny", options);
  assertEquals(hub.requests.toSorted(), FILES);
  assertEquals(await namesIn(folder), FILES);
  assert(folder.startsWith(cache.path));
  assertEquals(await embeddedFolder("votes-tiny", options), folder);
  assertEquals(hub.requests.length, 5);
});

Deno.test("a fetched model is the embedded one", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub(() => undefined);
  const folder = await embeddedFolder("votes-tiny", { base: hub.base, cacheDir: cache.path });
  await using fetched = await loadModel(folder);
  await using embedded = await loadModel("votes-tiny");
  assertEquals(fetched.fingerprint, embedded.fingerprint);
  assertMatch(embedded.versions!.onnxruntime!, /^\d+\.\d+\.\d+/);
  assertEquals(await forward(fetched, [1, 2, 3]), await forward(embedded, [1, 2, 3]));
});

Deno.test("embeddedFolder() works offline once its files are there, without a request", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub(() => undefined);
  const options = { base: hub.base, cacheDir: cache.path };
  const folder = await embeddedFolder("votes-tiny", options);
  assertEquals(await embeddedFolder("votes-tiny", { ...options, offline: true }), folder);
  assertEquals(hub.requests.length, 5);
});

Deno.test("embeddedFolder() refuses to work offline while a file is missing or damaged", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub(() => undefined);
  const options = { base: hub.base, cacheDir: cache.path };
  const offline = { ...options, offline: true };
  await assertRejects(
    () => embeddedFolder("votes-tiny", offline),
    Deno.errors.NotFound,
    "config.json is not there yet",
  );
  assertEquals(hub.requests, []);
  const folder = await embeddedFolder("votes-tiny", options);
  await Deno.writeTextFile(`${folder}/tokenizer.json`, "{}");
  await assertRejects(
    () => embeddedFolder("votes-tiny", offline),
    Deno.errors.NotFound,
    "tokenizer.json has not the expected SHA-256",
  );
  assertEquals(hub.requests.length, 5);
});

Deno.test("embeddedFolder() fetches a file again that is missing or damaged, and only that", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub(() => undefined);
  const options = { base: hub.base, cacheDir: cache.path };
  const folder = await embeddedFolder("votes-tiny", options);
  const path = `${folder}/model.safetensors`, whole = await Deno.readFile(path);
  await Deno.writeFile(path, whole.slice(0, 1000)); // as after a full disk
  await Deno.remove(`${folder}/tokenizer.json`);
  await embeddedFolder("votes-tiny", options);
  assertEquals(hub.requests.slice(5).toSorted(), ["model.safetensors", "tokenizer.json"]);
  assertEquals(await Deno.readFile(path), whole);
});

Deno.test("embeddedFolder() refuses wrong bytes and writes none of them", async () => {
  await using cache = await temporaryFolder();
  let wrong = true;
  await using hub = startHub((path) =>
    wrong && path.endsWith("/model.safetensors") ? new Response(new Uint8Array(1000)) : undefined
  );
  const options = { base: hub.base, cacheDir: cache.path };
  for (let i = 0; i < 2; i++) {
    await assertRejects(
      () => embeddedFolder("votes-tiny", options),
      Error,
      "model.safetensors has not the expected SHA-256",
    );
    const names = (await filesBelow(cache.path)).map((path) => path.split("/").at(-1));
    assertEquals(names, ["config.json", "generation_config.json"]); // fetched before
  }
  wrong = false;
  const folder = await embeddedFolder("votes-tiny", options);
  assertEquals(await namesIn(folder), FILES);
});

Deno.test("embeddedFolder() refuses an error page", async () => {
  for (const status of [404, 403, 500]) {
    await using cache = await temporaryFolder();
    await using hub = startHub(() => new Response("sorry", { status }));
    await assertRejects(
      () => embeddedFolder("votes-tiny", { base: hub.base, cacheDir: cache.path }),
      Error,
      `config.json answered ${status}`,
    );
    assertEquals(await filesBelow(cache.path), []);
  }
});

Deno.test("embeddedFolder() refuses a transfer that breaks off and writes none of it", async () => {
  await using cache = await temporaryFolder();
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const served = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(4096));
    const head = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
    await connection.write(new TextEncoder().encode(`${head}{"a":`));
  })();
  const base = `http://127.0.0.1:${listener.addr.port}/`;
  await assertRejects(
    () => embeddedFolder("votes-tiny", { base, cacheDir: cache.path }),
    TypeError,
  );
  await served;
  assertEquals(await filesBelow(cache.path), []);
});

Deno.test("embeddedFolder() fails where nobody answers", async () => {
  await using cache = await temporaryFolder();
  const hub = startHub(() => undefined);
  await hub[Symbol.asyncDispose]();
  await assertRejects(
    () => embeddedFolder("votes-tiny", { base: hub.base, cacheDir: cache.path }),
    TypeError,
  );
});

Deno.test("embeddedFolder() ends with the signal's reason", async () => {
  await using cache = await temporaryFolder();
  const controller = new AbortController();
  await using hub = startHub(() => {
    controller.abort(new Error("enough"));
    return new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 50));
  });
  await assertRejects(
    () =>
      embeddedFolder("votes-tiny", {
        base: hub.base,
        cacheDir: cache.path,
        signal: controller.signal,
      }),
    Error,
    "enough",
  );
  assertEquals(await filesBelow(cache.path), []);
});

Deno.test("embeddedFolder() called twice at once gives whole files to both", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub(() => undefined);
  const options = { base: hub.base, cacheDir: cache.path };
  const folders = await Promise.all([1, 2, 3].map(() => embeddedFolder("votes-tiny", options)));
  assertEquals(new Set(folders).size, 1);
  assertEquals(await namesIn(folders[0]!), FILES);
  await embeddedFolder("votes-tiny", { ...options, offline: true });
});

Deno.test("embeddedFolder() keeps the models apart", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub(() => undefined);
  const options = { base: hub.base, cacheDir: cache.path };
  const folders = [];
  for (const name of EMBEDDED) folders.push(await embeddedFolder(name, options));
  assertEquals(new Set(folders).size, EMBEDDED.length);
  assertEquals(hub.requests.length, 5 * EMBEDDED.length);
});

Deno.test({
  name: "defaultCacheDir() follows the system's rules",
  ignore: Deno.build.os !== "linux",
  fn() {
    const before = ["HOME", "XDG_CACHE_HOME"].map((name) => [name, Deno.env.get(name)] as const);
    try {
      Deno.env.set("HOME", "/home/a");
      Deno.env.set("XDG_CACHE_HOME", "/var/cache/a");
      assertEquals(defaultCacheDir(), "/var/cache/a/moi");
      for (
        const clear of [
          () => Deno.env.set("XDG_CACHE_HOME", ""),
          () => Deno.env.delete("XDG_CACHE_HOME"),
        ]
      ) {
        clear();
        assertEquals(defaultCacheDir(), "/home/a/.cache/moi");
      }
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
    }
  },
});
