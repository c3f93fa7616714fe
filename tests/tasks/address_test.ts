/** The sandbox of a package that was imported from an address. */

import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";

Deno.test("programs are graded where the package is imported from an address", async () => {
  const root = new URL("../../", import.meta.url), folder = await Deno.makeTempDir();
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      const type = pathname.endsWith(".ts") ? "application/typescript" : "application/octet-stream";
      const body = await Deno.readFile(new URL(`.${pathname}`, root)).catch(() => undefined);
      return body
        ? new Response(body, { headers: { "content-type": type } })
        : new Response("none", { status: 404 });
    },
  );
  const address = `http://127.0.0.1:${server.addr.port}`;
  const { imports } = JSON.parse(
    await Deno.readTextFile(fileURLToPath(new URL("deno.json", root))),
  );
  const npm = Object.entries(imports).filter(([, to]) => String(to).startsWith("npm:"));
  try {
    const config = JSON.stringify({ imports: Object.fromEntries(npm) });
    await Deno.writeTextFile(`${folder}/deno.json`, config);
    const code = [
      `import { mbpp } from "${address}/lib/tasks/mod.ts";`,
      "const source = new URL('rows.jsonl', import.meta.url);",
      "const task = mbpp({ source }), [problem] = await task.problems();",
      "console.log(JSON.stringify(await task.grade(problem, 'def f(x): return x + 1')));",
    ].join("\n");
    await Deno.writeTextFile(`${folder}/main.ts`, code);
    const row = { task_id: 1, text: "Add one.", test_list: ["assert f(1) == 2"] };
    await Deno.writeTextFile(`${folder}/rows.jsonl`, JSON.stringify(row));
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", "--no-lock", `--reload=${address}`, "main.ts"],
      cwd: folder,
    }).output();
    const told = new TextDecoder().decode(stdout).trim();
    const { correct, reason } = JSON.parse(told || "{}");
    assertEquals([correct, reason], [true, "pass: 1 test"], new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
