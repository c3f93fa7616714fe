import { assertEquals, assertStringIncludes } from "@std/assert";
import { featureTable, methodTable, withFeatures } from "../../scripts/features.ts";
import { METHODS } from "@moi/moi/decode";
import { ARCHITECTURES } from "@moi/moi/graph";

/** The formatter pads the cells of tables. */
const unpadded = (text: string) => text.replace(/ +/g, " ").replace(/-{3,}/g, "---");

Deno.test("the README's tables are those that the code gives", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  assertEquals(unpadded(readme), unpadded(withFeatures(readme)));
});

Deno.test("featureTable() has a row for every architecture, all of them tested on the CPU", () => {
  const table = featureTable();
  for (const name of Object.keys(ARCHITECTURES)) {
    assertStringIncludes(table, `| \`${name}\` | tested | tested | tested | tested |`);
  }
});

Deno.test("methodTable() has a row for every method, with the defaults that it has", () => {
  const lines = methodTable().trimEnd().split("\n");
  assertEquals(lines.slice(2).map((line) => line.split("`")[1]), Object.keys(METHODS));
  assertEquals(new Set(lines.map((line) => line.split(" | ").length)), new Set([7]));
  assertStringIncludes(methodTable(), "`mass` 0.1, `prior` model, `topK` 0");
});
