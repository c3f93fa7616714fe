/** Numbers come in many arrays: all of them are data in pages, notebooks and pictures. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { type Figure, toHtml, toSvg } from "../../lib/plot/mod.ts";
import { bundleOf } from "../../lib/plot/display.ts";
import { plainJson } from "../../lib/plot/_json.ts";

/** A value, and what plotly is to read. */
const VALUES: readonly (readonly [string, unknown, unknown])[] = [
  ["Float32Array", new Float32Array([1, 2, 3]), [1, 2, 3]],
  ["Float64Array", Float64Array.of(0.5, -1), [0.5, -1]],
  ["Float16Array", Float16Array.of(0.5), [0.5]],
  ["Int8Array", Int8Array.of(-1, 1), [-1, 1]],
  ["Uint8Array", Uint8Array.of(0, 255), [0, 255]],
  ["Uint8ClampedArray", Uint8ClampedArray.of(7), [7]],
  ["Int16Array", Int16Array.of(-300), [-300]],
  ["Uint16Array", Uint16Array.of(300), [300]],
  ["Int32Array", Int32Array.of(-70_000), [-70_000]],
  ["Uint32Array", Uint32Array.of(2 ** 32 - 1), [2 ** 32 - 1]],
  ["BigInt64Array", BigInt64Array.of(-5n, 2n ** 53n), [-5, 2 ** 53]],
  ["BigUint64Array", BigUint64Array.of(2n ** 53n + 1n), ["9007199254740993"]],
  ["a big integer", 12n, 12],
  ["a part of a buffer", new Float32Array(new Float32Array([9, 1, 2]).buffer, 4, 2), [1, 2]],
  ["shared memory", new Uint8Array(new SharedArrayBuffer(2)), [0, 0]],
  ["none", new Float32Array(0), []],
  ["a Buffer", Buffer.from([1, 2]), [1, 2]],
  ["a matrix", [Float32Array.of(1, 2), Float32Array.of(3, 4)], [[1, 2], [3, 4]]],
  ["three deep", [[Int8Array.of(1)], [Int8Array.of(2)]], [[[1]], [[2]]]],
  ["gaps", Float64Array.of(1, NaN, Infinity, -Infinity, 2), [1, null, null, null, 2]],
  ["gaps in an array", [1, NaN, Infinity, undefined, null], [1, null, null, null, null]],
  ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
  ["plotly's own form", { dtype: "f4", bdata: "AACAPw==" }, { dtype: "f4", bdata: "AACAPw==" }],
];

// deno-lint-ignore no-explicit-any
type Any = any;

for (const [name, value, expected] of VALUES) {
  Deno.test(`plainJson() writes ${name} as plotly reads it`, () => {
    assertEquals(JSON.parse(plainJson({ value })).value, expected);
  });
}

/** The places in which a figure has numbers. */
const trace = (x: Any, matrix: Any) => ({
  ...{ type: "bar", x, y: x, customdata: matrix, text: x, width: x, ids: x },
  error_y: { array: x, arrayminus: x },
  marker: { color: x, size: x },
});

Deno.test("toHtml() and notebooks have the numbers of typed arrays wherever they stand", async () => {
  const figure: Figure = {
    data: [trace(Float32Array.of(1, 2), [Int32Array.of(1, 2), Int32Array.of(3, 4)])],
    layout: { xaxis: { tickvals: Float64Array.of(1, 2), range: Float32Array.of(0, 3) } },
  };
  const plain = [trace([1, 2], [[1, 2], [3, 4]])];
  const page = await toHtml(figure);
  const json = JSON.parse(/const figure = (.*);\n/.exec(page)![1]!);
  assertEquals(json.data, plain);
  assertEquals(json.layout.xaxis, { tickvals: [1, 2], range: [0, 3] });
  const bundle = await bundleOf(figure);
  assertEquals((bundle["application/vnd.plotly.v1+json"] as Any).data, plain);
  assert("image/png" in bundle);
});

Deno.test("toSvg() draws typed arrays as it draws arrays", async () => {
  const drawn = (x: unknown, y: unknown) =>
    toSvg({ data: [{ type: "scatter", mode: "lines+markers", x, y, error_y: { array: y } }] });
  const expected = await drawn([1, 2, 3], [1, 4, 2]);
  assertStringIncludes(expected, 'class="point"');
  for (const kind of [Float32Array, Float64Array, Int16Array, Uint8Array]) {
    assertEquals(await drawn(kind.of(1, 2, 3), kind.of(1, 4, 2)), expected);
  }
  assertEquals(await drawn([1, 2, 3], BigInt64Array.of(1n, 4n, 2n)), expected);
  const gap = await drawn([1, 2, 3], Float32Array.of(1, NaN, 2));
  assertEquals(gap.match(/class="point"/g)?.length, 2);
});

Deno.test("a figure with what JSON would lose is refused by name", async () => {
  const lost: readonly [unknown, string][] = [
    [new Map([[1, 2]]), "Map"],
    [new Set([1]), "Set"],
    [[1, 2].values(), "Array Iterator"],
    [new ArrayBuffer(8), "ArrayBuffer"],
    [new DataView(new ArrayBuffer(8)), "DataView"],
    [Promise.resolve([1]), "Promise"],
  ];
  for (const [y, shown] of lost) {
    const error = assertThrows(() => plainJson({ data: [{ y }] }), TypeError, "Cannot draw as 'y'");
    assertStringIncludes(error.message, shown);
    await assertRejects(
      () => toHtml({ data: [{ y }] }),
      TypeError,
      "'y' must be a value, an array",
    );
    await assertRejects(() => toSvg({ data: [{ y }] }), TypeError, "'y' must be a value, an array");
  }
});
