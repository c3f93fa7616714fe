import { assertEquals, assertStringIncludes } from "@std/assert";
import { featureTable, methodTable, TABLES, withTable } from "../../scripts/features.ts";
import { METHODS } from "@moi/moi/decode";
import { ARCHITECTURES } from "@moi/moi/graph";

Deno.test("the documentation's tables are those that the code gives", async () => {
  for (const { name, make, file } of TABLES) {
    const text = await Deno.readTextFile(file);
    assertEquals(withTable(text, name, make()), text);
  }
});

Deno.test("featureTable() has a row for every architecture, all run on the CPU and on emulated GPUs", () => {
  const [, , ...rows] = featureTable().trimEnd().split("\n");
  const states = ["tested", ...Array(4).fill("emulated"), "not run"];
  assertEquals(
    rows,
    Object.keys(ARCHITECTURES).map((name) => `| ${[`\`${name}\``, ...states].join(" | ")} |`),
  );
});

Deno.test("methodTable() has a row for every method, with the defaults that it has", () => {
  const lines = methodTable().trimEnd().split("\n");
  assertEquals(lines.slice(2).map((line) => line.split("`")[1]), Object.keys(METHODS));
  assertEquals(new Set(lines.map((line) => line.split(" | ").length)), new Set([7]));
  assertStringIncludes(methodTable(), "`mass` 0.1, `prior` model, `topK` 0");
});
