/** Packages of Python for the sandbox: found by module, kept, downloaded, checked; and what lacks one. */

import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { defaultCacheDir } from "../../lib/model/mod.ts";
import { runPython } from "../../lib/tasks/mod.ts";
import { filesOf, type Lock, packagesOf } from "../../lib/tasks/sandbox/_packages.ts";
import { temporaryFolder } from "../_temporary.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const entry = (name: string, depends: string[] = [], text = name) => ({
  ...{ file_name: `${name}-1.0.whl`, sha256: sha256(text), imports: [name.replaceAll("-", "_")] },
  depends,
});
const LOCK: Lock = {
  packages: {
    "one-two": entry("one-two", ["base", "other"]),
    base: entry("base", ["other"]),
    other: entry("other", ["base"]),
    forged: entry("forged", [], "something else"),
    escape: { ...entry("escape"), file_name: "../escape.whl" },
  },
};

Deno.test("packagesOf() finds a package by its module, with those it needs", () => {
  const names = (module: string) => packagesOf(module, LOCK)?.map(({ file_name }) => file_name);
  assertEquals(names("one_two"), ["one-two-1.0.whl", "base-1.0.whl", "other-1.0.whl"]);
  assertEquals(names("other"), ["other-1.0.whl", "base-1.0.whl"]);
  assertEquals(names("nothing"), undefined);
  assertEquals(names("one-two"), undefined); // no module's name
});

Deno.test("filesOf() takes what is kept or downloads it, and only with the right digest", async () => {
  await using folder = await temporaryFolder();
  const asked: string[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const name = new URL(request.url).pathname.slice(1);
    asked.push(name);
    return name === "base-1.0.whl"
      ? new Response("no", { status: 404 })
      : new Response(name.replace("-1.0.whl", ""));
  });
  const address = `http://127.0.0.1:${server.addr.port}/`;
  const options = { folder: folder.path, address, offline: false };
  assertEquals(await filesOf("one_two", LOCK, { ...options, offline: true }), undefined);
  assertEquals([asked, await filesOf("nothing", LOCK, options)], [[], undefined]);
  assertEquals(await filesOf("one_two", LOCK, options), undefined); // base cannot be had
  await Deno.writeTextFile(`${folder.path}/base-1.0.whl`, "base");
  const again = await filesOf("one_two", LOCK, options);
  assertEquals(again?.map((path) => path.split("/").at(-1)), [
    ...["one-two-1.0.whl", "base-1.0.whl", "other-1.0.whl"],
  ]);
  assertEquals(await Deno.readTextFile(`${folder.path}/other-1.0.whl`), "other");
  assertEquals(asked, again?.map((path) => path.split("/").at(-1))); // each once
  await Deno.writeTextFile(`${folder.path}/other-1.0.whl`, "tampered");
  assertEquals(await filesOf("other", LOCK, { ...options, offline: true }), undefined);
  assertEquals(await filesOf("forged", LOCK, options), undefined);
  assertEquals(await filesOf("escape", LOCK, options), undefined);
  const names = (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name).sort();
  assertEquals(names, ["base-1.0.whl", "one-two-1.0.whl", "other-1.0.whl"]);
});

Deno.test("a module of Pyodide's distribution that cannot be had is named", async () => {
  await using cache = await temporaryFolder();
  const mine = defaultCacheDir();
  await runPython({ code: "1" });
  for await (const { name } of Deno.readDir(mine)) { // started interpreters, without packages
    const same = name.endsWith(".snapshot") && name.includes(`-deno-${Deno.version.deno}-`);
    if (same) await Deno.copyFile(`${mine}/${name}`, `${cache.path}/${name}`);
  }
  for (const code of ["import numpy as np", "from sympy.core import *"]) {
    const module = code.split(/[ .]/)[1]!;
    const results = await runPython([{ code: "x = 1" }, { code }, { code: "1" }], {
      ...{ cacheDir: cache.path, offline: true },
    });
    assertEquals(results, [{ verdict: "pass", output: "" }, {
      verdict: "unavailable",
      output: "",
      error: `ModuleNotFoundError: No module named '${module}'`,
      module,
    }]);
  }
  const caught = "try:\n    import numpy\nexcept ImportError:\n    print('none')";
  assertEquals(await runPython({ code: caught }, { cacheDir: cache.path, offline: true }), [
    { verdict: "pass", output: "none\n" },
  ]);
});
