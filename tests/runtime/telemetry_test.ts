import { assertEquals } from "@std/assert";
import { temporaryFolder } from "../_temporary.ts";

const ROOT = new URL("../..", import.meta.url);

async function run(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env, cwd: ROOT })
    .output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, error: error! };
}

async function filesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    found.push(...(isDirectory ? await filesIn(`${folder}/${name}`) : [`${folder}/${name}`]));
  }
  return found;
}

Deno.test("using the runtime writes no file under the user's home", async () => {
  const { denoDir } = JSON.parse((await run(["info", "--json"])).out);
  await using home = await temporaryFolder();
  const code = `
    import { loadModel, forward } from "@moi/moi/model";
    await using model = await loadModel("votes-tiny");
    console.log((await forward(model, [1, 2])).length, Deno.env.get("HOME"));
  `;
  const { out, error } = await run(["eval", "--quiet", code], {
    DENO_DIR: denoDir,
    HOME: home.path,
    USERPROFILE: home.path,
    LOCALAPPDATA: home.path,
    XDG_CACHE_HOME: `${home.path}/.cache`,
  });
  assertEquals(out.trim(), `2 ${home.path}`, error);
  assertEquals(await filesIn(home.path), []);
});
