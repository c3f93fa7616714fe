import { assertEquals } from "@std/assert";
import { temporaryFolder } from "../_temporary.ts";
import { deno } from "../_process.ts";

async function filesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    found.push(...(isDirectory ? await filesIn(`${folder}/${name}`) : [`${folder}/${name}`]));
  }
  return found;
}

Deno.test("using the runtime writes no file under the user's home", async () => {
  const { denoDir } = JSON.parse((await deno(["info", "--json"])).stdout);
  await using home = await temporaryFolder();
  const code = `
    import { loadModel, forward } from "@moi/moi/model";
    await using model = await loadModel("votes-tiny");
    console.log((await forward(model, [1, 2])).length, Deno.env.get("HOME"));
  `;
  const { stdout, stderr } = await deno(["eval", "--quiet", code], {
    env: {
      ...{ DENO_DIR: denoDir, HOME: home.path, USERPROFILE: home.path, LOCALAPPDATA: home.path },
      XDG_CACHE_HOME: `${home.path}/.cache`,
    },
  });
  assertEquals(stdout.trim(), `2 ${home.path}`, stderr);
  assertEquals(await filesIn(home.path), []);
});
