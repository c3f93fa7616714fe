/** CSV, as read back by pandas, too. */

import { assertEquals, assertThrows } from "@std/assert";
import { betaGrid, gains, loadModel, runStudy, scoreGains, votes } from "../../mod.ts";
import { gainsTable, tableOf, toCsv } from "../../lib/plot/mod.ts";
import { JUPYTERLAB, needing } from "../_needing.ts";
import { temporaryFolder } from "../_temporary.ts";
import { HOSTILE } from "./_hostile.ts";
import { controls, hostileRuns, standard } from "./_rows.ts";

const table = tableOf([
  { method: "standard", mean: 0.5, low: 0.4, high: 0.6, gain: undefined },
  { method: 'a|b, "c" <i>', mean: 0.25, low: NaN, high: 1, gain: 0.125 },
], [
  { heading: "method", of: "method" },
  { heading: "mean %", of: ["mean", "low", "high"] },
  { heading: "gain", of: "gain" },
], { title: "left out", notes: ["left out, too"] });

Deno.test("toCsv() of a table has every value with its digits, by the names of the fields", () => {
  assertEquals(toCsv(table).split("\r\n"), [
    "method,mean,low,high,gain",
    "standard,0.5,0.4,0.6,",
    '"a|b, ""c"" <i>",0.25,,1,0.125',
    "",
  ]);
  const gains = toCsv(gainsTable([standard, ...controls])).split("\r\n");
  assertEquals(gains.length, 6);
  assertEquals(gains[1]!.split(",").slice(5, 10), ["", "", "", "", ""]); // no gain of the baseline
  assertEquals(toCsv(tableOf<{ a: 1 }>([], [{ heading: "A", of: "a" }])), "a\r\n");
});

Deno.test("toCsv() of several tables counts them, and has the columns of all", () => {
  const other = tableOf([{ method: "moi", finished: 1 }], [
    { heading: "method", of: "method" },
    { heading: "finished", of: "finished" },
  ]);
  const lines = ["table,method,mean,low,high,gain,finished", "1,standard,0.5,0.4,0.6,,"];
  assertEquals(toCsv([table, { tables: [other] }]).split("\r\n"), [
    ...lines,
    '1,"a|b, ""c"" <i>",0.25,,1,0.125,',
    "2,moi,,,,,1",
    "",
  ]);
});

Deno.test("toCsv() of rows has a column a field, those of objects beside one another", () => {
  const rows = [
    { a: 1, p: { x: true }, text: "", none: null, list: [1, "b"] },
    { a: -Infinity, p: { y: { z: 2n } }, more: "=1+1" },
  ];
  assertEquals(toCsv(rows).split("\r\n"), [
    "a,p.x,p.y.z,text,none,list,more",
    '1,true,,"",,"[1,""b""]",',
    "-inf,,2,,,,=1+1",
    "",
  ]);
  assertEquals(toCsv([{ a: undefined }, { a: 1 }]), 'a\r\n""\r\n1\r\n'); // no empty line
  assertEquals([toCsv([]), toCsv([{}])], ["", ""]);
  assertEquals(toCsv([JSON.parse('{"__proto__": 1}')]), "__proto__\r\n1\r\n");
});

Deno.test("toCsv() refuses what is no row", () => {
  const refused = (value: unknown, message: string) =>
    assertThrows(() => toCsv(value as object[]), TypeError, message);
  refused([1], "'rows' must be objects: current value is 1");
  refused([table, { a: 1 }], "'tables' must be a table");
  refused({ a: 1 }, "'tables' must be a table");
  refused([{ a: { b: () => 1 } }], "'a.b' must be a value, a list or a plain object");
  refused([{ a: new Map() }], "'a' must be a value");
});

Deno.test("toCsv() of runs has a line a run, its verdict, and the number of its tokens", () => {
  const [run, ...others] = hostileRuns(2);
  const cut = { ...run!, finishReason: "length" as const, problemFields: { q: "0" }, tokens: [] };
  const [head, ...lines] = toCsv([run!, ...others, {
    ...cut,
    grade: { ...cut.grade, correct: false },
  }])
    .split("\r\n").map((line) => line.split(","));
  const at = (name: string) => lines.slice(0, -1).map((line) => line[head!.indexOf(name)]);
  assertEquals(at("verdict"), ["wrong", "wrong", "right", "right", "cut"]);
  assertEquals(at("tokens"), ["2", "2", "2", "2", ""]);
  assertEquals(at("parameters.name"), ["standard", "moi", "standard", "moi", "standard"]);
  assertEquals(head!.includes("problemFields.q"), false);
});

/** What pandas makes of files: types of columns, and their values as JSON. */
const PYTHON = `
import json, sys, pandas
from pathlib import Path
folder = Path(sys.argv[1])
def read(name, **more):
    frame = pandas.read_csv(folder / name, **more)
    types = {column: str(kind) for column, kind in frame.dtypes.items()}
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return {"types": types, "rows": rows}
texts = dict(dtype={"text": str, "grade.extracted": str}, keep_default_na=False)
print(json.dumps({
    "gains": read("gains.csv"), "scores": read("scores.csv"), "runs": read("runs.csv"),
    "texts": read("texts.csv", **texts), "tables": read("tables.csv"), "ends": read("ends.csv")["types"],
    "least": str(pandas.read_csv(folder / "ends.csv").low.min()),
}))
`;

needing(JUPYTERLAB)(
  "pandas reads rows, tables and runs: numbers as numbers, texts to the letter",
  async () => {
    await using model = await loadModel("votes-tiny");
    const methods = betaGrid({ betas: [0.25, 1], controls: false });
    const runs = await runStudy({ model, task: votes({ limit: 40 }), methods });
    const rows = gains(runs),
      measured = scoreGains(runs, { baseline: "standard", of: ({ tokens }) => tokens.length });
    await using folder = await temporaryFolder({
      "gains.csv": toCsv(rows),
      "scores.csv": toCsv(measured),
      "runs.csv": toCsv(runs),
      "tables.csv": toCsv([gainsTable(rows), gainsTable(rows.slice(0, 1))]),
      "texts.csv": toCsv(HOSTILE.map((text, i) => ({ i, text }))),
      "ends.csv": toCsv([{ low: -Infinity, high: Infinity, x: NaN }, { low: 1, high: 2, x: 3 }]),
      "read.py": PYTHON,
    });
    const { stdout, stderr } = await new Deno.Command(
      `${Deno.env.get("MOI_JUPYTERLAB")}/bin/python`,
      {
        args: [`${folder.path}/read.py`, folder.path],
      },
    ).output();
    const decoder = new TextDecoder(), said = decoder.decode(stdout);
    assertEquals(decoder.decode(stderr), "");
    const found = JSON.parse(said);

    const { types } = found.gains;
    assertEquals(
      ["method", "gain", "adjustedP", "won", "isBaseline", "mixing.meanEntropy"].map((n) =>
        types[n]
      ),
      ["str", "float64", "float64", "int64", "bool", "float64"],
    );
    const pick = (from: Record<string, unknown>[], name: string) => from.map((one) => one[name]);
    assertEquals(pick(found.gains.rows, "gain"), rows.map(({ gain }) => gain));
    assertEquals(pick(found.gains.rows, "parameters.beta"), [null, 0.25, 1]);
    assertEquals(pick(found.scores.rows, "mean"), measured.map(({ mean }) => mean));
    assertEquals(pick(found.tables.rows, "table"), [1, 1, 1, 2]);
    assertEquals(found.tables.types.won, "float64"); // the baseline has none

    const ran = found.runs;
    assertEquals(
      ["problem", "repeat", "seed", "verdict", "grade.correct", "tokens", "text"].map((name) =>
        ran.types[name]
      ),
      ["str", "int64", "int64", "str", "bool", "int64", "str"],
    );
    for (const name of ["problem", "method", "seed", "text", "finishReason"] as const) {
      assertEquals(pick(ran.rows, name), runs.map((run) => run[name]));
    }
    assertEquals(
      pick(ran.rows, "mixing.meanEntropy"),
      runs.map(({ mixing }) => mixing.meanEntropy),
    );
    assertEquals(pick(found.texts.rows, "text"), [...HOSTILE]);
    assertEquals([found.ends, found.least], [
      { low: "float64", high: "float64", x: "float64" },
      "-inf",
    ]);
  },
);
